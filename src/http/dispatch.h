/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_DISPATCH_H
#define HOT_HTTP_DISPATCH_H

/*
 * From the complete request to its handler, whatever protocol it came by. What the response becomes on the
 * wire is the protocol's: answer.c for HTTP/1.
 */

struct hot__connection;
struct hot__exchange;

#include <stdbool.h>

enum hot__dispatched {
        HOT__DISPATCHED_ANSWERED, /* the response can be sent */
        HOT__DISPATCHED_WAITS,    /* a blocking handler has it: hot__connection_posted() follows */
};

/*
 * The head is complete: find who will answer. Returns whether the body goes to its handler as it arrives:
 * then hot__dispatch() comes at once, and what arrives goes through exchange->request.stream (body.h).
 */
bool hot__dispatch_head(struct hot__exchange *exchange);

/* Have the request of @exchange answered by the handler of its route, or by an error of ours. */
enum hot__dispatched hot__dispatch(struct hot__exchange *exchange,
                                   struct hot__connection *connection);

/*
 * The exchange is over for its connection: @error is 0 after a complete response, else why it was not. If a
 * handler still has it, it goes on alone and learns of it with its next piece.
 *
 * Ownership: takes the exchange. Accepts NULL.
 */
void hot__dispatch_end(struct hot__exchange *exchange, int error);

#endif
