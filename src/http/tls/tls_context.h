/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_CONTEXT_H
#define HOT_HTTP_TLS_CONTEXT_H

/*
 * One SSL_CTX: certificates for one set of names, of several kinds of key if the host has them, and the
 * callbacks by which all connections choose a certificate, a protocol and a ticket's key.
 *
 * Sessions are resumed by tickets only: a cache would stay behind at a restart.
 */

#include <openssl/ssl.h>

struct hot__tls;
struct hot__tls_files;

/* A context without a certificate (given). Returns NULL with OpenSSL's error queue filled. */
SSL_CTX *hot__tls_context_new(const struct hot__tls *tls);

/* What every context needs, the host's own too. */
void hot__tls_context_prepare(const struct hot__tls *tls, SSL_CTX *ctx);

/* Read a pair of files into it. Returns 0, or -EINVAL with OpenSSL's error queue filled. */
int hot__tls_context_use(SSL_CTX *ctx, const struct hot__tls_files *files);

/* Do they have certificates for the same names, with keys of different kinds? */
int hot__tls_context_is_complement(SSL_CTX *a, SSL_CTX *b);

/* Has it a certificate for this name? */
int hot__tls_context_serves(SSL_CTX *ctx, const char *server_name);

#endif
