/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_NUMBERS_H
#define HOT_LSOF_NUMBERS_H

/*
 * The descriptors that -d asks for: "3,7-9,cwd", "fd" for all that have a number; or, all of them with ^,
 * those that it does not ask for.
 */

#include <stdbool.h>
#include <stddef.h>

struct lsof_range {
        int low, high;
        char *name; /* owned; NULL: these numbers */
};

struct lsof_numbers {
        struct lsof_range *ranges; /* owned */
        size_t n;
        bool excluded; /* all of them, if there is any */
};

/* Add a value of -d. Returns 0, or -1 after having said what is wrong (@quiet: not of a mixture). */
int lsof_numbers_add(struct lsof_numbers *numbers, const char *text, bool quiet);

/* Is it asked for? @name is "cwd", "mem", …, or NULL for a number. */
bool lsof_numbers_match(const struct lsof_numbers *numbers, const char *name, int number);

#endif
