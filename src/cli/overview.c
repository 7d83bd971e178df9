/* SPDX-License-Identifier: MIT */
#include "overview.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "outcome.h"
#include "table.h"

#define CELL_MAX 512

struct column {
        const char *name;
        bool right;
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
        {"generation", true, fill_generation},
        {"pid", true, fill_pid},
        {"phase", false, fill_phase},
        {"age", true, fill_age},
        {"held", true, fill_held},
        {"connections", true, fill_connections},
        {"deadline", true, fill_deadline},
        {"build", false, fill_build_id},
        {"program", false, fill_program},
        {NULL, false, NULL},
};

static const struct column of_listeners[] = {
        {"listener", false, fill_name},
        {"address", false, fill_address},
        {NULL, false, NULL},
};

static int add_row(struct table *table, const struct column *columns, const json_t *row)
{
        char cell[CELL_MAX];
        int r = 0;

        for (size_t i = 0; r == 0 && columns[i].name; i++) {
                columns[i].fill(row, cell);
                r = table_add_cell(table, cell);
        }
        return r;
}

static int print_table(const struct column *columns, const json_t *rows)
{
        struct table table = {.n_columns = 0};
        int r = 0;

        for (size_t i = 0; columns[i].name; i++)
                table_add_column(&table, columns[i].name, columns[i].right);
        for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
                r = add_row(&table, columns, json_array_get(rows, i));
        if (r == 0)
                table_print(&table, true, NULL);
        table_done(&table);
        return r;
}

/* ", 2 tls, 1 http2" */
static json_int_t list_pinned(const json_t *pinned, char *list, size_t size)
{
        json_int_t sum = 0;
        const char *reason;
        json_t *value;
        size_t len = 0;

        *list = '\0';
        json_object_foreach((json_t *)(uintptr_t)pinned, reason, value)
        {
                json_int_t n = json_integer_value(value);

                if (n > 0 && len < size)
                        len += (size_t)snprintf(list + len, size - len,
                                                "%s%" JSON_INTEGER_FORMAT " %s", sum ? ", " : "", n,
                                                reason);
                sum += n > 0 ? n : 0;
        }
        return sum;
}

/* What becomes of the connections of a generation that drains. */
static void print_handover(const json_t *generation)
{
        const json_t *handover = json_object_get(generation, "handover");
        json_int_t accepted = talk_number(handover, "accepted", 0),
                   returned = talk_number(handover, "returned", 0), pinned;
        char list[CELL_MAX];

        pinned = list_pinned(json_object_get(handover, "pinned"), list, sizeof(list));
        if (!accepted && !returned && !pinned)
                return;
        printf("generation %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT
               " connection%s handed over",
               talk_number(generation, "generation", 0), accepted, accepted == 1 ? "" : "s");
        if (returned)
                printf(", %" JSON_INTEGER_FORMAT " came back", returned);
        if (pinned) {
                fputs("; pinned: ", stdout);
                print_safely(stdout, list);
        }
        putchar('\n');
}

static void print_handovers(const json_t *generations)
{
        for (size_t i = 0; i < json_array_size(generations); i++)
                print_handover(json_array_get(generations, i));
}

/* What the server's host counts, and what it found out, but for what has a column. */
static void print_figures(const json_t *generations)
{
        json_t *figures = json_object_get(json_array_get(generations, 0), "figures");
        bool any = false;
        const char *name;
        json_t *value;

        json_object_foreach(figures, name, value)
        {
                if (strcmp(name, "connections") == 0 || !json_is_integer(value))
                        continue;
                fputs(any ? ", " : "figures: ", stdout);
                print_safely(stdout, name);
                printf(" %" JSON_INTEGER_FORMAT, json_integer_value(value));
                any = true;
        }
        if (any)
                putchar('\n');
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
        print_figures(json_object_get(status, "generations"));
        print_handovers(json_object_get(status, "generations"));
        if (json_is_true(json_object_get(status, "held")))
                puts("a new generation is ready and waits for `hotstart commit` or `hotstart "
                     "abort`");
        print_failures(json_object_get(status, "failures"));
        return r;
}
