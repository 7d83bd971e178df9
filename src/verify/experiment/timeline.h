/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_TIMELINE_H
#define EXPERIMENT_TIMELINE_H

/*
 * What happened when, put in order: the parts of the experiment learn of it at different times.
 */

#include <stdint.h>

struct timeline;

/* Moments count from @zero. Returns NULL when there is no memory: the other functions accept that. */
struct timeline *timeline_new(uint64_t zero);
void timeline_free(struct timeline *timeline);

/* Note what happened at @when. */
void timeline_add(struct timeline *timeline, uint64_t when, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A moment as the timeline counts it, in milliseconds. */
double timeline_at(const struct timeline *timeline, uint64_t when);

void timeline_print(struct timeline *timeline);

#endif
