/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_ANSWER_H
#define HOT_HTTP_ANSWER_H

/*
 * The second half of a connection's work: from the complete request to the last byte of its response.
 */

#include "connection.h"

/* Have the request of its exchange answered by the handler of its route, or refuse it. */
enum hot__step hot__answer_request(struct hot__connection *connection);

/* Answer with an error status and close after that. What the client has sent beyond is not looked at. */
enum hot__step hot__answer_refuse(struct hot__connection *connection, int status);

/*
 * Answer in place of the handler that has the exchange, and that learns of @error: what it waits for will not
 * come, or it has taken too long. If its own answer has begun it goes on, and the connection ends after it.
 */
enum hot__step hot__answer_instead(struct hot__connection *connection, int status, int error);

/* Set the deadline of what a handler does. */
void hot__answer_await(struct hot__connection *connection);

/* Send what is put together: AGAIN when all was taken. */
enum hot__step hot__answer_flush(struct hot__connection *connection);

/* In SENDING and STREAMING. */
enum hot__step hot__answer_send(struct hot__connection *connection);
enum hot__step hot__answer_stream(struct hot__connection *connection);

/* It takes nothing now: wait until it does, or write_ms are over. */
enum hot__step hot__answer_wait_writable(struct hot__connection *connection);

/* The response is complete. */
enum hot__step hot__answer_done(struct hot__connection *connection);

/* In STREAMING, when the producer has had nothing for as long as heartbeats are apart. */
enum hot__step hot__answer_beat(struct hot__connection *connection);

/* What hot__connection_posted() was told. */
enum hot__step hot__answer_posted(struct hot__connection *connection);

#endif
