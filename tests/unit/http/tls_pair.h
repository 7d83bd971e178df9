/* SPDX-License-Identifier: MIT */
#ifndef TEST_TLS_PAIR_H
#define TEST_TLS_PAIR_H

/*
 * A session of the server's and a client of OpenSSL's, with the test as the wire between them: it sees every
 * byte, and can make records of its own.
 */

#include <openssl/ssl.h>

#include "log.h"
#include "tls.h"
#include "tls_keys.h"
#include "tls_session.h"

struct bytes {
        unsigned char data[65536];
        size_t len;
};

struct pair {
        struct hot__log log;
        struct hot__tls tls;
        struct hot__tls_session *session;
        int fd;   /* the test's end of the session's socket */
        SSL *ssl; /* the client */
        BIO *from_client, *to_client;
        struct bytes up, down; /* what has passed since pair_forget(), as far as there is room */
};

/* What a pair agrees on; zero is the usual. */
struct pair_terms {
        int version;
        const char *cipher;
        unsigned char fragment; /* TLSEXT_max_fragment_length_… */
        const char *client;     /* the name in its certificate; NULL: it has none */
        bool unkept;            /* as without TLS in the kernel */
        bool tcp;               /* else a UNIX socket, which is never the kernel's */
};

/* Not yet a handshake. */
void pair_open(struct pair *pair, const struct pair_terms *terms);
void pair_close(struct pair *pair);

/* One turn of the handshake on both sides. Returns whether both are through. */
bool pair_shake(struct pair *pair);
void pair_shake_hands(struct pair *pair);

/* Bytes on the wire, one way and the other. At most @len to the server. */
void pair_carry_up(struct pair *pair, size_t len);
void pair_carry_down(struct pair *pair);

/* The same, once there are some. */
void pair_await_down(struct pair *pair);

void pair_forget(struct pair *pair);

/* A message each way, through OpenSSL at both ends. */
void pair_ask(struct pair *pair, const char *text);
void pair_answer(struct pair *pair, const char *text);

/* Both versions, each with three ciphers. */
struct pair_suite {
        int version;
        const char *cipher;
};

#define N_PAIR_SUITES        6
#define FIRST_PAIR_SUITE_1_3 3
extern const struct pair_suite pair_suites[N_PAIR_SUITES];

/* Past the handshake; @tcp as in the terms. */
void pair_open_suite(struct pair *pair, const struct pair_suite *suite, bool tcp);

/* Its records are the kernel's from now on. */
void pair_to_kernel(struct pair *pair);

/* What the client's next SSL_read() fails with: SSL_ERROR_… */
int pair_next_error(struct pair *pair);

/* Both as whoever has the keys makes and opens them; the keys are then those of the next record. The record
 * holds application data. */
size_t seal_record(struct hot__tls_keys *keys, const char *text, unsigned char *ret_record);
size_t open_record(struct hot__tls_keys *keys, const unsigned char *record, char *ret_text,
                   size_t size);

#endif
