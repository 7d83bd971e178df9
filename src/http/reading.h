/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_READING_H
#define HOT_HTTP_READING_H

/*
 * A request of HTTP/1 on its way in: its head, our word that we want the body, the body. The head's strings
 * stay where they arrived; a body that is streamed is received, see receive.h.
 */

#include "connection.h"

/* In HEAD. */
enum hot__step hot__reading_head(struct hot__connection *connection);

/* In CONTINUE. */
enum hot__step hot__reading_continue(struct hot__connection *connection);

/* In BODY, when it is not streamed. */
enum hot__step hot__reading_body(struct hot__connection *connection);

#endif
