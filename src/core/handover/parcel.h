/* SPDX-License-Identifier: MIT */
#ifndef HOT_PARCEL_H
#define HOT_PARCEL_H

/*
 * A live connection that its host has given away, for as long as it may come back: the descriptor, and a copy of
 * all that goes with it. And queues of them.
 */

#include <hotstart.h>

#include "touch.h"
#include "wire.h"

struct hot__parcel {
        struct hot__parcel *next;
        int fd; /* owned */
        unsigned int flags;
        uint32_t version, input_len, output_len, state_len;
        int error;               /* why it came back */
        struct hot__touch touch; /* when it left, if it is to be resumed */
        char bytes[];            /* input, output, state; and its kind, with a zero */
};

/* Zero-initialise. */
struct hot__parcels {
        struct hot__parcel *first, *last;
        size_t n;
};

/* Ownership: takes connection->fd on success. Returns 0, -EINVAL, -EBADF, -E2BIG or -ENOMEM. */
int hot__parcel_pack(const struct hot_connection *connection, struct hot__parcel **ret);

/* May a copy of it be served again? Not if the receiver may have answered, or sent, what only it knew. */
bool hot__parcel_is_resumable(const struct hot__parcel *parcel);

/* As the host sees it. Lent, as long as the parcel is. */
void hot__parcel_describe(const struct hot__parcel *parcel, struct hot_connection *ret);

/* What travels beside its descriptor. */
size_t hot__parcel_size(const struct hot__parcel *parcel);

/* Does that need a descriptor of its own? */
bool hot__parcel_is_bulky(const struct hot__parcel *parcel);

/* As it goes over the wire; its bytes are lent. */
void hot__parcel_item(const struct hot__parcel *parcel, struct hot__item *ret);

/* Closes the descriptor. Accepts NULL. */
void hot__parcel_free(struct hot__parcel *parcel);

void hot__parcels_add(struct hot__parcels *parcels, struct hot__parcel *parcel);

/* The first of them, out of the queue, or NULL. */
struct hot__parcel *hot__parcels_take(struct hot__parcels *parcels);

void hot__parcels_free(struct hot__parcels *parcels);

#endif
