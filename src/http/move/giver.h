/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_GIVER_H
#define HOT_HTTP_GIVER_H

/*
 * Where connections leave this process: the first worker's thread, which has the core. It gives out credits, as many
 * as the next generation has room for, and to the core the connections that loops have taken apart for them. What
 * the core does not take now waits here, and what it will not take goes back to a loop. Nothing is lost.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"
#include "crate.h"
#include "pin.h"

struct hot_http;

struct hot__giver {
        atomic_long credits; /* anybody takes one */
        atomic_bool takes;   /* the next generation takes connections */
        bool on;             /* we drain */
        long promised;       /* credits, and what was taken apart for one and not given yet */
        struct hot__crates waiting; /* owned */
        size_t at;                  /* in the first of them */
        struct hot__bytes scratch;
        atomic_long pinned[HOT__N_PINS]; /* connections that stay, of all loops */
};

void hot__giver_done(struct hot__giver *giver);

/* Another generation serves, or has room again. */
void hot__giver_begin(struct hot_http *server);

/* We serve again, or stop: what waits goes back to the loops. */
void hot__giver_end(struct hot_http *server);

/* What loops have taken apart. Ownership: takes the crates. */
void hot__giver_take(struct hot_http *server, struct hot__crates *crates);

/* Thread-safe: one of the credits, if there is one; and back. */
bool hot__giver_spend(struct hot__giver *giver);
void hot__giver_refund(struct hot__giver *giver);

#endif
