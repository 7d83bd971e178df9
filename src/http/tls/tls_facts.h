/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_FACTS_H
#define HOT_HTTP_TLS_FACTS_H

/*
 * What a handler may ask about the TLS of its connection. Shared with requests, which may outlive it.
 *
 * They travel beside a connection that moves, as bytes: for each fact a tag (1 byte), its length (2 bytes, the
 * high one first), and so many bytes. A tag of 128 and above that is not known is refused: without it the
 * connection would be taken for another; others are skipped.
 */

#include <stdatomic.h>
#include <sys/types.h>

#include <openssl/ssl.h>

struct hot__tls_facts {
        atomic_uint shares;
        int version;       /* TLS1_2_VERSION… */
        char *cipher;      /* owned, as the next two */
        char *server_name; /* NULL: the client named none */
        char *client;      /* the subject of its certificate (RFC 2253); NULL: it has none */
};

/* Those of a complete handshake. Returns NULL for want of memory. */
struct hot__tls_facts *hot__tls_facts_take(const SSL *ssl);

/* "TLSv1.3". Static. */
const char *hot__tls_facts_version(const struct hot__tls_facts *facts);

/* Shares. Both accept NULL. */
struct hot__tls_facts *hot__tls_facts_get(struct hot__tls_facts *facts);
void hot__tls_facts_put(struct hot__tls_facts *facts);

/* No more than this travels. */
#define HOT__TLS_FACTS_MAX 4096

/* Returns the number of bytes, or -ENOSPC. */
ssize_t hot__tls_facts_encode(const struct hot__tls_facts *facts, void *bytes, size_t size);

/* Returns 0, -EPROTO (these are no facts, or of a kind that is not known) or -ENOMEM. */
int hot__tls_facts_decode(const void *bytes, size_t len, struct hot__tls_facts **ret_facts);

#endif
