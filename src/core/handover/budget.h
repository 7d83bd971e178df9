/* SPDX-License-Identifier: MIT */
#ifndef HOT_BUDGET_H
#define HOT_BUDGET_H

/*
 * How many descriptors this process has room for. A receiver at RLIMIT_NOFILE gets some of a message's
 * descriptors and loses the rest without a word, so it says beforehand how many it can take.
 *
 * /proc/self/fd has the number of open descriptors as its size since Linux 6.2. Before that they have to be
 * counted, which takes a microsecond each: then once in a while, and what was taken meanwhile is subtracted.
 */

#include <stddef.h>
#include <stdint.h>

struct hot__budget {
        uint64_t counted_at; /* ns; 0: never */
        size_t left;
};

/* Now, with some to spare for whatever else the process is about to open. */
size_t hot__budget_left(struct hot__budget *budget, uint64_t now);

/* So many were taken since. */
void hot__budget_spend(struct hot__budget *budget, size_t n);

#endif
