/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_MOVE_H
#define HOT_HTTP_TLS_MOVE_H

/*
 * A connection with TLS on its way to the next generation: OpenSSL lets go of it, the kernel takes over the
 * records, and the descriptor carries the session with it.
 *
 *      hot__tls_session_pin()        may it go now, and if not, why
 *      hot__tls_session_to_kernel()  from here on it lives over the kernel, wherever it is
 *      hot__tls_facts_encode()       what has to travel beside the descriptor
 *      hot__tls_session_adopt()      the same connection, in whoever got both
 *
 * A session over the kernel is a struct hot__tls_session as any other: transport.h does not tell them apart.
 * It can go on where it is (the other side refused it), and can move again as it is. It is never unread in
 * user space, so between two requests nothing but .in of the connection has to go with it.
 *
 * docs/design/kernel-tls.md says how the keys come to the kernel.
 */

#include <stdbool.h>
#include <stddef.h>

#include "tls_session.h"

/* Why a connection stays. */
enum hot__tls_pin {
        HOT__TLS_PIN_NONE, /* it can go */

        /* for now: ask again when it is idle the next time */
        HOT__TLS_PIN_HANDSHAKE, /* of its beginning or later: a message is half done */
        HOT__TLS_PIN_BUFFERED,  /* a part of a record has come, or has been sent */
        HOT__TLS_PIN_ENDING,    /* one side has said that no more comes, or the connection broke */

        /* for good */
        HOT__TLS_PIN_NO_KERNEL,  /* the kernel has no TLS for this socket */
        HOT__TLS_PIN_CIPHER,     /* it has, but not this cipher */
        HOT__TLS_PIN_RECORDS,    /* the client was promised records of another kind: short, compressed */
        HOT__TLS_PIN_SECRETS,    /* OpenSSL did not tell the keys: the host took its callback */
        HOT__TLS_PIN_KEY_UPDATE, /* the client changed its keys after the move: the connection ends */
        HOT__TLS_PIN_FACTS,      /* what would have to travel with it is too long */

        HOT__N_TLS_PINS,
};

/* In a word, for counters and logs ("handshake", "cipher"). */
const char *hot__tls_pin_name(enum hot__tls_pin pin);

/* Is it only so for now? */
bool hot__tls_pin_passes(enum hot__tls_pin pin);

/* May the session be taken off OpenSSL now? A session over the kernel may always go. */
enum hot__tls_pin hot__tls_session_pin(const struct hot__tls_session *session);

/*
 * Give the records to the kernel. hot__tls_session_pin() has just said HOT__TLS_PIN_NONE; nothing is done if
 * it is over the kernel already. Returns 0; -EAGAIN if the kernel cannot take it: nothing has changed, and
 * hot__tls_session_pin() knows why from now on; another negative errno if the connection can only end.
 */
int hot__tls_session_to_kernel(struct hot__tls_session *session);

/* What a handler may ask about the session, as bytes. Returns their number, or -ENOSPC. */
#define HOT__TLS_FACTS_MAX 4096
ssize_t hot__tls_facts_encode(const struct hot__tls_facts *facts, void *bytes, size_t size);

/*
 * The session on a descriptor (borrowed) that came with these bytes: its records are the kernel's already.
 * Returns 0, -EPROTO (these are no facts, or the descriptor has no TLS), or -ENOMEM.
 */
int hot__tls_session_adopt(int fd, const void *bytes, size_t len,
                           struct hot__tls_session **ret_session);

#endif
