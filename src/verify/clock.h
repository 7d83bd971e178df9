/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CLOCK_H
#define HOT_VERIFY_CLOCK_H

/*
 * The one clock: CLOCK_MONOTONIC in nanoseconds, the same in every process of the host, so that a
 * test's own log of restarts compares with the records.
 */

#include <stdint.h>
#include <time.h>

static inline uint64_t hot__clock_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

#endif
