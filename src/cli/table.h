/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_TABLE_H
#define HOT_CLI_TABLE_H

/*
 * A table for people: columns as wide as their widest cells, numbers to the right, nothing behind the last cell
 * of a line. It takes its cells row by row and prints them when all are there.
 */

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 64

struct table_cell;

struct table_column {
        const char *name; /* borrowed; the heading is the same in capitals */
        bool right;
        int width;
};

struct table {
        struct table_column columns[TABLE_COLUMNS_MAX];
        size_t n_columns;
        struct table_cell *cells; /* owned, as text */
        size_t n_cells, cells_room;
        char *text;
        size_t used, room;
};

/* A table that is all zeroes is empty. All columns come before the first cell. */
void table_add_column(struct table *table, const char *name, bool right);

/* The next cell of the row, or the first of the next row. Returns 0 or -ENOMEM. */
int table_add_cell(struct table *table, const char *text);

/* Print the rows to standard output. @marks has a letter for each row, to stand before it; or NULL. */
void table_print(struct table *table, bool headings, const char *marks);

void table_done(struct table *table);

#endif
