/* SPDX-License-Identifier: MIT */
/*
 * A table in two passes: as wide as its widest cells, numbers to the right, the last column without padding.
 * Not by libsmartcols, which takes five times as long for the tens of thousands of rows that a busy machine
 * has; trees, which are short, are its work.
 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct table {
        const struct fds_column *const *columns; /* borrowed */
        size_t n_columns;
        int widths[FDS_COLUMNS_MAX];
        char *text; /* owned: every cell with a terminating zero, row by row */
        size_t used, room;
};

/* Columns of characters, not bytes: what continues a UTF-8 sequence takes no place. */
static int width_of(const char *text)
{
        int width = 0;

        for (; *text; text++)
                width += ((unsigned char)*text & 0xc0) != 0x80;
        return width;
}

static int append(struct table *table, const char *text)
{
        size_t size = strlen(text) + 1, room = table->room;
        char *larger;

        while (size > room - table->used)
                room = room ? room * 2 : 65536;
        if (room != table->room) {
                larger = realloc(table->text, room);
                if (!larger)
                        return -ENOMEM;
                table->text = larger;
                table->room = room;
        }
        memcpy(table->text + table->used, text, size);
        table->used += size;
        return 0;
}

static int add_row(struct table *table, const struct fds_cell *cell)
{
        char text[FDS_CELL_MAX];
        int r = 0, width;

        for (size_t i = 0; i < table->n_columns && r == 0; i++) {
                text[0] = '\0';
                table->columns[i]->print(cell, text);
                width = width_of(text);
                if (width > table->widths[i])
                        table->widths[i] = width;
                r = append(table, text);
        }
        return r;
}

static void print_blanks(int n)
{
        static const char blanks[] = "                                ";

        for (; n > 0; n -= (int)sizeof(blanks) - 1)
                fwrite(blanks, 1, n < (int)sizeof(blanks) - 1 ? (size_t)n : sizeof(blanks) - 1,
                       stdout);
}

static void print_cell(const struct table *table, size_t column, const char *text)
{
        int padding = table->widths[column] - width_of(text);

        if (column > 0)
                putchar(' ');
        if (table->columns[column]->right)
                print_blanks(padding);
        fputs(text, stdout);
        if (!table->columns[column]->right && column + 1 < table->n_columns)
                print_blanks(padding);
}

static void heading_of(const struct fds_column *column, char text[64])
{
        size_t i;

        for (i = 0; column->name[i]; i++)
                text[i] = (char)(column->name[i] >= 'a' && column->name[i] <= 'z'
                                         ? column->name[i] - 'a' + 'A'
                                         : column->name[i]);
        text[i] = '\0';
}

static void print_table(const struct table *table, bool headings, const char *marks, size_t n)
{
        const char *at = table->text;
        char heading[64];

        for (size_t i = 0; headings && i < table->n_columns; i++) {
                if (i == 0 && marks)
                        fputs("  ", stdout);
                heading_of(table->columns[i], heading);
                print_cell(table, i, heading);
        }
        if (headings)
                putchar('\n');
        for (size_t row = 0; row < n; row++) {
                if (marks)
                        printf("%c ", marks[row]);
                for (size_t i = 0; i < table->n_columns; i++) {
                        print_cell(table, i, at);
                        at += strlen(at) + 1;
                }
                putchar('\n');
        }
}

long fds_table(const struct fds_options *options, const struct fds_column *const *columns,
               size_t n_columns, const struct fds_cell *cells, size_t n_cells, const char *marks)
{
        struct table table = {.columns = columns, .n_columns = n_columns};
        int r = 0;

        for (size_t i = 0; options->headings && i < n_columns; i++)
                table.widths[i] = (int)strlen(columns[i]->name);
        for (size_t i = 0; i < n_cells && r == 0; i++)
                r = add_row(&table, &cells[i]);
        /* Hundreds of kilobytes in pieces of 4096 bytes take as long as making them. */
        setvbuf(stdout, NULL, _IOFBF, 1 << 16);
        if (r == 0 && n_cells > 0)
                print_table(&table, options->headings, marks, n_cells);
        free(table.text);
        return r < 0 ? r : (long)n_cells;
}
