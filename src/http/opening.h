/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_OPENING_H
#define HOT_HTTP_OPENING_H

/*
 * How a connection begins, and which protocol it is going to speak. With TLS the handshake decides that
 * (ALPN); without it a client that knows us to speak HTTP/2 says so by its first bytes, which are no HTTP/1.
 */

#include "answer.h"

/* It was accepted, or has its TLS: nothing of HTTP has come yet. */
enum hot__step hot__opening_begin(struct hot__connection *connection);

/* In HANDSHAKE. */
enum hot__step hot__opening_handshake(struct hot__connection *connection);

/* Are its first bytes those of HTTP/2, as far as they have come? Not asked again once they are not. */
bool hot__opening_is_preface(struct hot__connection *connection);

/* They are: begin with HTTP/2 when they are complete. */
enum hot__step hot__opening_preface(struct hot__connection *connection);

#endif
