/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PIN_H
#define HOT_HTTP_PIN_H

/*
 * Why a connection stays with its generation while that one drains. Each reason has a name, under which its
 * connections are counted ("pinned-tls"): an operator sees what keeps an old process. Pure.
 *
 * Some pass: a request is answered, a message complete. Others stay until the connection ends.
 */

#include <stdbool.h>

enum hot__pin {
        HOT__PIN_NOT,           /* it can move now */
        HOT__PIN_TLS,           /* its keys are in this process: the kernel has no TLS for it */
        HOT__PIN_TLS_HANDSHAKE, /* passes: one is under way */
        HOT__PIN_TLS_BUFFERED,  /* passes: a part of a record has come, or has been sent */
        HOT__PIN_TLS_CIPHER,    /* the kernel has TLS, but not with this cipher */
        HOT__PIN_TLS_RECORDS,   /* records of another kind were agreed on: short, compressed */
        HOT__PIN_TLS_SECRETS,   /* OpenSSL did not tell the keys */
        HOT__PIN_TLS_FACTS,     /* what would have to travel with it is too long */
        HOT__PIN_KEY_UPDATE, /* its client changed keys after a move: it ended for that; all such are counted */
        HOT__PIN_HTTP2,
        HOT__PIN_REQUEST, /* passes: a request whose head is complete is being answered */
        HOT__PIN_MESSAGE, /* passes: one of a WebSocket that closes, or whose message has too many pieces */
        HOT__PIN_WEBSOCKET, /* its handler cannot say what it is like */
        HOT__PIN_STREAM,    /* a response without an end, of a handler that cannot either */
        HOT__PIN_TUNNEL,
        HOT__PIN_LEAVING,   /* passes, with the connection: nothing but its end is waited for */
        HOT__PIN_REFUSED,   /* the generation that serves did not take it */
        HOT__PIN_SUCCESSOR, /* the generation that serves takes none */
        HOT__PIN_MEMORY,
        HOT__N_PINS,
};

/* "tls". "?" for a number that is none. */
const char *hot__pin_name(enum hot__pin pin);

/* Does it go away by itself? Then the connection moves as soon as it has. */
bool hot__pin_passes(enum hot__pin pin);

#endif
