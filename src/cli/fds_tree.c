/* SPDX-License-Identifier: MIT */
/*
 * Servers, their generations, the processes of each, and what these have open. A description that several
 * hold says so at each of them, with the numbers that it has there.
 */
#include "fds.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        COLUMN_NAME,
        COLUMN_KIND,
        COLUMN_STATE,
        COLUMN_QUEUE,
        COLUMN_CLOEXEC,
        COLUMN_HOLDERS,
        N_COLUMNS,
};

struct tree {
        const struct fds_view *view;
        struct libscols_table *table; /* owned */
        long n;                       /* descriptors */
};

static struct libscols_line *add_line(struct tree *tree, struct libscols_line *parent,
                                      const char *name)
{
        struct libscols_line *line = scols_table_new_line(tree->table, parent);

        return line && scols_line_set_data(line, COLUMN_NAME, name) == 0 ? line : NULL;
}

static int set_column(struct libscols_line *line, size_t at, const char *name,
                      const struct fds_cell *cell)
{
        char text[FDS_CELL_MAX] = "";

        fds_column_find(name)->print(cell, text);
        return scols_line_set_data(line, at, text);
}

static int add_row(struct tree *tree, struct libscols_line *parent,
                   const struct hot_inspect_process *process, const struct hot_inspect_fd *row)
{
        struct fds_cell cell = {tree->view, process, row};
        char name[FDS_CELL_MAX + 16], file[FDS_CELL_MAX];
        struct libscols_line *line;

        fds_name(row, file);
        snprintf(name, sizeof(name), "%d%c %s", row->fd, fds_mode_letter(row), file);
        line = add_line(tree, parent, name);
        tree->n++;
        if (!line || set_column(line, COLUMN_KIND, "kind", &cell) < 0 ||
            set_column(line, COLUMN_STATE, "state", &cell) < 0 ||
            set_column(line, COLUMN_CLOEXEC, "cloexec", &cell) < 0 ||
            set_column(line, COLUMN_HOLDERS, "holders", &cell) < 0)
                return -ENOMEM;
        return row->listening && set_column(line, COLUMN_QUEUE, "queue", &cell) < 0 ? -ENOMEM : 0;
}

static int add_process(struct tree *tree, struct libscols_line *parent,
                       const struct hot_inspect *inspect)
{
        const struct hot_inspect_process *process = hot_inspect_identity(inspect);
        const struct hot_inspect_fd *row;
        char name[128];
        struct libscols_line *line;
        int r = 0;

        snprintf(name, sizeof(name), "pid %d (%s)", process->pid, process->name);
        line = add_line(tree, parent, name);
        if (!line)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && (row = hot_inspect_at(inspect, i)); i++)
                if (row->role == HOT_INSPECT_DESCRIPTOR && fds_wants_row(tree->view->options, row))
                        r = add_row(tree, line, process, row);
        return r;
}

static bool is_of(const struct hot_inspect *inspect, unsigned int server, uint64_t generation)
{
        return hot_inspect_identity(inspect)->server == server &&
               hot_inspect_identity(inspect)->generation == generation;
}

static int add_generation(struct tree *tree, struct libscols_line *parent, unsigned int server,
                          uint64_t generation)
{
        const struct hot_inspect *inspect;
        struct libscols_line *line;
        char name[64];
        int r = 0;

        snprintf(name, sizeof(name), "generation %llu", (unsigned long long)generation);
        line = add_line(tree, parent, name);
        if (!line)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && (inspect = hot_snapshot_at(tree->view->snapshot, i)); i++)
                if (is_of(inspect, server, generation))
                        r = add_process(tree, line, inspect);
        return r;
}

/* The lowest generation of the server above @after, or 0. */
static uint64_t next_generation(const struct fds_view *view, unsigned int server, uint64_t after)
{
        const struct hot_inspect *inspect;
        uint64_t next = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(view->snapshot, i)); i++) {
                const struct hot_inspect_process *process = hot_inspect_identity(inspect);

                if (process->server == server && process->generation > after &&
                    (next == 0 || process->generation < next))
                        next = process->generation;
        }
        return next;
}

/* A server is shown whole if one of its processes is selected. */
static const struct hot_inspect_process *find_selected(const struct fds_view *view,
                                                       unsigned int server)
{
        const struct hot_inspect *inspect;

        for (size_t i = 0; (inspect = hot_snapshot_at(view->snapshot, i)); i++)
                if (hot_inspect_identity(inspect)->server == server &&
                    fds_wants_process(view->options, view->snapshot, hot_inspect_identity(inspect)))
                        return hot_inspect_identity(inspect);
        return NULL;
}

static int add_server(struct tree *tree, unsigned int server)
{
        const struct hot_inspect_process *process = find_selected(tree->view, server);
        struct libscols_line *line;
        uint64_t generation = 0;
        int r = 0;

        if (!process)
                return 0;
        line = add_line(tree, NULL, process->name);
        if (!line)
                return -ENOMEM;
        while (r == 0 && (generation = next_generation(tree->view, server, generation)))
                r = add_generation(tree, line, server, generation);
        return r;
}

static int add_columns(struct tree *tree)
{
        static const char *const names[N_COLUMNS] = {"NAME",  "KIND",    "STATE",
                                                     "QUEUE", "CLOEXEC", "HOLDERS"};
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_COLUMNS; i++)
                if (!scols_table_new_column(tree->table, names[i], 0,
                                            i == COLUMN_NAME ? SCOLS_FL_TREE : 0))
                        r = -ENOMEM;
        return r;
}

static unsigned int count_servers(const struct hot_snapshot *snapshot)
{
        const struct hot_inspect *inspect;
        unsigned int n = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(snapshot, i)); i++)
                if (hot_inspect_identity(inspect)->server > n)
                        n = hot_inspect_identity(inspect)->server;
        return n;
}

long fds_tree(const struct fds_view *view)
{
        struct tree tree = {.view = view, .table = scols_new_table()};
        unsigned int n = count_servers(view->snapshot);
        int r;

        if (!tree.table)
                return -ENOMEM;
        scols_table_enable_noheadings(tree.table, !view->options->headings);
        /* A cell that is cut says less than a line that wraps. */
        scols_table_set_termforce(tree.table, SCOLS_TERMFORCE_NEVER);
        scols_table_enable_ascii(tree.table, !isatty(STDOUT_FILENO));
        r = add_columns(&tree);
        for (unsigned int server = 1; r == 0 && server <= n; server++)
                r = add_server(&tree, server);
        if (r == 0 && tree.n > 0)
                r = scols_print_table(tree.table);
        scols_unref_table(tree.table);
        return r < 0 ? r : tree.n;
}
