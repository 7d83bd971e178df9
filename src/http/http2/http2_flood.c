/* SPDX-License-Identifier: MIT */
#include "http2_flood.h"

/* A browser that leaves a page resets every stream it has, a hundred; who measures a link pings often. */
static const struct {
        uint32_t burst;
        uint32_t a_second;
} allowed[HOT__N_FLOODS] = {
        [HOT__FLOOD_RESET] = {200, 50},
        [HOT__FLOOD_CONTROL] = {200, 50},
};

void hot__flood_init(struct hot__flood *flood, uint64_t now)
{
        for (int i = 0; i < HOT__N_FLOODS; i++) {
                flood->credit[i] = allowed[i].burst * 1000;
                flood->at[i] = now;
        }
}

bool hot__flood_take(struct hot__flood *flood, enum hot__flood_kind kind, uint64_t now)
{
        uint64_t full = (uint64_t)allowed[kind].burst * 1000;
        uint64_t elapsed = now > flood->at[kind] ? now - flood->at[kind] : 0;
        uint64_t credit = full;

        /* frames a second are thousandths of a frame a millisecond */
        if (elapsed < full / allowed[kind].a_second)
                credit = flood->credit[kind] + elapsed * allowed[kind].a_second;
        if (credit > full)
                credit = full;
        flood->at[kind] = now;
        if (credit < 1000) {
                flood->credit[kind] = (uint32_t)credit;
                return false;
        }
        flood->credit[kind] = (uint32_t)(credit - 1000);
        return true;
}
