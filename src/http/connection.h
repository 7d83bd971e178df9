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
 * state of its own, and streams. LINGER has said that no more will come (half-close) and reads to the
 * peer's end: close(2) with unread input resets the connection, and destroys a response that was on its
 * way. A client that has said "close" itself, behind a request without content, and of which nothing
 * more has come, needs none of that: it is gone at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "deadline.h"
#include "head.h"
#include "loop.h"
#include "peer.h"
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
        HOT__CONNECTION_LINGER,
};

_Static_assert(HOT__CONNECTION_LINGER < HOT__N_CONNECTION_STATES, "worker.h counts them");

struct hot__connection {
        struct hot__watch watch;
        struct hot__transport transport;
        struct hot__worker *worker;
        struct hot__connection *prev, *next; /* the worker's list */
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
        bool blocked;     /* waits until it can be written to */
        bool closes;      /* after this response */
        bool refused;     /* one too many */
        uint8_t counted;  /* 1 + the state it is counted under; 0: under none */
        struct hot__peer peer;
        bool spoken;  /* it is not HTTP/2 without TLS */
        bool watched; /* it had to wait: .watch has begun */
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

void hot__connection_timed_out(struct hot__connection *connection);
struct hot__connection *hot__connection_of_deadline(struct hot__deadline *deadline);

/* The server stops: what is between requests ends now, what has just come gets a short grace. */
void hot__connection_stop(struct hot__connection *connection);

/* Another generation serves: begin to leave, where the protocol has a word for that. */
void hot__connection_drain(struct hot__connection *connection);

/* End it if it is between requests. */
void hot__connection_end_politely(struct hot__connection *connection);

/* Close it, whatever it does. */
void hot__connection_cut(struct hot__connection *connection);

#endif
