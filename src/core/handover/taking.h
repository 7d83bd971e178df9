/* SPDX-License-Identifier: MIT */
#ifndef HOT_TAKING_H
#define HOT_TAKING_H

/*
 * The connection that the host has to decide about: one of a batch that an older generation has given, or one of
 * our own that came back. One batch is in hand at a time, and nothing else is read until all of it is decided.
 *
 * The answer to a batch leaves when the host asks for the next event after its last connection, and the host
 * touches none of them before hot_next() has returned NULL. So whatever was touched has been acknowledged, and
 * whatever was not acknowledged when we die is the giver's, as it was.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"
#include "channel.h"
#include "parcel.h"

struct hot__taking {
        struct hot__channel *channel; /* where the batch in hand came from; NULL: there is none */
        unsigned int source;          /* of that channel */
        uint32_t batch;
        struct hot__item *items; /* owned; their descriptors are in hot->message */
        size_t n_items, at;      /* the next one, ... */
        size_t fd_at;            /* ... and its descriptor */
        char refused[HOT__TEXT_MAX];
        size_t refused_len;
        bool answered; /* just now: the host has its turn */

        struct hot_event event; /* what the host sees */
        struct hot_connection connection;
        bool open;        /* it has not decided yet */
        int fd;           /* owned, until it has */
        const void *bulk; /* mapped for it; NULL: nothing */
        size_t bulk_len;
        struct hot__parcel
                *returned; /* owned: it is one that came back; NULL: it is of the batch */

        struct hot__budget budget;
        uint64_t n_taken;
        uint64_t began, ended; /* the first batch came, the last was answered: ns */
};

#endif
