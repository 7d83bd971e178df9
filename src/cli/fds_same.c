/* SPDX-License-Identifier: MIT */
/*
 * A line for each open file description, with all its holders: two descriptors on one line share offset,
 * flags and, of a listener, the queue; two lines for the same file do not.
 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>

static bool is_selected(const struct fds_view *view, const struct fds_holder *holder)
{
        return fds_wants_process(view->options, view->snapshot, holder->process) &&
               fds_wants_row(view->options, holder->row);
}

/* The holders are sorted by description. Without --all only those that several share. */
static size_t collect(const struct fds_view *view, struct fds_cell *cells)
{
        size_t n = 0, end, first;

        for (size_t at = 0; at < view->n_holders; at = end) {
                first = view->n_holders;
                for (end = at; end < view->n_holders &&
                               view->holders[end].description == view->holders[at].description;
                     end++)
                        if (first == view->n_holders && is_selected(view, &view->holders[end]))
                                first = end;
                if (first < view->n_holders && (view->options->all || end - at > 1))
                        cells[n++] = (struct fds_cell){view, view->holders[first].process,
                                                       view->holders[first].row};
        }
        return n;
}

long fds_same(const struct fds_view *view)
{
        struct fds_cell *cells = calloc(view->n_holders + 1, sizeof(*cells));
        long n;

        if (!cells)
                return -ENOMEM;
        n = fds_table(view->options, view->options->columns, view->options->n_columns, cells,
                      collect(view, cells), NULL);
        free(cells);
        return n;
}
