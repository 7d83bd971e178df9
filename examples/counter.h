/* SPDX-License-Identifier: MIT */
#ifndef COUNTER_H
#define COUNTER_H

/*
 * A number that survives restarts, and is right at every moment of them: it lives in shared memory that each
 * generation keeps for the next one, so that one which still drains and the one that serves already count
 * the same.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <hotstart.h>

struct counter {
        _Atomic uint64_t *value; /* NULL until opened */
};

/* Find what the predecessor kept under @name, or begin at 0. Returns 0 or a negative errno. */
int counter_open(struct counter *counter, struct hot *hot, const char *name);

/* From any thread. */
void counter_add(const struct counter *counter);
uint64_t counter_read(const struct counter *counter);

#endif
