/* SPDX-License-Identifier: MIT */
#ifndef HOT_GIVING_H
#define HOT_GIVING_H

/*
 * R8 as the old generation: connections on their way to the one that serves. They leave in batches, a few of
 * which may be unanswered at a time: what is in flight counts against our own limit of descriptors, and what the
 * receiver has no room for would be lost.
 *
 * A connection is here, as a copy nobody touches, until the receiver has answered. What it refused comes back to
 * the host. So does a batch without an answer, but only when nobody can be reading it any more: never by a
 * deadline. After the answer a copy is kept in the probation only, and only if the host has promised what that
 * takes (HOT_RESUMABLE).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parcel.h"

/* Batches on their way, the one that is being filled included. */
#define HOT__GIVING_WINDOW 4

struct hot__batch {
        uint32_t number;
        size_t n_fds;
        struct hot__parcels parcels;
};

struct hot__giving {
        bool possible;   /* the successor takes connections, and has not said or shown otherwise */
        bool wanted;     /* the host has more, and was told that there is no room */
        uint32_t number; /* of the last batch */
        size_t room; /* descriptors that the receiver had room for beyond what it has answered */
        size_t in_flight; /* descriptors in the batches that it has not */
        struct hot__batch sent[HOT__GIVING_WINDOW];
        size_t n_sent;
        struct hot__parcels filling;  /* not sent yet */
        size_t filling_fds;           /* that they will take */
        struct hot__parcels returned; /* the host has to know */
        struct hot__parcels frozen;   /* accepted, and not touched as far as we know */
        struct hot__item *items;      /* to encode one batch; NULL until it is needed */
        uint64_t look_at;             /* ns; 0: there is nothing to look after */
        uint64_t n_given, n_accepted, n_returned;
        uint64_t began, ended; /* the first was given, the last accepted: ns */
};

#endif
