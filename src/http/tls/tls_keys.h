/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_KEYS_H
#define HOT_HTTP_TLS_KEYS_H

/*
 * What one direction of a session is encrypted with, computed from its secrets as both sides of it do: for
 * TLS 1.3 from a traffic secret (RFC 8446 section 7.3), for TLS 1.2 from the master secret (RFC 5246
 * section 6.3). The ciphers are those that the kernel knows as well.
 *
 * Whoever has such a key wipes it: hot__tls_keys_wipe().
 */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define HOT__TLS_SECRET_MAX 48

enum hot__tls_cipher {
        HOT__TLS_CIPHER_OTHER,
        HOT__TLS_CIPHER_AES_128_GCM,
        HOT__TLS_CIPHER_AES_256_GCM,
        HOT__TLS_CIPHER_CHACHA20_POLY1305,
};

struct hot__tls_keys {
        int version; /* TLS1_2_VERSION or TLS1_3_VERSION */
        enum hot__tls_cipher cipher;
        unsigned char key[32];
        unsigned char iv[12]; /* with TLS 1.2 and GCM its last 8 bytes are the next record's own */
        uint64_t sequence;    /* the next record's number */
};

/* A traffic secret of TLS 1.3. */
struct hot__tls_secret {
        unsigned char bytes[HOT__TLS_SECRET_MAX];
        size_t len; /* 0: not known */
};

enum hot__tls_cipher hot__tls_cipher_of(const SSL_CIPHER *cipher);

/* All but the sequence. They return 0, or -EIO if OpenSSL cannot. */
int hot__tls_keys_from_secret(const SSL_CIPHER *cipher, const struct hot__tls_secret *secret,
                              struct hot__tls_keys *keys);
int hot__tls_keys_from_master(SSL *ssl, bool of_client, struct hot__tls_keys *keys);

/* The secret that a KeyUpdate puts in the place of this one. Returns 0 or -EIO: it is wiped then. */
int hot__tls_secret_update(const SSL_CIPHER *cipher, struct hot__tls_secret *secret);

void hot__tls_secret_wipe(struct hot__tls_secret *secret);
void hot__tls_keys_wipe(struct hot__tls_keys *keys);

#endif
