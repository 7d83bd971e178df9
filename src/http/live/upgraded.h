/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_UPGRADED_H
#define HOT_HTTP_UPGRADED_H

/*
 * The work of a connection that has become something else: a WebSocket or a tunnel. It keeps its exchange, whose
 * letters tell the loop that there is something to send.
 */

#include "connection.h"

/* The response that says so was sent. */
enum hot__step hot__upgraded_begin(struct hot__connection *connection);

/* In WEBSOCKET and TUNNEL. */
enum hot__step hot__upgraded_websocket(struct hot__connection *connection);
enum hot__step hot__upgraded_tunnel(struct hot__connection *connection);

/* In WEBSOCKET, when nothing has come for too long. */
enum hot__step hot__upgraded_silence(struct hot__connection *connection);

/* The server goes: say so. */
void hot__upgraded_leave(struct hot__connection *connection);

#endif
