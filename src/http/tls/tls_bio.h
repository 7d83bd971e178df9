/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_BIO_H
#define HOT_HTTP_TLS_BIO_H

/*
 * How OpenSSL reads and writes a connection's descriptor: through socket.c, because its own way, write(2),
 * raises SIGPIPE when the peer is gone, and the disposition of that signal is the host's. What passes is
 * counted where somebody wants to know (tls_records).
 */

#include <stdbool.h>

#include <openssl/bio.h>

#include "tls_records.h"

struct hot__tls_wire {
        int fd;        /* borrowed */
        bool took_all; /* the last read got less than it had room for */
        bool counted;  /* the next two are kept */
        struct hot__tls_records in, out;
};

/* Returns the method (given: BIO_meth_free()), or NULL for want of memory. */
BIO_METHOD *hot__tls_bio_method(void);

/* Over @wire, which stays the caller's. Returns NULL for want of memory. */
BIO *hot__tls_bio_new(const BIO_METHOD *method, struct hot__tls_wire *wire);

#endif
