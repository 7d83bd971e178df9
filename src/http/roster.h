/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_ROSTER_H
#define HOT_HTTP_ROSTER_H

/*
 * The connections of a loop. One place in the list is remembered for who goes through them in several turns: it
 * stays right while connections come, which are put before all others, and go.
 */

#include <stddef.h>

struct hot__connection;
struct hot__worker;

struct hot__roster {
        struct hot__connection *first;
        struct hot__connection *cursor; /* the next one to look at; NULL: all were */
        size_t n;
};

/* A zeroed connection of this worker, in its roster; or NULL. */
struct hot__connection *hot__roster_new(struct hot__worker *worker);

/* Take it out. Its memory stays. */
void hot__roster_remove(struct hot__connection *connection);

/* Go through them from the beginning. */
void hot__roster_rewind(struct hot__roster *roster);

/* The connection at the cursor, which moves on; or NULL. */
struct hot__connection *hot__roster_next(struct hot__roster *roster);

/* Do something to each, which may end it. */
void hot__roster_each(struct hot__roster *roster, void (*act)(struct hot__connection *connection));

#endif
