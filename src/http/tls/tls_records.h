/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_RECORDS_H
#define HOT_HTTP_TLS_RECORDS_H

/*
 * Where the records of TLS begin and end in a stream of bytes that passes by, one direction of it. Nothing is
 * decrypted: a record's length is in clear (RFC 8446 section 5.1), and so is the explicit nonce that it begins
 * with under TLS 1.2 and GCM (RFC 5288 section 3). Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOT__TLS_RECORD_HEADER 5
#define HOT__TLS_RECORD_NONCE  8

struct hot__tls_records {
        uint64_t n; /* complete ones */
        size_t at;  /* bytes of the one that has begun, 0: none has */
        unsigned char head[HOT__TLS_RECORD_HEADER + HOT__TLS_RECORD_NONCE]; /* of the last one */
};

/* These bytes have passed. */
void hot__tls_records_pass(struct hot__tls_records *records, const void *bytes, size_t len);

/* Is the stream between two records? */
static inline bool hot__tls_records_are_whole(const struct hot__tls_records *records)
{
        return records->at == 0;
}

#endif
