/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_SESSION_H
#define HOT_HTTP_TLS_SESSION_H

/*
 * TLS on one connection. It never waits: what cannot be done now is -EAGAIN. Decrypted bytes may be in it that
 * no poll of the descriptor tells of (hot__tls_session_has_input()).
 *
 * The descriptor is not its own: a session can be taken off a connection, and with kernel TLS the connection
 * can go on without it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <openssl/ssl.h>

struct hot__tls;
struct hot__tls_contexts;

/* What a handler may ask about it. Shared with requests, which may outlive the connection. */
struct hot__tls_facts {
        atomic_uint shares;
        const char *version; /* static */
        const char *cipher;  /* static */
        char *server_name;   /* owned; NULL: the client named none */
        char *client; /* owned: the subject of its certificate (RFC 2253); NULL: it has none */
};

struct hot__tls_session {
        SSL *ssl;
        struct hot__tls *tls;
        struct hot__tls_contexts *contexts; /* a reference */
        struct hot__tls_facts *facts;       /* NULL until the handshake is complete */
        bool broken;                        /* nothing can be sent any more, not even the end */
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

ssize_t hot__tls_session_read(struct hot__tls_session *session, void *buffer, size_t size);

/* After -EAGAIN the same bytes have to be sent first. */
ssize_t hot__tls_session_send(struct hot__tls_session *session, const void *data, size_t len);

/* Are there bytes that were read from the descriptor and not yet from here? */
bool hot__tls_session_has_input(const struct hot__tls_session *session);

/* Tell the peer that no more comes. Returns 0 or -EAGAIN. */
int hot__tls_session_finish(struct hot__tls_session *session);

/* Shares of the facts. Both accept NULL. */
struct hot__tls_facts *hot__tls_facts_get(struct hot__tls_facts *facts);
void hot__tls_facts_put(struct hot__tls_facts *facts);

#endif
