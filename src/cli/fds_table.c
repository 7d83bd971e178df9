/* SPDX-License-Identifier: MIT */
/*
 * The table of lists and comparisons: a line for each cell's descriptor, a column for each that was asked for.
 */
#include "fds.h"

#include "table.h"

static int add_row(struct table *table, const struct fds_column *const *columns,
                   const struct fds_cell *cell)
{
        char text[FDS_CELL_MAX];
        int r = 0;

        for (size_t i = 0; i < table->n_columns && r == 0; i++) {
                text[0] = '\0';
                columns[i]->print(cell, text);
                r = table_add_cell(table, text);
        }
        return r;
}

long fds_table(const struct fds_options *options, const struct fds_column *const *columns,
               size_t n_columns, const struct fds_cell *cells, size_t n_cells, const char *marks)
{
        struct table table = {.n_columns = 0};
        int r = 0;

        for (size_t i = 0; i < n_columns; i++)
                table_add_column(&table, columns[i]->name, columns[i]->right);
        for (size_t i = 0; i < n_cells && r == 0; i++)
                r = add_row(&table, columns, &cells[i]);
        if (r == 0)
                table_print(&table, options->headings, marks);
        table_done(&table);
        return r < 0 ? r : (long)n_cells;
}
