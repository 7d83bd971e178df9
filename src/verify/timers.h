/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TIMERS_H
#define HOT_VERIFY_TIMERS_H

/*
 * Timers: which of many comes next. A binary heap of timers that live in what they belong to. Pure.
 *
 * The capacity is fixed when it is made, so that setting a timer cannot fail.
 */

#include <stddef.h>
#include <stdint.h>

struct hot__timer {
        uint64_t at;  /* ns */
        size_t place; /* in the heap, from 1; 0: not set */
};

struct hot__timers {
        struct hot__timer **heap;
        size_t count, capacity;
};

/* Returns 0 or -ENOMEM. */
int hot__timers_init(struct hot__timers *timers, size_t capacity);
void hot__timers_done(struct hot__timers *timers);

/* Set or move. */
void hot__timers_set(struct hot__timers *timers, struct hot__timer *timer, uint64_t at);
/* Does nothing to a timer that is not set. */
void hot__timers_clear(struct hot__timers *timers, struct hot__timer *timer);

/* The next one, or NULL. */
struct hot__timer *hot__timers_first(const struct hot__timers *timers);

#endif
