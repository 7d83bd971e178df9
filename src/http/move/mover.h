/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_MOVER_H
#define HOT_HTTP_MOVER_H

/*
 * A loop's share of moving its connections to the next generation, and of taking those that come. On its thread.
 *
 * While we drain it goes through its connections, a few each millisecond, and takes apart what can move now. What
 * falls idle meanwhile goes at once. Nothing is taken apart without a credit of the giver's, who knows how many the
 * next generation has room for: all the rest is served here. What finds no credit is looked at again when there
 * are some.
 *
 * What cannot move is counted under its reason.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pace.h"
#include "pin.h"

struct hot__connection;
struct hot__crate;
struct hot__crates;
struct hot__worker;

struct hot__mover {
        struct hot__pace pace;
        struct hot__crate *out; /* owned: leaves at the end of this turn; NULL: nothing does */
        bool on;                /* we drain */
        bool looking;           /* there are connections that were not looked at */
        bool missed;            /* one that could move did not: another round */
        uint64_t at;            /* go on looking; UINT64_MAX: when there are credits */
};

void hot__mover_init(struct hot__mover *mover, unsigned int per_ms, unsigned int loops);
void hot__mover_done(struct hot__mover *mover);

/* Another generation serves, and may take connections; @again: another one than before. Or we serve, or stop. */
void hot__mover_begin(struct hot__worker *worker, bool again);
void hot__mover_end(struct hot__worker *worker);

/* Go on looking: there may be credits, or time has passed. */
void hot__mover_look(struct hot__worker *worker);

/* At the end of a turn of the loop: what was taken apart leaves. */
void hot__mover_turn(struct hot__worker *worker);

/* Take this connection apart if it can move now. Returns false if it is still here. */
bool hot__mover_take(struct hot__connection *connection);

/* Is it going to move when its response is complete? */
bool hot__mover_keeps(const struct hot__connection *connection);

/* It is not here any more: it is counted no longer. */
void hot__mover_forget(struct hot__connection *connection);

/* Connections that came, from another generation or back. Ownership: takes the crates. */
void hot__mover_adopt(struct hot__worker *worker, struct hot__crates *crates);

#endif
