/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

/*
 * Samples: how long each answer took and when, all of them kept, because only at the end of a run is it known
 * which stretches of it are called what. Times are CLOCK_MONOTONIC ns.
 */

#include <stddef.h>
#include <stdint.h>

/* What a stretch of time is. A sample that touches several is of the last of this list. */
enum stretch {
        STRETCH_STEADY, /* what is none of the others */
        STRETCH_AROUND, /* a restart */
        STRETCH_IGNORE,
        STRETCH_COUNT,
};

struct samples;

/* Returns NULL without memory. */
struct samples *samples_new(void);
void samples_free(struct samples *samples);

/* An answer that was wanted at @due and there at @end. Returns 0 or -ENOMEM. */
int samples_add(struct samples *samples, uint64_t due, uint64_t end);

/* From @from to @to, both included, it is @stretch. Returns 0 or -ENOMEM. */
int samples_mark(struct samples *samples, enum stretch stretch, uint64_t from, uint64_t to);

/* How many answers came from @from to @to, whatever the stretch. */
size_t samples_ended(const struct samples *samples, uint64_t from, uint64_t to);

struct samples_summary {
        size_t count;
        uint64_t p50, p99, p999, highest; /* ns; 0 while empty */
};

/* Of the samples in @stretch. Returns 0 or -ENOMEM. */
int samples_summarize(const struct samples *samples, enum stretch stretch,
                      struct samples_summary *ret);

#endif
