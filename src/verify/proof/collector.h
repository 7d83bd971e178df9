/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_COLLECTOR_H
#define HOT_VERIFY_COLLECTOR_H

/*
 * The collector: every record of the load engine, put where the evidence has a place for it. In the thread
 * of the load; the lineage is shared with the watcher, under its lock.
 */

#include "connection.h"
#include "evidence.h"
#include "watcher.h"

#define STRIP_CELLS 40

struct collector {
        struct proof_evidence *evidence;
        struct watcher *watcher;
        const struct hot__generations *generations; /* lent by the load */
        uint64_t restart_open_until; /* what ends before belongs to the last restart */
        size_t group;                /* the generation that answers now, by our count of effects */
        uint64_t group_since;
        struct bodies *bodies[HOT__PROFILES_MAX]; /* see proof_bodies() */
        bool seen_effect;                         /* of any restart */
        uint64_t last_ok;
        uint64_t bucket; /* ns that one dot of a profile stands for */
        struct proof_dot current[HOT__PROFILES_MAX];
        uint64_t ok, failed;
        uint64_t strip
                [STRIP_CELLS]; /* the slowest answer of each tenth of a second, the newest last */
        uint64_t strip_at;
        int error;
};

/* The profiles are chosen: get ready for their records. */
void collector_prepare(struct collector *collector);

/* How often does the load tell us? It is to be given to hot__load_new(). */
struct hot__observer collector_observer(struct collector *collector);

/* A restart was triggered: what happens from now on is put down to it. */
void collector_restart(struct collector *collector, uint64_t now);

/* A restart has shown its effect at @now: what is answered until @until belongs to it. */
void collector_effect(struct collector *collector, uint64_t now, uint64_t until);

/* The traffic has ended. */
void collector_finish(struct collector *collector, const struct hot__tally *tally);

#endif
