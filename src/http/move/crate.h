/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_CRATE_H
#define HOT_HTTP_CRATE_H

/*
 * Passages go from thread to thread by the crate, so that a thousand of them need no thousand allocations and no
 * thousand wake-ups. A crate keeps a drain from ending, see hot_hold(), until it is freed: what is in it is in no
 * loop's care.
 */

#include <stddef.h>

#include "passage.h"

#define HOT__CRATE_SIZE 252

struct hot__crate {
        struct hot__crate *next;
        struct hot *hot; /* holds its drain */
        size_t n;
        struct hot__passage passages[HOT__CRATE_SIZE];
};

/* A queue of them. Zero-initialise. */
struct hot__crates {
        struct hot__crate *first, *last;
};

/* An empty one, or NULL. */
struct hot__crate *hot__crate_new(struct hot *hot);

/* Those in the crate are taken: what is left of it. */
void hot__crate_free_empty(struct hot__crate *crate);

/* With all that is in it. Accepts NULL. */
void hot__crate_free(struct hot__crate *crate);

void hot__crates_add(struct hot__crates *crates, struct hot__crate *crate);

/* All of the second behind the first, which leaves the second empty. */
void hot__crates_move(struct hot__crates *to, struct hot__crates *from);

/* The first one, out of the queue; or NULL. */
struct hot__crate *hot__crates_take(struct hot__crates *crates);

void hot__crates_free(struct hot__crates *crates);

#endif
