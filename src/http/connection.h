/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_CONNECTION_H
#define HOT_HTTP_CONNECTION_H

/*
 * One connection, a state machine driven by what arrives, what could be sent, handlers that return, and
 * deadlines. Between requests it is {descriptor, unread input} and nothing else.
 *
 *        FRESH --byte--> HEAD --complete--> BODY --complete--> (handler)
 *                         ^  \--refused--.                        |
 *                         |               \          HANDLING <---+ blocking
 *        IDLE --byte------+                \            |         | inline
 *         ^                                 v           v         v
 *         +------------- keep-alive ------ SENDING <----+---------+--> STREAMING
 *                                            |
 *                                            +-- close --> LINGER --> gone
 *
 * With TLS there is a HANDSHAKE before FRESH. HTTP/2, agreed on there or begun with its preface, has a
 * state of its own, and streams.
 *
 * What it does in a state is told where that is at home: opening, reading, receive, answer, upgraded, linger,
 * http2.
 * What happens to it while it waits comes from input, timeout and parting. While another generation serves it may
 * leave for that one in any state in which it can be taken apart: see move/.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "deadline.h"
#include "head.h"
#include "loop.h"
#include "peer.h"
#include "server.h"
#include "transport.h"
#include "worker.h"

struct hot__exchange;
struct hot__http2;
struct hot__worker;

enum hot__connection_state {
        HOT__CONNECTION_HANDSHAKE, /* of TLS */
        HOT__CONNECTION_FRESH,
        HOT__CONNECTION_IDLE,
        HOT__CONNECTION_HEAD,
        HOT__CONNECTION_CONTINUE, /* sends 100, then BODY */
        HOT__CONNECTION_BODY,
        HOT__CONNECTION_HANDLING,
        HOT__CONNECTION_SENDING,
        HOT__CONNECTION_STREAMING,
        HOT__CONNECTION_HTTP2, /* all the way, until LINGER */
        HOT__CONNECTION_WEBSOCKET,
        HOT__CONNECTION_TUNNEL,
        HOT__CONNECTION_LINGER,
};

_Static_assert(HOT__CONNECTION_LINGER < HOT__N_CONNECTION_STATES, "worker.h counts them");

/* What a connection does next. */
enum hot__step {
        HOT__STEP_WAIT,   /* until something happens */
        HOT__STEP_AGAIN,  /* its state has changed: go on */
        HOT__STEP_LINGER, /* the response is complete and was the last */
        HOT__STEP_CUT,    /* it is broken, or has nothing to wait for: close it */
        HOT__STEP_GONE,   /* it is no longer here */
};

struct hot__connection {
        struct hot__watch watch;
        struct hot__transport transport;
        struct hot__worker *worker;
        struct hot__connection *prev, *next; /* the worker's roster */
        enum hot__connection_state state;
        struct hot__deadline deadline;
        struct hot__buffer *in; /* unread input, NULL if there is none */
        struct hot__head head;  /* how far it was looked at */
        struct hot__exchange *exchange;
        struct hot__http2 *http2; /* owned; NULL: HTTP/1 */
        struct {
                const char *data; /* lent by the exchange */
                size_t len;
        } out[2];
        uint64_t began;   /* when the first byte of the request came, ms */
        size_t discarded; /* while it lingers */
        bool input_ended; /* the peer sends no more */
        bool took_all;    /* in this turn, by its last read: what had come */
        bool deaf;        /* or nobody can read it any more; the peer is there, and reads */
        bool blocked;     /* waits until it can be written to */
        bool closes;      /* after this response */
        bool refused;     /* one too many */
        uint8_t counted;  /* 1 + the state it is counted under; 0: under none */
        struct hot__peer peer;
        bool spoken;    /* it is not HTTP/2 without TLS */
        bool watched;   /* it had to wait: .watch has begun */
        bool adopted;   /* it came from another generation, which may hold a copy */
        uint8_t stuck;  /* an enum hot__pin that stays, or HOT__PIN_NOT */
        uint8_t pinned; /* the enum hot__pin it is counted under */
};

/* What a connection begins with. */
struct hot__accepted {
        int fd;
        struct hot__peer peer;
        bool tls;
        bool refused; /* one too many, gets a 503 */
        bool eager;   /* its request may be here already: look, and answer it */
};

/* Take over an accepted descriptor, always. */
void hot__connection_take(struct hot__worker *worker, const struct hot__accepted *accepted);

/* The handler of its exchange has a piece of a stream, or has returned. */
void hot__connection_posted(struct hot__connection *connection, struct hot__exchange *exchange);

struct hot__connection *hot__connection_of_deadline(struct hot__deadline *deadline);

/* For what drives it: go on with @step until there is nothing to do but wait, and say for what. The
 * connection may be gone after it. */
void hot__connection_advance(struct hot__connection *connection, enum hot__step step);

/* It is gone from here, and its memory too, but not closed: given to the caller is its descriptor, and what was
 * read from it and not looked at (NULL: nothing). It has no exchange. */
void hot__connection_give(struct hot__connection *connection, int *ret_fd,
                          struct hot__buffer **ret_input);

/* It came to nothing: free it. It has no descriptor. Accepts NULL. */
void hot__connection_drop(struct hot__connection *connection);

/* Close it, whatever it does; whoever has its exchange learns of @error. */
void hot__connection_close(struct hot__connection *connection, int error);
void hot__connection_cut(struct hot__connection *connection);

static inline uint64_t hot__connection_now(const struct hot__connection *connection)
{
        return hot__loop_now(&connection->worker->loop);
}

static inline const struct hot__limits *
hot__connection_limits(const struct hot__connection *connection)
{
        return &connection->worker->server->limits;
}

static inline void hot__connection_set_deadline(struct hot__connection *connection,
                                                enum hot__deadline_kind kind, uint64_t at)
{
        hot__worker_set_deadline(connection->worker, &connection->deadline, kind, at);
}

#endif
