/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_DEADLINE_H
#define HOT_HTTP_DEADLINE_H

/*
 * Deadlines of many connections. One queue for each kind: of one kind nearly all have the same duration,
 * so that a new one belongs at the end, and setting costs the same whatever their number. Pure.
 */

#include <stdint.h>

enum hot__deadline_kind {
        HOT__DEADLINE_FIRST,   /* the first byte of a connection's first request */
        HOT__DEADLINE_HEAD,    /* a head that has begun */
        HOT__DEADLINE_BODY,    /* a request whose head is complete */
        HOT__DEADLINE_HANDLER, /* the beginning of a response */
        HOT__DEADLINE_WRITE,   /* progress of a response */
        HOT__DEADLINE_IDLE,    /* the next request */
        HOT__DEADLINE_SILENCE, /* of a WebSocket */
        HOT__DEADLINE_LINGER,  /* the peer's end */
        HOT__N_DEADLINES,
};

struct hot__deadline {
        struct hot__deadline *prev, *next; /* NULL when not set */
        uint64_t at;
        enum hot__deadline_kind kind;
};

struct hot__deadlines {
        struct hot__deadline queue[HOT__N_DEADLINES]; /* heads of rings */
};

void hot__deadlines_init(struct hot__deadlines *deadlines);

/* Set, or set anew. @deadline is zeroed before its first use. */
void hot__deadline_set(struct hot__deadlines *deadlines, struct hot__deadline *deadline,
                       enum hot__deadline_kind kind, uint64_t at);

/* The same, with the search for its place beginning at @beside (may be NULL, and of another kind). */
void hot__deadline_set_beside(struct hot__deadlines *deadlines, struct hot__deadline *deadline,
                              enum hot__deadline_kind kind, uint64_t at,
                              struct hot__deadline *beside);

void hot__deadline_clear(struct hot__deadline *deadline);

/* The earliest, UINT64_MAX if there is none. */
uint64_t hot__deadlines_next(const struct hot__deadlines *deadlines);

/* One that has passed at @now, cleared; or NULL. */
struct hot__deadline *hot__deadlines_passed(struct hot__deadlines *deadlines, uint64_t now);

/* The same of one kind. */
struct hot__deadline *hot__deadlines_passed_of(struct hot__deadlines *deadlines,
                                               enum hot__deadline_kind kind, uint64_t now);

#endif
