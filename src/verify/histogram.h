/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_HISTOGRAM_H
#define HOT_VERIFY_HISTOGRAM_H

/*
 * A histogram of durations in bounded memory. Pure.
 *
 * Each power of two is cut into 64 equal parts, so that a value is known to 1/64 of itself over the
 * whole range of 64 bits; below 128 every value has its own counter.
 */

#include <stdint.h>

enum {
        HOT__HISTOGRAM_PARTS = 64,
        HOT__HISTOGRAM_COUNTERS = 59 * HOT__HISTOGRAM_PARTS,
};

struct hot__histogram {
        uint64_t counters[HOT__HISTOGRAM_COUNTERS];
        uint64_t count;
        uint64_t lowest, highest; /* exact; 0 while empty */
};

void hot__histogram_add(struct hot__histogram *histogram, uint64_t value);

/*
 * The value that @permille of the values do not exceed, rounded up by at most 1/64; 0 while empty.
 */
uint64_t hot__histogram_at(const struct hot__histogram *histogram, unsigned int permille);

#endif
