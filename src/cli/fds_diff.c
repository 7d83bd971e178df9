/* SPDX-License-Identifier: MIT */
/*
 * What changed between two snapshots, a line for each descriptor: `=` inherited from another process or number,
 * `~` another socket on the same address, `+` new, `-` gone; with --all also what has not changed, unmarked.
 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>

struct lines {
        const struct fds_view *view;
        struct fds_cell *cells; /* owned, as marks */
        char *marks;
        size_t n, room;
};

static int add_line(struct lines *lines, char mark, const struct hot_inspect_process *process,
                    const struct hot_inspect_fd *row)
{
        size_t room = lines->room ? lines->room * 2 : 64;
        struct fds_cell *cells;
        char *marks;

        if (lines->n == lines->room) {
                cells = reallocarray(lines->cells, room, sizeof(*cells));
                if (!cells)
                        return -ENOMEM;
                lines->cells = cells;
                marks = realloc(lines->marks, room);
                if (!marks)
                        return -ENOMEM;
                lines->marks = marks;
                lines->room = room;
        }
        lines->cells[lines->n] = (struct fds_cell){lines->view, process, row};
        lines->marks[lines->n++] = mark;
        return 0;
}

static int note(const struct hot_difference *difference, void *data)
{
        static const char marks[] = {
                [HOT_CHANGE_NONE] = ' ', [HOT_CHANGE_INHERITED] = '=', [HOT_CHANGE_REBOUND] = '~',
                [HOT_CHANGE_NEW] = '+',  [HOT_CHANGE_GONE] = '-',
        };
        struct lines *lines = data;
        const struct fds_options *options = lines->view->options;
        bool gone = difference->change == HOT_CHANGE_GONE;
        const struct hot_inspect_process *process =
                gone ? difference->process_before : difference->process;
        const struct hot_inspect_fd *row = gone ? difference->before : difference->after;

        if (difference->change == HOT_CHANGE_NONE && !options->all)
                return 0;
        if (!fds_wants_process(options, gone ? lines->view->before : lines->view->snapshot,
                               process) ||
            !fds_wants_row(options, row))
                return 0;
        return add_line(lines, marks[difference->change], process, row);
}

long fds_diff(const struct fds_view *view)
{
        struct lines lines = {.view = view};
        long n = hot_snapshot_diff(view->before, view->snapshot, note, &lines);

        if (n == 0)
                n = fds_table(view->options, view->options->columns, view->options->n_columns,
                              lines.cells, lines.n, lines.marks);
        free(lines.cells);
        free(lines.marks);
        return n;
}
