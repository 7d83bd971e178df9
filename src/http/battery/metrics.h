/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_METRICS_H
#define HOT_HTTP_METRICS_H

/*
 * Counters, in memory that all generations of a server share: it is kept for the next one (hot_keep()), so that
 * they neither start again at zero nor miss what an old generation still answers while it drains. Each loop
 * has its own part, which only loops with the same number write to.
 *
 * What is a state and no count (connections, generation) is the asked process' own.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <hotstart.h>
#include <hotstart/http.h>

#include "bytes.h"
#include "pin.h"

#define HOT__METRICS_PARTS   16
#define HOT__METRICS_BUCKETS 15 /* the last one has no bound */

struct hot__metrics_part {
        atomic_uint_least64_t status[600];
        atomic_uint_least64_t bucket[HOT__METRICS_BUCKETS];
        atomic_uint_least64_t duration_ns;
        atomic_uint_least64_t sent;
        atomic_uint_least64_t accepted;
        atomic_uint_least64_t unfinished; /* responses that were given up */
};

/* What became of connections on their way between generations. */
enum hot__metrics_move {
        HOT__METRICS_GIVEN,
        HOT__METRICS_ADOPTED,
        HOT__METRICS_RETURNED, /* given, but not taken */
        HOT__METRICS_MOVES,
};

struct hot__metrics_page {
        uint64_t magic; /* with the layout's version and size */
        atomic_uint_least64_t committed, rolled_back, resumed;
        atomic_uint_least64_t triggered_at, quiesced_at; /* CLOCK_MONOTONIC ns; 0: not now */
        atomic_uint_least64_t ready_ns, gap_ns;          /* of the last restart */
        atomic_uint_least64_t moved[HOT__METRICS_MOVES];
        struct hot__metrics_part part[HOT__METRICS_PARTS];
};

struct hot__metrics {
        bool wanted;
        struct hot__metrics_page *page; /* NULL: nobody asks */
};

/* Find the page that was kept, or make one and keep it. Returns 0 or a negative errno. */
int hot__metrics_open(struct hot__metrics *metrics, struct hot *hot);
void hot__metrics_close(struct hot__metrics *metrics);

/* The part of loop @number. NULL if nobody asks. */
struct hot__metrics_part *hot__metrics_part(const struct hot__metrics *metrics, size_t number);

void hot__metrics_count(struct hot__metrics_part *part, const struct hot_http_outcome *outcome);

/* A restart's steps, as the old generation sees them; and the two instants that make the gap. */
void hot__metrics_event(const struct hot__metrics *metrics, const struct hot_event *event);
void hot__metrics_quiesced(const struct hot__metrics *metrics);
void hot__metrics_serving(const struct hot__metrics *metrics);

void hot__metrics_moved(const struct hot__metrics *metrics, enum hot__metrics_move move);

/* The exposition format of Prometheus: what the page counts, and what this process is like. */
struct hot__metrics_now {
        uint64_t generation;
        bool serving;
        uint64_t connections[6]; /* idle, reading, handling, writing, WebSockets, tunnels */
        uint64_t handlers_running, handlers_waiting;
        uint64_t pinned[HOT__N_PINS];
};

void hot__metrics_print(const struct hot__metrics *metrics, const struct hot__metrics_now *now,
                        struct hot__bytes *text);

#endif
