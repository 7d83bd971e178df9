/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TAKER_H
#define HOT_HTTP_TAKER_H

/*
 * Where connections come into this process, or come back: the first worker's thread, which has the core. They are
 * collected until the core has nothing more to tell, since nobody may read from them before that, and then shared
 * out among the loops, with one wake-up for each.
 */

#include <stddef.h>

#include <hotstart.h>

struct hot__crates;
struct hot__passage;
struct hot_http;

struct hot__taker {
        struct hot__crates *crates; /* for each loop: what it gets */
        size_t next;                /* whose turn it is */
};

/* Returns 0 or -ENOMEM. */
int hot__taker_init(struct hot__taker *taker, size_t loops);
void hot__taker_done(struct hot__taker *taker, size_t loops);

/* HOT_CONNECTION. */
void hot__taker_take(struct hot_http *server, const struct hot_connection *connection);

/* One that was taken apart here and goes on here. Ownership: takes all of it; closes it for want of memory. */
void hot__taker_return(struct hot_http *server, struct hot__passage *passage);

/* The core has nothing more to tell. */
void hot__taker_share_out(struct hot_http *server);

#endif
