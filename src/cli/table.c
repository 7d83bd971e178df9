/* SPDX-License-Identifier: MIT */
/*
 * Not by libsmartcols, which takes five times as long for the tens of thousands of rows that a busy machine has,
 * and a tenth of the time of a short list to be loaded.
 */
#include "table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table_cell {
        size_t start; /* in the table's text */
        int len, width;
};

void table_add_column(struct table *table, const char *name, bool right)
{
        table->columns[table->n_columns++] = (struct table_column){name, right, 0};
}

static bool is_control(char byte)
{
        return (unsigned char)byte < ' ' || byte == 0x7f;
}

/* Copy @text; what a terminal obeys, or ends a line, is written as \xNN. Room is for four bytes each. */
static struct table_cell copy(char *to, const char *text)
{
        struct table_cell cell = {0};

        for (; *text; text++) {
                if (is_control(*text)) {
                        cell.len += sprintf(to + cell.len, "\\x%02x", (unsigned char)*text);
                        cell.width += 4;
                        continue;
                }
                to[cell.len++] = *text;
                /* Columns of characters, not bytes: what continues a UTF-8 sequence takes no place. */
                cell.width += ((unsigned char)*text & 0xc0) != 0x80;
        }
        return cell;
}

static int make_room(struct table *table, size_t len)
{
        struct table_cell *cells;
        char *text;
        size_t room;

        if (table->n_cells == table->cells_room) {
                room = table->cells_room ? table->cells_room * 2 : 512;
                cells = reallocarray(table->cells, room, sizeof(*cells));
                if (!cells)
                        return -ENOMEM;
                table->cells = cells;
                table->cells_room = room;
        }
        if (len <= table->room - table->used)
                return 0;
        room = (table->room + len) * 2 + 8192;
        text = realloc(table->text, room);
        if (!text)
                return -ENOMEM;
        table->text = text;
        table->room = room;
        return 0;
}

int table_add_cell(struct table *table, const char *text)
{
        struct table_column *column = &table->columns[table->n_cells % table->n_columns];
        struct table_cell cell;
        int r = make_room(table, strlen(text) * 4 + 1);

        if (r < 0)
                return r;
        cell = copy(table->text + table->used, text);
        cell.start = table->used;
        if (cell.width > column->width)
                column->width = cell.width;
        table->cells[table->n_cells++] = cell;
        table->used += (size_t)cell.len;
        return 0;
}

static void print_blanks(int n)
{
        static const char blanks[] = "                                ";

        for (; n > 0; n -= (int)sizeof(blanks) - 1)
                fwrite_unlocked(blanks, 1,
                                n < (int)sizeof(blanks) - 1 ? (size_t)n : sizeof(blanks) - 1,
                                stdout);
}

/* Blanks wait for something to stand behind them. Returns how many wait now. */
static int print_cell(const struct table_column *column, const char *text, int len, int width,
                      int waiting)
{
        int padding = column->width - width;

        if (len == 0)
                return waiting + column->width + 1;
        print_blanks(column->right ? waiting + padding : waiting);
        fwrite_unlocked(text, 1, (size_t)len, stdout);
        return column->right ? 1 : padding + 1;
}

static void print_headings(const struct table *table)
{
        char heading[64];
        int waiting = 0;

        for (size_t i = 0; i < table->n_columns; i++) {
                const struct table_column *column = &table->columns[i];
                int len = snprintf(heading, sizeof(heading), "%s", column->name);

                for (int k = 0; k < len; k++)
                        heading[k] = (char)toupper((unsigned char)heading[k]);
                waiting = print_cell(column, heading, len, len, waiting);
        }
        putchar_unlocked('\n');
}

static void print_row(const struct table *table, const struct table_cell *cells)
{
        int waiting = 0;

        for (size_t i = 0; i < table->n_columns; i++)
                waiting = print_cell(&table->columns[i], table->text + cells[i].start, cells[i].len,
                                     cells[i].width, waiting);
        putchar_unlocked('\n');
}

static void widen_for_headings(struct table *table)
{
        for (size_t i = 0; i < table->n_columns; i++) {
                int width = (int)strlen(table->columns[i].name);

                if (width > table->columns[i].width)
                        table->columns[i].width = width;
        }
}

void table_print(struct table *table, bool headings, const char *marks)
{
        if (table->n_cells == 0)
                return;
        if (headings) {
                widen_for_headings(table);
                print_blanks(marks ? 2 : 0);
                print_headings(table);
        }
        for (size_t at = 0; at < table->n_cells; at += table->n_columns) {
                if (marks) {
                        putchar_unlocked(marks[at / table->n_columns]);
                        putchar_unlocked(' ');
                }
                print_row(table, &table->cells[at]);
        }
}

void table_done(struct table *table)
{
        free(table->cells);
        free(table->text);
        *table = (struct table){0};
}
