/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_COMMANDS_H
#define HOT_LSOF_COMMANDS_H

/*
 * Commands that are asked for by the beginning of their name, or by a regular expression: "-c http",
 * "-c ^http", "-c /^ng/i".
 */

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#define LSOF_COMMAND_MAX 15 /* of a name in /proc/PID/comm */

struct lsof_prefix {
        const char *text; /* borrowed of the command line */
        bool excluded;
        bool found;
};

struct lsof_expression {
        char *text; /* owned: what is between the slashes */
        regex_t compiled;
        bool found;
};

struct lsof_commands {
        struct lsof_prefix *prefixes; /* owned */
        size_t n_prefixes;
        size_t n_included;
        struct lsof_expression *expressions; /* owned */
        size_t n_expressions;
};

/* Add a value of -c. Returns 0, or -1 after having said what is wrong. */
int lsof_commands_add(struct lsof_commands *commands, const char *text);

/* The same prefix included and excluded? Returns 0, or -1 after having said so, for each. */
int lsof_commands_check(const struct lsof_commands *commands);

bool lsof_commands_excludes(const struct lsof_commands *commands, const char *name);

/* Is any included that matches? Then that is found. */
bool lsof_commands_match(struct lsof_commands *commands, const char *name);

#endif
