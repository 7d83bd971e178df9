/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_LEDGER_H
#define HOT_HTTP_TLS_LEDGER_H

/*
 * What OpenSSL does not tell of a session afterwards, kept while it happens: the traffic secrets of TLS 1.3, and
 * how many records have been made with the keys of now, in each direction.
 *
 * It is told by two of OpenSSL's callbacks. The one for debugging messages is called for each record's header
 * (SSL3_RT_HEADER) and for each message; records count from 0 again
 *      TLS 1.2     behind a ChangeCipherSpec,
 *      TLS 1.3     behind a Finished, and behind a KeyUpdate, which also changes the secret.
 * The one for logging keys gives the first secrets; those after a KeyUpdate are computed from them here, at once,
 * so that an old one is not kept. Which secret is whose does not depend on what a release of OpenSSL logs.
 *
 * Only where the kernel has TLS is anything kept. It costs two calls and a few additions a record.
 */

#include <stdint.h>

#include <openssl/ssl.h>

#include "tls_keys.h"

struct hot__tls_count {
        uint64_t records;              /* ever */
        uint64_t sequence;             /* the number of the next one, under the keys of now */
        struct hot__tls_secret secret; /* TLS 1.3 */
};

struct hot__tls_ledger {
        struct hot__tls_count in, out; /* the client's, the server's */
};

/* Returns one that is kept for @ssl from now on, before its handshake; or NULL. */
struct hot__tls_ledger *hot__tls_ledger_new(SSL *ssl);

/* A line of the key log. What is not a first secret of applications' data is ignored. */
void hot__tls_ledger_note(struct hot__tls_ledger *ledger, const char *line);

/* The keys of both directions as they are between two records, without the explicit nonce of TLS 1.2. Returns 0
 * or -EIO. */
int hot__tls_ledger_keys(const struct hot__tls_ledger *ledger, SSL *ssl, struct hot__tls_keys *in,
                         struct hot__tls_keys *out);

/* Wipes what it held. Accepts NULL. The SSL is freed before it. */
void hot__tls_ledger_free(struct hot__tls_ledger *ledger);

#endif
