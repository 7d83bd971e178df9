/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_GENERATIONS_H
#define HOT_VERIFY_GENERATIONS_H

/*
 * The generations that have answered, in the order of their first answers. Pure.
 *
 * A generation is named by its position here, from 1; 0 stands for "unknown" or "none yet". Its
 * number is what the server calls it. A newer one is one that answered for the first time later.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOT__PROFILES_MAX 16

/* How an answer tells who gave it. */
enum hot__identify {
        HOT__IDENTIFY_HEADERS, /* X-Generation, X-Pid */
        HOT__IDENTIFY_PID,     /* X-Pid: each new one is one generation more */
        HOT__IDENTIFY_BODY,    /* each new body is one generation more */
};

/* What an answer said about who gave it. */
struct hot__identity {
        uint64_t number;    /* X-Generation; 0: it did not say */
        pid_t pid;          /* X-Pid; 0: it did not say */
        uint64_t body_hash; /* of the whole body */
};

struct hot__generation {
        uint64_t number;
        pid_t pid;
        uint64_t body_hash;
        uint64_t first, last; /* when answers came, CLOCK_MONOTONIC ns */
        uint64_t answers[HOT__PROFILES_MAX];
};

struct hot__generations {
        enum hot__identify identify;
        struct hot__generation *list;
        size_t count, capacity;
};

void hot__generations_done(struct hot__generations *generations);

/*
 * An answer came at @now. *ret_position is who gave it, 0 if it did not say.
 * Returns 1 if it is a new generation, 0 if not, or -ENOMEM.
 */
int hot__generations_note(struct hot__generations *generations,
                          const struct hot__identity *identity, size_t profile, uint64_t now,
                          size_t *ret_position);

/* The one at @position, or NULL for 0. */
const struct hot__generation *hot__generations_get(const struct hot__generations *generations,
                                                   size_t position);

/*
 * Had a newer generation than @position answered more than @slack ns before @connect? Then that
 * connection should never have reached this one.
 */
bool hot__generations_is_stale(const struct hot__generations *generations, size_t position,
                               uint64_t connect, uint64_t slack);

#endif
