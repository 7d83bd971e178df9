/* SPDX-License-Identifier: MIT */
/*
 * Each column is a class: its title, its side, and how it makes its text of a row. Two passes: the first
 * measures, the second prints. Four columns are not like that: the command's name is cut to a width, the
 * descriptor's mode and lock stand right of the others' right edge, the number of links has a blank of
 * its own, and the name, which is last, is not measured.
 */
#include "columns.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "decimal.h"
#include "extent.h"
#include "flags.h"
#include "name.h"
#include "text.h"

enum { CELL_MAX = LSOF_FLAGS_MAX, COLUMNS = 11 };

/* The text of one cell. */
typedef void cell_fn(const struct lsof_request *request, const struct lsof_process *process,
                     const struct lsof_row *row, char text[CELL_MAX]);

struct column {
        char title[16];
        cell_fn *cell;
        bool of_process; /* the same for all rows of a process */
        size_t width;
};

struct layout {
        struct column columns[COLUMNS];
        size_t n;
        size_t command_width;
};

static void pid_cell(const struct lsof_request *request, const struct lsof_process *process,
                     const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)row;
        hot__decimal(text, (uint64_t)process->identity->pid);
}

static void parent_cell(const struct lsof_request *request, const struct lsof_process *process,
                        const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)row;
        snprintf(text, CELL_MAX, "%d", process->identity->parent);
}

static void group_cell(const struct lsof_request *request, const struct lsof_process *process,
                       const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)row;
        snprintf(text, CELL_MAX, "%d", process->identity->group);
}

static void user_cell(const struct lsof_request *request, const struct lsof_process *process,
                      const struct lsof_row *row, char text[CELL_MAX])
{
        char name[LSOF_USER_MAX];

        (void)row;
        lsof_users_name(process->identity->uid, request->users_by_number, request->quiet, name);
        snprintf(text, CELL_MAX, "%s", name);
}

/* These two are as wide as a number, the others as they are. */
static bool is_directory_role(const char *role)
{
        return strcmp(role, "cwd") == 0 || strcmp(role, "rtd") == 0;
}

static void number_and_mode(int number, char access, char lock, char text[CELL_MAX])
{
        for (int bound = 1000; bound > 1 && number < bound; bound /= 10)
                *text++ = ' ';
        text = hot__decimal(text, (uint64_t)number);
        *text++ = access;
        *text++ = lock;
        *text = '\0';
}

/* "   3uW", " cwd", "mem": a mode that is not known is "-" where a lock follows. */
static void descriptor_cell(const struct lsof_request *request, const struct lsof_process *process,
                            const struct lsof_row *row, char text[CELL_MAX])
{
        char access = row->lock != ' ' && row->access == ' ' ? '-' : row->access;

        (void)request, (void)process;
        if (row->role)
                snprintf(text, CELL_MAX, "%*s%c%c", is_directory_role(row->role) ? 4 : 0, row->role,
                         access, row->lock);
        else
                number_and_mode(row->number, access, row->lock, text);
}

static void type_cell(const struct lsof_request *request, const struct lsof_process *process,
                      const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)process;
        strcpy(text, row->type);
}

static void flags_cell(const struct lsof_request *request, const struct lsof_process *process,
                       const struct lsof_row *row, char text[CELL_MAX])
{
        (void)process;
        *text = '\0';
        if (row->has_flags && (request->hexadecimal_flags || row->flags != 0))
                lsof_flags_format(row->flags, request->hexadecimal_flags, text);
}

static void device_cell(const struct lsof_request *request, const struct lsof_process *process,
                        const struct lsof_row *row, char text[CELL_MAX])
{
        dev_t device = row->has_raw_device ? row->raw_device : row->device;

        (void)request, (void)process;
        if (!row->has_raw_device && !row->has_device) {
                strcpy(text, row->device_text);
                return;
        }
        text = hot__decimal(text, major(device));
        *text++ = ',';
        hot__decimal(text, minor(device));
}

static void extent_cell(const struct lsof_request *request, const struct lsof_process *process,
                        const struct lsof_row *row, char text[CELL_MAX])
{
        (void)process;
        *text = '\0';
        if (row->has_size)
                hot__decimal(text, row->size);
        else if (row->has_offset)
                lsof_extent_format(row->offset, request->offset_digits, text);
}

static void links_cell(const struct lsof_request *request, const struct lsof_process *process,
                       const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)process;
        *text = '\0';
        if (row->has_links)
                snprintf(text, CELL_MAX, " %llu", (unsigned long long)row->links);
}

static void node_cell(const struct lsof_request *request, const struct lsof_process *process,
                      const struct lsof_row *row, char text[CELL_MAX])
{
        (void)request, (void)process;
        *text = '\0';
        if (row->node == LSOF_NODE_INODE)
                hot__decimal(text, row->inode);
        if (row->node == LSOF_NODE_PROTOCOL)
                strcpy(text, row->protocol);
}

static void add(struct layout *layout, const char *title, cell_fn *cell)
{
        struct column *column = &layout->columns[layout->n++];

        snprintf(column->title, sizeof(column->title), "%s", title);
        column->cell = cell;
        column->of_process =
                cell == pid_cell || cell == parent_cell || cell == group_cell || cell == user_cell;
        column->width = strlen(title);
}

static void choose(const struct lsof_request *request, struct layout *layout)
{
        add(layout, "PID", pid_cell);
        if (request->show_parent)
                add(layout, "PPID", parent_cell);
        if (request->show_group)
                add(layout, "PGID", group_cell);
        add(layout, "USER", user_cell);
        add(layout, "FD", descriptor_cell);
        add(layout, "TYPE", type_cell);
        if (request->show_flags)
                add(layout, "FILE-FLAG", flags_cell);
        add(layout, "DEVICE", device_cell);
        add(layout, lsof_extent_title(request), extent_cell);
        if (request->show_links)
                add(layout, "NLINK", links_cell);
        add(layout, "NODE", node_cell);
}

static const char *command_name(const struct lsof_process *process)
{
        return *process->identity->name ? process->identity->name : "(unknown)";
}

static void measure_row(const struct lsof_request *request, const struct lsof_process *process,
                        const struct lsof_row *row, struct layout *layout)
{
        char text[CELL_MAX];
        size_t len;

        for (size_t i = 0; i < layout->n; i++) {
                if (layout->columns[i].of_process && row != process->rows)
                        continue;
                layout->columns[i].cell(request, process, row, text);
                len = strlen(text);
                if (len > layout->columns[i].width)
                        layout->columns[i].width = len;
        }
}

static void measure(const struct lsof_request *request, const struct lsof_listing *listing,
                    struct layout *layout)
{
        layout->command_width = strlen("COMMAND");
        for (size_t i = 0; i < listing->n; i++) {
                const struct lsof_process *process = &listing->processes[i];
                size_t width = lsof_text_command_width(command_name(process));

                if (request->command_width > 0 && width > request->command_width)
                        width = request->command_width;
                if (width > layout->command_width)
                        layout->command_width = width;
                for (size_t k = 0; k < process->n_rows; k++)
                        measure_row(request, process, &process->rows[k], layout);
        }
}

/* The descriptors' title stands over their numbers, left of two places for mode and lock. */
static void print_titles(FILE *out, const struct layout *layout)
{
        fprintf(out, "%-*s", (int)layout->command_width, "COMMAND");
        for (size_t i = 0; i < layout->n; i++) {
                const struct column *column = &layout->columns[i];

                if (column->cell == descriptor_cell)
                        fprintf(out, " %*s  ", (int)column->width - 2, column->title);
                else
                        fprintf(out, " %*s", (int)column->width, column->title);
        }
        fputs(" NAME\n", out);
}

/* The columns of a process, printed once for all of its rows: "mkfds 4711 root". */
struct head {
        char text[CELL_MAX * 4];
        size_t n; /* how many columns are in it */
};

static void make_head(const struct lsof_request *request, const struct layout *layout,
                      const struct lsof_process *process, struct head *head)
{
        char text[CELL_MAX];
        int len = 0;

        for (head->n = 0; head->n < layout->n && layout->columns[head->n].of_process; head->n++) {
                const struct column *column = &layout->columns[head->n];

                column->cell(request, process, process->rows, text);
                len += snprintf(head->text + len, sizeof(head->text) - (size_t)len, " %*s",
                                (int)column->width, text);
        }
}

static void print_right(FILE *out, size_t width, const char *text)
{
        putc_unlocked(' ', out);
        for (size_t len = strlen(text); len < width; len++)
                putc_unlocked(' ', out);
        fputs_unlocked(text, out);
}

static void print_row(struct lsof_request *request, FILE *out, const struct layout *layout,
                      const struct lsof_process *process, const struct lsof_row *row,
                      const struct head *head)
{
        char text[CELL_MAX];

        lsof_text_print_command(out, command_name(process), layout->command_width);
        fputs_unlocked(head->text, out);
        for (size_t i = head->n; i < layout->n; i++) {
                layout->columns[i].cell(request, process, row, text);
                print_right(out, layout->columns[i].width, text);
        }
        putc_unlocked(' ', out);
        lsof_name_print(request, out, row);
        putc_unlocked('\n', out);
}

static void print_process(struct lsof_request *request, FILE *out, const struct layout *layout,
                          const struct lsof_process *process)
{
        struct head head;

        make_head(request, layout, process, &head);
        for (size_t i = 0; i < process->n_rows; i++)
                print_row(request, out, layout, process, &process->rows[i], &head);
}

void lsof_columns_print(struct lsof_request *request, FILE *out, const struct lsof_listing *listing)
{
        struct layout layout = {0};

        if (listing->n == 0)
                return;
        choose(request, &layout);
        measure(request, listing, &layout);
        print_titles(out, &layout);
        for (size_t i = 0; i < listing->n; i++)
                print_process(request, out, &layout, &listing->processes[i]);
}
