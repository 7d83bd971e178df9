/* SPDX-License-Identifier: MIT */
#include "pace.h"

#define ONE 1000

void hot__pace_init(struct hot__pace *pace, unsigned int per_ms, unsigned int loops)
{
        uint64_t share = (uint64_t)per_ms * ONE / loops;

        *pace = (struct hot__pace){.share = share > UINT32_MAX / 2 ? 0 : (uint32_t)share};
        if (per_ms && !share)
                pace->share = 1;
}

/* Of a share smaller than one some milliseconds have to come together. */
static uint32_t most(const struct hot__pace *pace)
{
        return pace->share < ONE ? ONE : pace->share;
}

bool hot__pace_take(struct hot__pace *pace, uint64_t now)
{
        uint64_t passed = now - pace->at;

        if (!pace->share)
                return true;
        if (passed) {
                uint64_t left = pace->left + (passed < ONE ? passed : ONE) * pace->share;

                pace->left = left < most(pace) ? (uint32_t)left : most(pace);
                pace->at = now;
        }
        if (pace->left < ONE)
                return false;
        pace->left -= ONE;
        return true;
}

void hot__pace_return(struct hot__pace *pace)
{
        if (pace->share)
                pace->left += ONE;
}

uint64_t hot__pace_next(const struct hot__pace *pace)
{
        if (!pace->share || pace->left >= ONE)
                return pace->at;
        return pace->at + (ONE - pace->left + pace->share - 1) / pace->share;
}
