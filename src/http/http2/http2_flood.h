/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HTTP2_FLOOD_H
#define HOT_HTTP_HTTP2_FLOOD_H

/*
 * Frames that cost the sender nothing and us something: streams that are reset as soon as they are opened
 * (rapid reset, CVE-2023-44487), pings, settings, priorities, empty data. Each kind may come in a burst and
 * then at a rate; who goes beyond is told to calm down, and the connection ends. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum hot__flood_kind {
        HOT__FLOOD_RESET,
        HOT__FLOOD_CONTROL,
        HOT__N_FLOODS,
};

struct hot__flood {
        uint32_t credit[HOT__N_FLOODS]; /* thousandths of a frame */
        uint64_t at[HOT__N_FLOODS];     /* ms */
};

void hot__flood_init(struct hot__flood *flood, uint64_t now);

/* One more. Returns false if that is one too many. */
bool hot__flood_take(struct hot__flood *flood, enum hot__flood_kind kind, uint64_t now);

#endif
