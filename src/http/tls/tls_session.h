/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_SESSION_H
#define HOT_HTTP_TLS_SESSION_H

/*
 * TLS on one connection. It never waits: what cannot be done now is -EAGAIN. Decrypted bytes may be in it that
 * no poll of the descriptor tells of (hot__tls_session_holds_input()).
 *
 * It begins with OpenSSL. Where the kernel has TLS it can go on with that (tls_move), and then be passed to
 * another process with the descriptor. The descriptor is not its own.
 */

#include <stdbool.h>
#include <sys/types.h>

#include <openssl/ssl.h>

#include "ktls_session.h"
#include "pin.h"
#include "tls_bio.h"
#include "tls_facts.h"

struct hot__tls_ledger;
struct hot__tls;
struct hot__tls_contexts;

struct hot__tls_session {
        SSL *ssl;                           /* NULL: its records are the kernel's */
        struct hot__tls *tls;               /* NULL as well if it came from another process */
        struct hot__tls_contexts *contexts; /* a reference, or NULL */
        struct hot__tls_facts *facts;       /* NULL until the handshake is complete */
        struct hot__tls_wire wire;          /* what OpenSSL reads and writes */
        struct hot__tls_ledger *ledger;     /* owned; NULL: the kernel has no TLS */
        struct hot__ktls_session kernel;
        enum hot__pin pin; /* why the kernel did not take it */
        bool broken;       /* nothing can be sent any more, not even the end */
};

/* Returns the session of an accepted @fd (borrowed), or NULL. */
struct hot__tls_session *hot__tls_session_new(struct hot__tls *tls, int fd);

/* Accepts NULL. */
void hot__tls_session_free(struct hot__tls_session *session);

/*
 * Go on with the handshake. Returns 0 when it is complete; -EAGAIN, with HOT__READABLE or HOT__WRITABLE in
 * *ret_wants; -EPROTONOSUPPORT if the client speaks HTTP without TLS; another negative errno if it failed.
 */
int hot__tls_session_handshake(struct hot__tls_session *session, int *ret_wants);

/* Did the two agree on HTTP/2? */
bool hot__tls_session_is_http2(const struct hot__tls_session *session);

/* Returns the bytes read, 0 at the peer's end, -EKEYEXPIRED (the peer goes on with keys that the kernel has not:
 * there is nothing to do but finish), or another negative errno. */
ssize_t hot__tls_session_read(struct hot__tls_session *session, void *buffer, size_t size);

/* Has that read taken all that had come to the descriptor, if it is a TCP socket? The kernel's TLS gives a record at a
 * time, and does not say. */
bool hot__tls_session_took_all(const struct hot__tls_session *session);

/* @more: other bytes follow at once. After -EAGAIN the same bytes have to be sent first. */
ssize_t hot__tls_session_send(struct hot__tls_session *session, const void *data, size_t len,
                              bool more);

/* As hot__socket_send_file(), and -EOPNOTSUPP: the bytes have to be read and sent. */
ssize_t hot__tls_session_send_file(struct hot__tls_session *session, int file, off_t *offset,
                                   size_t len);

/* Are there bytes that were read from the descriptor and not yet from here? */
bool hot__tls_session_holds_input(const struct hot__tls_session *session);

/* These, or others that have arrived? */
bool hot__tls_session_has_input(const struct hot__tls_session *session);

/* Throw away what the peer still sends, behind finish(). Returns as hot__tls_session_read(). */
ssize_t hot__tls_session_discard(struct hot__tls_session *session, void *buffer, size_t size);

/* Tell the peer that no more comes. Returns 0 or -EAGAIN. */
int hot__tls_session_finish(struct hot__tls_session *session);

#endif
