/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_SPEECH_H
#define HOT_VERIFY_SPEECH_H

/*
 * A speech: what a client talks on its connection, once there is one. connection.c opens, times and closes;
 * a speech moves the bytes between.
 *
 * A speech that has lost its connection says so once, by one of the functions below, and touches nothing
 * after that: its session is gone.
 */

#include "connection.h"

struct hot__speech {
        const char *alpn; /* what a server that speaks TLS is asked for; NULL: nothing */

        /* The batch of the connection is to be sent, on one that is new or was idle. State: BUSY. */
        void (*begin)(struct hot__connection *connection);

        /* Its socket has something, or takes something, or a pause of its own is over. BUSY or LISTENING. */
        void (*go_on)(struct hot__connection *connection);

        /* Its socket has something, or may have, although no request is under way. IDLE. */
        void (*look)(struct hot__connection *connection);

        /* The connection is about to be closed: say good-bye if that needs no waiting, and free the session. */
        void (*leave)(struct hot__connection *connection);

        /* Besides the deadline: when must it be looked at again? UINT64_MAX: no time of its own. NULL: never. */
        uint64_t (*wake)(const struct hot__connection *connection);
};

extern const struct hot__speech hot__speech_http1, hot__speech_http2, hot__speech_websocket,
        hot__speech_events;

/* ---- what connection.c does for them ---- */

/* Every request under way ends like this, and the connection with them; the client goes on when it may. */
void hot__connection_fail(struct hot__connection *connection, enum hot__ending ending, int error);

/* The connection cannot be kept, although the client would have liked to. No request is under way any more. */
void hot__connection_lose(struct hot__connection *connection, enum hot__reconnect kind);

/* The kernel had taken nothing of the batch: begin it on another connection. */
void hot__connection_reopen(struct hot__connection *connection);

/* The batch is over. The connection is kept if it is still there and the client keeps connections. */
void hot__connection_rest(struct hot__connection *connection);

/* ---- for those that write through the outbox ---- */

/*
 * Write what waits, as much as the kernel takes. What it takes no more of is read to the end: an answer may
 * still be there. Returns false if it was an error of our own, with which the connection is gone.
 */
bool hot__speech_flush(struct hot__connection *connection);

/*
 * One read into the traffic's scratch. Returns the number of bytes, 0 at the end of what comes (*ret_error:
 * 0 or an errno), or -EAGAIN.
 */
ssize_t hot__speech_read(struct hot__connection *connection, int *ret_error);

#endif
