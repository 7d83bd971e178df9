/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TALLY_H
#define HOT_VERIFY_TALLY_H

/*
 * The tally: what a run saw, in numbers. Bounded by profiles and generations, not by requests.
 * Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "generations.h"
#include "histogram.h"
#include "outcome.h"

/*
 * All there is to know of one request. Times are CLOCK_MONOTONIC ns, 0 if it did not come to that;
 * generations are positions in the tally's list, 0 if unknown.
 */
struct hot__record {
        size_t profile;      /* index in the run's profiles */
        unsigned int client; /* within the profile, from 0 */
        uint64_t connection; /* from 1; the same number is the same connection */
        uint64_t connect;    /* connect(2) of that connection began */
        uint64_t due;        /* the client wanted the request */
        uint64_t sent;       /* the last byte of its head was with the kernel */
        uint64_t first_byte; /* the first byte of the answer was read */
        uint64_t end;        /* it was over */
        enum hot__outcome outcome;
        size_t answered_by;
        uint64_t number; /* of a message or an event; 0: it has none */
        int status;      /* 0: no complete head */
        uint64_t bytes;  /* of body */
        uint64_t hash;   /* of these bytes, see struct hot__payload_check */
        size_t under;    /* the newest generation known when it was sent */
        size_t latest;   /* the newest known when it ended */
};

struct hot__tally_profile {
        uint64_t outcomes[HOT__OUTCOME_COUNT];
        uint64_t reconnects[HOT__RECONNECT_COUNT];
        uint64_t overlapped; /* began under one generation, ended after a newer one had answered */
        uint64_t stale;      /* answered by a generation that should not have accepted any more */
        uint64_t bytes;
        struct hot__histogram latency; /* of the ok ones, from due to end */
};

struct hot__tally {
        struct hot__tally_profile *profiles;
        size_t n_profiles;
        struct hot__generations generations;
        uint64_t slack; /* ns, see hot__generations_is_stale() */
        uint64_t began, ended;
};

/* Returns 0 or -ENOMEM. */
int hot__tally_init(struct hot__tally *tally, size_t n_profiles, enum hot__identify identify,
                    uint64_t slack);
void hot__tally_done(struct hot__tally *tally);

void hot__tally_request(struct hot__tally *tally, const struct hot__record *record);
void hot__tally_reconnect(struct hot__tally *tally, size_t profile, enum hot__reconnect kind);

/* How many of a profile's requests failed, and how many there were. */
uint64_t hot__tally_failed(const struct hot__tally_profile *profile);
uint64_t hot__tally_sent(const struct hot__tally_profile *profile);

/* Add up all profiles but for the histogram: @ret->latency stays empty. */
void hot__tally_sum(const struct hot__tally *tally, struct hot__tally_profile *ret);

#endif
