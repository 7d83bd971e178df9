/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_RECEIVE_H
#define HOT_HTTP_RECEIVE_H

/*
 * A body that goes to its handler as it arrives: a connection then receives and answers at the same time,
 * whatever its state says about the answer. Its sender has read_ms, and what it sends earns it more time at
 * read_rate; while the handler does not read, it is the server that keeps the client waiting, and no time
 * passes.
 */

#include "answer.h"

/* The head is complete: start the handler. */
enum hot__step hot__receive_begin(struct hot__connection *connection);

/* Is there something of a body for its handler, and room for it? */
bool hot__receive_is_due(const struct hot__connection *connection);

/* Pass it on. */
enum hot__step hot__receive(struct hot__connection *connection);

#endif
