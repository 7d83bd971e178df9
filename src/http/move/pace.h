/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PACE_H
#define HOT_HTTP_PACE_H

/*
 * How many connections a loop may give away now, so that those it still serves do not wait for it: so many each
 * millisecond, and what was not used is lost. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

struct hot__pace {
        uint32_t share; /* thousandths of a connection each millisecond; 0: no limit */
        uint32_t left;
        uint64_t at; /* when some were added, ms */
};

/* @per_ms of all @loops together; 0: no limit. */
void hot__pace_init(struct hot__pace *pace, unsigned int per_ms, unsigned int loops);

/* One more at @now? */
bool hot__pace_take(struct hot__pace *pace, uint64_t now);

/* It was not needed after all. */
void hot__pace_return(struct hot__pace *pace);

/* When there will be one, if there is none now. */
uint64_t hot__pace_next(const struct hot__pace *pace);

#endif
