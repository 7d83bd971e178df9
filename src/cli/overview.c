/* SPDX-License-Identifier: MIT */
#include "overview.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "outcome.h"

#define CELL_MAX 512

struct column {
        const char *name;
        int flags;
        void (*fill)(const json_t *row, char *cell);
};

static void fill_number(const json_t *row, const char *key, char *cell)
{
        const json_t *value = json_object_get(row, key);

        if (json_is_integer(value))
                snprintf(cell, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
                strcpy(cell, "-");
}

static void fill_text(const json_t *row, const char *key, char *cell)
{
        snprintf(cell, CELL_MAX, "%s", talk_text(row, key, "-"));
}

/* "850 ms", "42 s", "17 min", "5 h", "12 d" */
static void fill_duration(const json_t *row, const char *key, char *cell)
{
        static const struct {
                json_int_t below, unit;
                const char *name;
        } units[] = {
                {1000, 1, "ms"},           {120000, 1000, "s"},        {7200000, 60000, "min"},
                {172800000, 3600000, "h"}, {INT64_MAX, 86400000, "d"},
        };
        json_int_t ms = talk_number(row, key, -1);
        size_t i = 0;

        if (ms < 0) {
                strcpy(cell, "-");
                return;
        }
        while (ms >= units[i].below)
                i++;
        snprintf(cell, CELL_MAX, "%" JSON_INTEGER_FORMAT " %s", ms / units[i].unit, units[i].name);
}

static void fill_generation(const json_t *row, char *cell)
{
        fill_number(row, "generation", cell);
}

static void fill_pid(const json_t *row, char *cell)
{
        fill_number(row, "pid", cell);
}

static void fill_phase(const json_t *row, char *cell)
{
        fill_text(row, "phase", cell);
}

static void fill_age(const json_t *row, char *cell)
{
        fill_duration(row, "age_ms", cell);
}

static void fill_held(const json_t *row, char *cell)
{
        fill_number(row, "held", cell);
}

static void fill_connections(const json_t *row, char *cell)
{
        fill_number(json_object_get(row, "figures"), "connections", cell);
}

static void fill_deadline(const json_t *row, char *cell)
{
        fill_duration(row, "deadline_ms", cell);
}

/* Enough of it to tell releases apart; --json has all. */
static void fill_build_id(const json_t *row, char *cell)
{
        snprintf(cell, CELL_MAX, "%.12s", talk_text(row, "build_id", "-"));
}

static void fill_program(const json_t *row, char *cell)
{
        fill_text(row, "program", cell);
}

static void fill_name(const json_t *row, char *cell)
{
        fill_text(row, "name", cell);
}

static void fill_address(const json_t *row, char *cell)
{
        fill_text(row, "address", cell);
}

static const struct column of_generations[] = {
        {"GENERATION", SCOLS_FL_RIGHT, fill_generation},
        {"PID", SCOLS_FL_RIGHT, fill_pid},
        {"PHASE", 0, fill_phase},
        {"AGE", SCOLS_FL_RIGHT, fill_age},
        {"HELD", SCOLS_FL_RIGHT, fill_held},
        {"CONNECTIONS", SCOLS_FL_RIGHT, fill_connections},
        {"DEADLINE", SCOLS_FL_RIGHT, fill_deadline},
        {"BUILD", 0, fill_build_id},
        {"PROGRAM", 0, fill_program},
        {NULL, 0, NULL},
};

static const struct column of_listeners[] = {
        {"LISTENER", 0, fill_name},
        {"ADDRESS", 0, fill_address},
        {NULL, 0, NULL},
};

static int add_row(struct libscols_table *table, const struct column *columns, const json_t *row)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; columns[i].name; i++) {
                char cell[CELL_MAX];
                int r;

                columns[i].fill(row, cell);
                r = scols_line_set_data(line, i, cell);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_table(struct libscols_table *table, const struct column *columns,
                      const json_t *rows)
{
        for (size_t i = 0; columns[i].name; i++)
                if (!scols_table_new_column(table, columns[i].name, 0, columns[i].flags))
                        return -ENOMEM;
        for (size_t i = 0; i < json_array_size(rows); i++) {
                int r = add_row(table, columns, json_array_get(rows, i));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_table(const struct column *columns, const json_t *rows)
{
        struct libscols_table *table;
        int r;

        if (json_array_size(rows) == 0)
                return 0;
        table = scols_new_table();
        if (!table)
                return -ENOMEM;
        r = fill_table(table, columns, rows);
        if (r == 0)
                r = scols_print_table(table);
        scols_unref_table(table);
        return r;
}

static void print_failures(const json_t *failures)
{
        for (size_t i = 0; i < json_array_size(failures); i++) {
                const json_t *failure = json_array_get(failures, i);
                char age[CELL_MAX];

                fill_duration(failure, "age_ms", age);
                printf("rolled back %s ago: ", age);
                print_safely(stdout, talk_text(failure, "message", "?"));
                putchar('\n');
        }
}

int overview_print(const json_t *status)
{
        int r = print_table(of_generations, json_object_get(status, "generations"));

        if (r == 0)
                r = print_table(of_listeners, json_object_get(status, "listeners"));
        if (json_is_true(json_object_get(status, "held")))
                puts("a new generation is ready and waits for `hotstart commit` or `hotstart "
                     "abort`");
        print_failures(json_object_get(status, "failures"));
        return r;
}
