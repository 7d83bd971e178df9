/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_INPUT_H
#define HOT_HTTP_INPUT_H

/*
 * What a connection reads from its peer, and when it does: a connection that is not read from makes its peer
 * wait, which is all the back-pressure there is.
 */

#include "connection.h"

enum hot__arrived {
        HOT__ARRIVED_GONE, /* the connection is */
        HOT__ARRIVED_NOTHING,
        HOT__ARRIVED_SOMETHING, /* its end, perhaps */
};

static inline size_t hot__input_unread(const struct hot__connection *connection)
{
        return connection->in ? connection->in->end - connection->in->start : 0;
}

/* Has the descriptor to be watched for input? */
bool hot__input_is_wanted(const struct hot__connection *connection);

/* The same, and by hot__input_read(): a handshake reads for itself, and who leaves only throws away. */
bool hot__input_is_read(const struct hot__connection *connection);

/* Put bytes before what is unread. Returns 0 or -ENOMEM. */
int hot__input_prepend(struct hot__connection *connection, const void *bytes, size_t len);

/* Read once, behind what is unread. */
enum hot__arrived hot__input_read(struct hot__connection *connection);

#endif
