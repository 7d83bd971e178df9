/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PASSAGE_H
#define HOT_HTTP_PASSAGE_H

/*
 * A connection taken apart, on its way from one loop to another, which may be another generation's: a value, and
 * all that is left of it. Nothing polls its descriptor, nobody reads from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hotstart.h>

#include "buffer.h"
#include "bytes.h"
#include "waybill.h"

struct hot__move_kind;

struct hot__passage {
        const struct hot__move_kind *kind;
        int fd; /* owned */
        struct hot__waybill bill;
        struct hot__buffer *input;   /* owned: what was read and not looked at; NULL: nothing */
        struct hot__bytes output;    /* to be written before anything else */
        struct hot__bytes transport; /* what its transport has to say of itself */
        struct hot__bytes state;     /* what its kind has */
        void *guest;                 /* owned: what is above it, once it was admitted; see move.h */
        bool refused;                /* it came back: not to the same generation again */
        bool adopted;                /* its giver may hold a copy */
};

/* What it is for the core: lent, from the passage and @scratch, until that is used again. Returns 0 or -ENOMEM. */
int hot__passage_describe(const struct hot__passage *passage, struct hot__bytes *scratch,
                          struct hot_connection *ret);

/* The other way round, but for the descriptor. Returns 0, or why it cannot be taken: -EPROTONOSUPPORT (a kind or
 * version that is not known), -EPROTO (it makes no sense) or -ENOMEM. */
int hot__passage_read(struct hot__passage *ret, const struct hot_connection *connection);

/* All of it, the descriptor too. */
void hot__passage_done(struct hot__passage *passage);

#endif
