/* SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "text.h"

enum { TEXT_MAX = 256 };

/* Digits up to @end, or -1 if there is something else. */
static int read_number(const char *text, const char *end)
{
        int number = 0;

        for (; text < end; text++) {
                if (*text < '0' || *text > '9')
                        return -1;
                number = number > INT_MAX / 10 - 1 ? INT_MAX : number * 10 + (*text - '0');
        }
        return number;
}

/* "7-9", with the dash at @dash. */
static int read_range(const char *text, const char *dash, struct lsof_range *range)
{
        const char *end = text + strlen(text);

        if (dash == text) {
                lsof_complain_about(text, "illegal FD range for -d: ");
                return -1;
        }
        range->low = read_number(text, dash);
        range->high = read_number(dash + 1, end);
        if (range->low < 0 || range->high < 0) {
                lsof_complain_about(text, "non-digit in -d FD range: ");
                return -1;
        }
        if (range->low >= range->high) {
                lsof_complain_about(text, "-d FD range's low >= its high: ");
                return -1;
        }
        return 0;
}

static void read_name(const char *text, struct lsof_range *range)
{
        int number = read_number(text, text + strlen(text));

        *range = (struct lsof_range){.low = number, .high = number};
        if (strcmp(text, "fd") == 0)
                *range = (struct lsof_range){.low = 0, .high = INT_MAX};
        else if (number < 0)
                range->name = lsof_copy(text);
}

static int add(struct lsof_numbers *numbers, const char *text, bool excluded, bool quiet)
{
        const char *dash = strrchr(text, '-');
        struct lsof_range range = {0};

        if (dash && read_range(text, dash, &range) < 0)
                return -1;
        if (numbers->n > 0 && numbers->excluded != excluded) {
                if (!quiet)
                        lsof_complain("%s in an %s -d list: %s%s", excluded ? "exclude" : "include",
                                      numbers->excluded ? "exclude" : "include",
                                      excluded ? "^" : "", text);
                return -1;
        }
        if (!dash)
                read_name(text, &range);
        numbers->excluded = excluded;
        numbers->ranges = lsof_grow(numbers->ranges, numbers->n, sizeof(range));
        numbers->ranges[numbers->n++] = range;
        return 0;
}

int lsof_numbers_add(struct lsof_numbers *numbers, const char *text, bool quiet)
{
        char word[TEXT_MAX];
        bool excluded;
        size_t len;
        int r = 0;

        if (!text || !*text) {
                lsof_complain("no file descriptor specified");
                return -1;
        }
        for (; *text; text += len + (text[len] == ',')) {
                excluded = *text == '^';
                text += excluded;
                len = strcspn(text, ",");
                snprintf(word, sizeof(word), "%.*s", (int)len, text);
                if (len > 0 && add(numbers, word, excluded, quiet) < 0)
                        r = -1;
        }
        return r;
}

static bool covers(const struct lsof_range *range, const char *name, int number)
{
        if (name)
                return range->name && strcmp(range->name, name) == 0;
        return !range->name && number >= range->low && number <= range->high;
}

bool lsof_numbers_match(const struct lsof_numbers *numbers, const char *name, int number)
{
        for (size_t i = 0; i < numbers->n; i++)
                if (covers(&numbers->ranges[i], name, number))
                        return !numbers->excluded;
        return numbers->excluded;
}
