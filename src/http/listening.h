/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_LISTENING_H
#define HOT_HTTP_LISTENING_H

/*
 * Where the server listens: the addresses it was given, and what a service manager has handed over beside
 * them. The core lends its descriptors and may close them as soon as a stop turns into an end; the loops
 * therefore poll copies, one for each listener, which live until every loop has let go of them.
 */

#include <stdbool.h>

struct hot_http;

/* Have the core open or inherit them all; says on the log what is wrong. Returns 0 or a negative errno. */
int hot__listening_open(struct hot_http *server);

/* Make the copies that are missing. Returns 0 or a negative errno. */
int hot__listening_copy(struct hot_http *server);

/* Mark those that the next generation has not taken. Returns whether there are any. */
bool hot__listening_find_leftovers(struct hot_http *server);
void hot__listening_forget_leftovers(struct hot_http *server);

/* When no loop polls them, but for leftovers. */
void hot__listening_close_copies(struct hot_http *server);

/* The core's last failure, on the log. */
void hot__listening_log_failure(struct hot_http *server);

#endif
