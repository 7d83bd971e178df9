/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PAYLOAD_H
#define HOT_VERIFY_PAYLOAD_H

/*
 * Payloads: the bytes that are sent, and whether the bytes that come back are the right ones. No
 * I/O.
 *
 * A sent body is a function of its serial number and the offset, so that no two uploads are alike
 * and no buffer is held: an answer that belongs to another upload has a wrong checksum.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the body of an answer must be. */
enum hot__body {
        HOT__BODY_ANY,
        HOT__BODY_TEXT,    /* exactly a text */
        HOT__BODY_PATTERN, /* byte i is 'A' + i % 23 */
        HOT__BODY_ECHO,    /* "LENGTH SHA256HEX" of what was sent; a newline may follow */
        HOT__BODY_KNOWN, /* so many bytes with this hash: what came when it was asked for before */
};

/* "18446744073709551615 " + 64 hexadecimal digits + the terminating zero. */
#define HOT__ECHO_SIZE 96

struct hot__payload_check {
        enum hot__body body;
        const char *text;          /* TEXT: lent */
        char echo[HOT__ECHO_SIZE]; /* ECHO */
        uint64_t size;             /* of the right body; for TEXT and ECHO, of the text */
        uint64_t count;            /* bytes seen */
        uint64_t hash;             /* of them; of the pattern there is none */
        uint64_t known;            /* KNOWN: the hash that is right */
        bool wrong;
};

/* Expect anything, @text (lent, may be NULL for anything), or @size bytes of the pattern. */
void hot__payload_expect_text(struct hot__payload_check *check, const char *text);
void hot__payload_expect_pattern(struct hot__payload_check *check, uint64_t size);

/* Expect @size bytes whose hash is @hash. */
void hot__payload_expect_known(struct hot__payload_check *check, uint64_t size, uint64_t hash);

/* Expect the echo of upload @serial of @size bytes. Returns 0 or -ENOMEM. */
int hot__payload_expect_echo(struct hot__payload_check *check, uint64_t serial, uint64_t size);

/* More bytes of the body came. */
void hot__payload_see(struct hot__payload_check *check, const char *bytes, size_t count);

/* The body is complete: was it right? */
bool hot__payload_is_right(const struct hot__payload_check *check);

/* Bytes @offset to @offset + @count of upload @serial. */
void hot__payload_fill(uint64_t serial, uint64_t offset, char *ret_bytes, size_t count);

#endif
