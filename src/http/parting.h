/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PARTING_H
#define HOT_HTTP_PARTING_H

/*
 * When a connection ends because we want it to, and not its peer: never in the middle of a request. The
 * connection may be gone after each of these.
 */

#include "connection.h"

/* Another generation serves: begin to leave, where the protocol has a word for that. */
void hot__parting_begin(struct hot__connection *connection);

/* The server stops: what is between requests ends now, what has just come gets a short grace. */
void hot__parting_stop(struct hot__connection *connection);

/* End it if it is between requests, or would have no end. */
void hot__parting_idle(struct hot__connection *connection);

#endif
