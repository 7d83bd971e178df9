/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_WEBSOCKET_KEY_H
#define HOT_HTTP_WEBSOCKET_KEY_H

/* The two words by which both sides of a WebSocket know that the other one means it (RFC 6455 section 4). */

#include <stdbool.h>

#define HOT__WEBSOCKET_ACCEPT_SIZE 29

/* Is it 16 bytes in base64? */
bool hot__websocket_key_is_valid(const char *key);

/* What a server answers to it. Returns 0 or -EIO. */
int hot__websocket_key_answer(const char *key, char accept[HOT__WEBSOCKET_ACCEPT_SIZE]);

#endif
