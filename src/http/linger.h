/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_LINGER_H
#define HOT_HTTP_LINGER_H

/*
 * The end of a connection whose last response is complete. It has said that no more will come (half-close)
 * and reads to the peer's end: close(2) with unread input resets the connection, and destroys a response
 * that was on its way. A client that has said "close" itself, behind a request without content, and of which
 * nothing more has come, needs none of that: it is gone at once.
 */

#include "connection.h"

/* How long we wait for the peer's end. */
#define HOT__LINGER_MS 2000

/* Returns false if it is closed now. */
bool hot__linger_begin(struct hot__connection *connection);

/* In LINGER: its descriptor is ready. The connection may be gone after it. */
void hot__linger_ready(struct hot__connection *connection, int events);

#endif
