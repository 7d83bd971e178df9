/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CONNECTION_H
#define HOT_VERIFY_CONNECTION_H

/*
 * A client: one connection at a time, and on it one batch of requests at a time.
 *
 *      CLOSED -> CONNECTING -> BUSY -> IDLE -> BUSY …      and from everywhere back to CLOSED
 *                                   -> LISTENING           to a stream of events, which has no end of its own
 *
 * A request begins only when the client's timer says that it is due, and ends in exactly one
 * record. Nothing is ever sent twice: the one request that moves to another connection is one of
 * which the kernel took no byte, because the connection had been closed while idle.
 *
 * The socket is watched edge-triggered. A short read means that the kernel has no more (epoll(7)),
 * unless the peer has hung up: then it is read to the end, so that a close which is there is also
 * seen.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox.h"
#include "outgoing.h"
#include "payload.h"
#include "profile.h"
#include "response.h"
#include "tally.h"
#include "target.h"
#include "timers.h"
#include "transport.h"

/* Who wants to hear. Members may be NULL. */
struct hot__observer {
        void (*record)(void *data, const struct hot__record *record);
        void (*generation)(void *data, const struct hot__generation *generation);
        void (*ready)(void *data); /* every client is under way */
        void (*reconnect)(void *data, size_t profile, enum hot__reconnect kind);
        void *data;
};

/* What the connections of a run share. */
struct hot__traffic {
        int epoll_fd;
        struct hot__target target;
        SSL_CTX *tls; /* NULL: plain */
        struct hot__timers timers;
        struct hot__tally tally;
        struct hot__observer observer;
        char *scratch; /* of HOT__SCRATCH_SIZE, for one read or write */
        uint64_t n_connections, n_requests;
        size_t n_active;  /* clients that are not finished */
        size_t n_waiting; /* clients that are not under way yet */
        unsigned short random[3];
        uint64_t horizon; /* timers up to here fire in this turn */
        bool stopping;
        int error; /* what ended the run, negative */
};

#define HOT__SCRATCH_SIZE ((size_t)65536)

enum hot__connection_state {
        HOT__CONNECTION_CLOSED,
        HOT__CONNECTION_CONNECTING,
        HOT__CONNECTION_BUSY,
        HOT__CONNECTION_IDLE,
        HOT__CONNECTION_LISTENING,
        HOT__CONNECTION_FINISHED,
};

/* A request under way. */
struct hot__request {
        uint64_t due, sent, first_byte;
        uint64_t number; /* of a message or an event; 0: it has none */
        size_t under;
};

struct hot__speech;

struct hot__connection {
        struct hot__traffic *traffic;
        const struct hot__speech *speech;
        const struct hot__profile *profile;
        size_t profile_index;
        unsigned int client;
        const char *head; /* of one batch, lent */
        size_t head_size; /* of one request in it */

        enum hot__connection_state state;
        int fd;
        SSL *tls;         /* owned; NULL: plain */
        bool handshaking; /* CONNECTING: connected, and TLS is being agreed on */
        uint64_t number, connect;
        bool readable, writable, hung_up;
        bool backlog_full;        /* CONNECTING: connect(2) must be called again */
        bool connected, answered; /* answered: it has carried a complete answer */

        struct hot__request batch[HOT__DEPTH_MAX];
        unsigned int n_batch, n_ended; /* the first n_ended of them are over */
        struct hot__outgoing outgoing;
        struct hot__outbox outbox; /* of the speeches that write through it */
        void *session;             /* the speech's; NULL: none, or it has none */
        uint64_t serial;           /* of the last message that was sent, over all connections */
        uint64_t last_id;          /* EVENTS: the last one that came */
        bool has_last_id;
        struct hot__payload_check check;
        struct hot__response response; /* of batch[n_ended] */
        size_t answered_by;            /* who gives it, position; 0: not known (yet) */
        bool identified;
        bool cut; /* an answer of this batch was: what waits behind it is lost by the same cut */

        uint64_t deadline;          /* of what is under way */
        uint64_t write_at, read_at; /* pacing: not before */
        size_t piece_left;          /* to read until the next pause */
        uint64_t n_begun;           /* requests of this client */
        bool under_way, suffered;   /* suffered: its last request failed */
        struct hot__timer timer;
};

/* The client's first request is due at @now. */
void hot__connection_start(struct hot__connection *connection, uint64_t now);

/* epoll(7) reported @events. */
void hot__connection_event(struct hot__connection *connection, uint32_t events);

/* Its timer is over. Everything that the kernel had at @asked has been reported before. */
void hot__connection_timer(struct hot__connection *connection, uint64_t asked);

/* The run is stopping: finish now, unless a request is under way. */
void hot__connection_stop(struct hot__connection *connection);

/* If its request was due before @since and is still under way, it ends as at its deadline. */
void hot__connection_give_up(struct hot__connection *connection, uint64_t since);

/* Is a request of it under way? A stream that is listened to is none. */
bool hot__connection_is_busy(const struct hot__connection *connection);

/* Close what is open, without any record. */
void hot__connection_done(struct hot__connection *connection);

#endif
