/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TRANSPORT_H
#define HOT_VERIFY_TRANSPORT_H

/*
 * The transport under a client's connection: the socket itself, or TLS on it. Everything above reads and
 * writes as on a non-blocking socket, errno and all.
 *
 * Certificates are not verified: who serves is not what is asked here.
 *
 * OpenSSL is loaded when the first context is made, and not with the program: loading it takes longer than most
 * verbs of the command line run.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What all connections share. Returns 0, -ELIBACC if OpenSSL is not to be had, or -ENOMEM. Ownership:
 * hot__transport_free(), which accepts NULL.
 */
int hot__transport_new(SSL_CTX **ret_context);
void hot__transport_free(SSL_CTX *context);

/* TLS on @fd, which stays the caller's, asking for the protocol @alpn unless it is NULL. NULL: no memory. */
SSL *hot__transport_open(SSL_CTX *context, int fd, const char *alpn);

/* The handshake is over: is @alpn (NULL: whatever) what the server will speak? */
bool hot__transport_agreed(SSL *tls, const char *alpn);

/* Say good-bye if that can be done at once, and free. Accepts NULL. Returns NULL. */
SSL *hot__transport_close(SSL *tls);

/* Returns 1 when the handshake is over, 0 when it goes on later, or a negative errno; -EPIPE is its end. */
int hot__transport_handshake(SSL *tls);

/* As recv(2) and send(2) on @fd, through @tls unless it is NULL. */
ssize_t hot__transport_read(SSL *tls, int fd, char *bytes, size_t count);
ssize_t hot__transport_write(SSL *tls, int fd, const char *bytes, size_t count);

#endif
