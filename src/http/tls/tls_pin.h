/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_PIN_H
#define HOT_HTTP_TLS_PIN_H

/*
 * Why a connection with TLS stays in its generation: it is pinned. Some reasons pass, and it is asked again when
 * it is idle the next time; others hold as long as the connection.
 */

#include <stdbool.h>

enum hot__tls_pin {
        HOT__TLS_PIN_NONE, /* it can go */

        /* for now */
        HOT__TLS_PIN_HANDSHAKE, /* its first one, or a message of a later one is half done */
        HOT__TLS_PIN_BUFFERED,  /* a part of a record has come, or has been sent */

        /* for good */
        HOT__TLS_PIN_ENDING,     /* one side has said that no more comes, or it broke */
        HOT__TLS_PIN_NO_KERNEL,  /* the kernel has no TLS for this socket */
        HOT__TLS_PIN_CIPHER,     /* it has, but not with this cipher */
        HOT__TLS_PIN_RECORDS,    /* records of another kind were agreed on: short, compressed */
        HOT__TLS_PIN_SECRETS,    /* OpenSSL did not tell the keys */
        HOT__TLS_PIN_KEY_UPDATE, /* the client changed its keys after a move: it ends */
        HOT__TLS_PIN_FACTS,      /* what would have to travel with it is too long */

        HOT__N_TLS_PINS,
};

/* In a word, for counters and logs ("key-update"). */
const char *hot__tls_pin_name(enum hot__tls_pin pin);

/* Is it only so for now? */
bool hot__tls_pin_passes(enum hot__tls_pin pin);

#endif
