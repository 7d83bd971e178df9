/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_WORKER_H
#define HOT_HTTP_WORKER_H

/*
 * One loop's share of the server: its thread, its acceptors, its connections. Everything in it belongs to
 * its thread, except the letter box, through which orders and finished handlers arrive.
 *
 * Orders say what should be, not what to do: the last one counts, and each is confirmed once the loop is
 * as it says. "Accept nothing" is confirmed when no epoll of this loop holds a listener any more.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "acceptor.h"
#include "buffer.h"
#include "bytes.h"
#include "crate.h"
#include "date.h"
#include "deadline.h"
#include "loop.h"
#include "mover.h"
#include "roster.h"

struct hot__connection;
struct hot__exchange;
struct hot__metrics_part;
struct hot_http;

/* As many as enum hot__connection_state has, which needs this header. */
#define HOT__N_CONNECTION_STATES 16

enum hot__drain {
        HOT__DRAIN_NO,
        HOT__DRAIN_SUCCEEDED, /* another generation serves: connections move there, or end at their next response */
        HOT__DRAIN_STOP, /* nobody will: idle ones end now */
};

struct hot__order {
        uint64_t number; /* ascending */
        bool accept;
        bool leftovers; /* accept, but only from what the next generation has not taken */
        enum hot__drain drain;
        uint64_t heir;     /* the generation that serves while we drain */
        uint64_t drain_by; /* CLOCK_MONOTONIC, ms */
        bool end;          /* cut everything off and end the loop */
};

struct hot__worker {
        struct hot__loop loop;
        struct hot_http *server;
        pthread_t thread;

        pthread_mutex_t lock; /* of the letter box: the next seven */
        struct hot__order order;
        struct hot__exchange *posted, **posted_end; /* each once, whatever its letters */
        struct hot__crates brought;                 /* connections that go on here */
        struct hot__crates given; /* the first worker's: connections that leave this process */
        bool closed;              /* nothing is read from it any more */
        bool held;                /* we keep the drain from ending: hot_hold() */

        struct hot__order now; /* what the loop is like */
        struct hot__acceptor *acceptors;
        size_t n_acceptors;
        uint64_t retry_at;       /* paused acceptors */
        uint64_t shortage_until; /* of descriptors to accept with; 0: there is none */
        uint64_t polite_at;      /* before the drain deadline: idle connections end */
        bool polite;             /* that moment has come: what falls idle ends */
        uint64_t leave_at;       /* some of those that stay, and are idle, end; see leave_some() */
        struct hot__roster roster;
        struct hot__mover mover;
        uint64_t n_requests;
        uint64_t seed;                     /* of their ids */
        struct hot__bytes access;          /* lines of the access log of this turn */
        struct hot__metrics_part *metrics; /* NULL: nobody asks */
        atomic_uint_least32_t
                by_state[HOT__N_CONNECTION_STATES]; /* connections, when last looked at */
        uint64_t stop_at;                           /* the first worker's: see hot__duty_stop() */
        size_t n_detached; /* exchanges whose connection died while their handler ran */
        struct hot__deadlines deadlines;
        struct hot__deadline *beside; /* where the next one is likely to belong; NULL: last */
        struct hot__exchange *spare;
        size_t n_spare;
        struct hot__buffers buffers;
        struct hot__date date;
};

/* Returns 0 or a negative errno. */
int hot__worker_init(struct hot__worker *worker, struct hot_http *server);

/* Free what is left after its loop has ended. Handlers that still run may post to it until the server is
 * freed: the letter box stays. */
void hot__worker_done(struct hot__worker *worker);

/* The letter box itself, when nobody can post any more. */
void hot__worker_destroy(struct hot__worker *worker);

/* Thread-safe. */
void hot__worker_order(struct hot__worker *worker, const struct hot__order *order);

/* Thread-safe. Returns false if the loop reads no more: the exchange stays the caller's. */
bool hot__worker_post(struct hot__worker *worker, struct hot__exchange *exchange,
                      unsigned int letter);

/* Is there a letter about it that was not taken yet? */
bool hot__worker_is_posted(struct hot__worker *worker, const struct hot__exchange *exchange);

/* An exchange for the next request, or NULL. Back to the spare ones when it is over. */
struct hot__exchange *hot__worker_take_exchange(struct hot__worker *worker);
void hot__worker_recycle(struct hot__worker *worker, struct hot__exchange *exchange);

/* Set a connection's deadline, @ms from now. */
void hot__worker_set_deadline(struct hot__worker *worker, struct hot__deadline *deadline,
                              enum hot__deadline_kind kind, uint64_t at);

/* Thread-safe: connections for this worker, or, to the first one, such that leave. Ownership: takes them. */
void hot__worker_bring(struct hot__worker *worker, struct hot__crates *crates);
void hot__worker_give(struct hot__worker *worker, struct hot__crate *crate);

/* Thread-safe: there may be something to do. */
void hot__worker_wake(struct hot__worker *worker);

/* Keep a drain from ending until this worker has no connections. */
void hot__worker_hold(struct hot__worker *worker);

/* A connection or a detached exchange is gone: is the drain complete? */
void hot__worker_check_drained(struct hot__worker *worker);

#endif
