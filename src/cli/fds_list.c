/* SPDX-License-Identifier: MIT */
/*
 * The plain list: a line for each selected descriptor.
 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>

static size_t count_rows(const struct hot_snapshot *snapshot)
{
        const struct hot_inspect *inspect;
        size_t n = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(snapshot, i)); i++)
                n += hot_inspect_count(inspect);
        return n;
}

static size_t collect(const struct fds_view *view, struct fds_cell *cells)
{
        const struct hot_inspect *inspect;
        const struct hot_inspect_fd *row;
        size_t n = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(view->snapshot, i)); i++) {
                const struct hot_inspect_process *process = hot_inspect_identity(inspect);

                if (!fds_wants_process(view->options, view->snapshot, process))
                        continue;
                for (size_t k = 0; (row = hot_inspect_at(inspect, k)); k++)
                        if (fds_wants_row(view->options, row))
                                cells[n++] = (struct fds_cell){view, process, row};
        }
        return n;
}

long fds_list(const struct fds_view *view)
{
        struct fds_cell *cells = calloc(count_rows(view->snapshot) + 1, sizeof(*cells));
        long n;

        if (!cells)
                return -ENOMEM;
        n = fds_table(view->options, view->options->columns, view->options->n_columns, cells,
                      collect(view, cells), NULL);
        free(cells);
        return n;
}
