/* SPDX-License-Identifier: MIT */
/*
 * Servers, their generations, the processes of each, and what these have open. A description that several
 * hold says so at each of them, with the numbers that it has there.
 *
 * The lines are collected first: whether a branch goes on below a line shows only in those behind it.
 */
#include "fds.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum { DEPTH_SERVER, DEPTH_GENERATION, DEPTH_PROCESS, DEPTH_ROW };

struct line {
        int depth;
        unsigned int
                more; /* a set of 1 << depth: there is another one at that depth, in the same branch */
        uint64_t generation;
        const struct hot_inspect_process *process;
        const struct hot_inspect_fd *row;
};

struct tree {
        const struct fds_view *view;
        struct line *lines; /* owned */
        size_t n_lines, room;
        long n; /* descriptors */
};

static int add_line(struct tree *tree, struct line line)
{
        size_t room = tree->room ? tree->room * 2 : 64;
        struct line *larger;

        if (tree->n_lines == tree->room) {
                larger = reallocarray(tree->lines, room, sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                tree->lines = larger;
                tree->room = room;
        }
        tree->lines[tree->n_lines++] = line;
        return 0;
}

/* ---- which lines there are ---- */

static int add_process(struct tree *tree, const struct hot_inspect *inspect)
{
        const struct hot_inspect_process *process = hot_inspect_identity(inspect);
        const struct hot_inspect_fd *row;
        int r = add_line(tree, (struct line){.depth = DEPTH_PROCESS, .process = process});

        for (size_t i = 0; r == 0 && (row = hot_inspect_at(inspect, i)); i++) {
                if (row->role != HOT_INSPECT_DESCRIPTOR || !fds_wants_row(tree->view->options, row))
                        continue;
                r = add_line(tree,
                             (struct line){.depth = DEPTH_ROW, .process = process, .row = row});
                tree->n++;
        }
        return r;
}

static bool is_of(const struct hot_inspect *inspect, unsigned int server, uint64_t generation)
{
        return hot_inspect_identity(inspect)->server == server &&
               hot_inspect_identity(inspect)->generation == generation;
}

static int add_generation(struct tree *tree, unsigned int server, uint64_t generation)
{
        const struct hot_inspect *inspect;
        int r = add_line(tree, (struct line){.depth = DEPTH_GENERATION, .generation = generation});

        for (size_t i = 0; r == 0 && (inspect = hot_snapshot_at(tree->view->snapshot, i)); i++)
                if (is_of(inspect, server, generation))
                        r = add_process(tree, inspect);
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
        uint64_t generation = 0;
        int r;

        if (!process)
                return 0;
        r = add_line(tree, (struct line){.depth = DEPTH_SERVER, .process = process});
        while (r == 0 && (generation = next_generation(tree->view, server, generation)))
                r = add_generation(tree, server, generation);
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

/* ---- what they look like ---- */

/* From the last line to the first: a line has another one behind it if its depth was seen since a lower one. */
static void find_branches(struct tree *tree)
{
        unsigned int seen = 0;

        for (size_t i = tree->n_lines; i-- > 0;) {
                struct line *line = &tree->lines[i];

                line->more = seen & ((2U << line->depth) - 1);
                seen = line->more | 1U << line->depth;
        }
}

static void print_branches(const struct line *line, char text[FDS_CELL_MAX])
{
        text[0] = '\0';
        for (int depth = DEPTH_GENERATION; depth < line->depth; depth++)
                strcat(text, line->more & 1U << depth ? "| " : "  ");
        if (line->depth > DEPTH_SERVER)
                strcat(text, line->more & 1U << line->depth ? "|-" : "`-");
}

static void print_name(const struct tree *tree, const struct line *line, char text[FDS_CELL_MAX])
{
        struct fds_cell cell = {tree->view, line->process, line->row};
        char name[FDS_CELL_MAX] = "";
        size_t used;

        print_branches(line, text);
        used = strlen(text);
        if (line->depth == DEPTH_ROW)
                fds_name(line->row, name);
        else if (line->depth != DEPTH_GENERATION)
                fds_column_find("command")->print(&cell, name);
        switch (line->depth) {
        case DEPTH_SERVER:
                snprintf(text + used, FDS_CELL_MAX - used, "%s", name);
                break;
        case DEPTH_GENERATION:
                snprintf(text + used, FDS_CELL_MAX - used, "generation %llu",
                         (unsigned long long)line->generation);
                break;
        case DEPTH_PROCESS:
                snprintf(text + used, FDS_CELL_MAX - used, "pid %d (%s)", line->process->pid, name);
                break;
        case DEPTH_ROW:
                snprintf(text + used, FDS_CELL_MAX - used, "%d%c %s", line->row->fd,
                         fds_mode_letter(line->row), name);
        }
}

static const char *const columns[] = {"kind", "state", "queue", "cloexec", "holders"};

#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

/* A queue is shown of listeners only. */
static int add_cells(const struct tree *tree, struct table *table, const struct line *line)
{
        struct fds_cell cell = {tree->view, line->process, line->row};
        char text[FDS_CELL_MAX];
        int r;

        print_name(tree, line, text);
        r = table_add_cell(table, text);
        for (size_t i = 0; r == 0 && i < N_COLUMNS; i++) {
                text[0] = '\0';
                if (line->row && (line->row->listening || strcmp(columns[i], "queue") != 0))
                        fds_column_find(columns[i])->print(&cell, text);
                r = table_add_cell(table, text);
        }
        return r;
}

static int print_tree(const struct tree *tree)
{
        struct table table = {.n_columns = 0};
        int r = 0;

        table_add_column(&table, "name", false);
        for (size_t i = 0; i < N_COLUMNS; i++)
                table_add_column(&table, columns[i], false);
        for (size_t i = 0; r == 0 && i < tree->n_lines; i++)
                r = add_cells(tree, &table, &tree->lines[i]);
        if (r == 0)
                table_print(&table, tree->view->options->headings, NULL);
        table_done(&table);
        return r;
}

long fds_tree(const struct fds_view *view)
{
        struct tree tree = {.view = view};
        unsigned int n = count_servers(view->snapshot);
        int r = 0;

        for (unsigned int server = 1; r == 0 && server <= n; server++)
                r = add_server(&tree, server);
        find_branches(&tree);
        if (r == 0 && tree.n > 0)
                r = print_tree(&tree);
        free(tree.lines);
        return r < 0 ? r : tree.n;
}
