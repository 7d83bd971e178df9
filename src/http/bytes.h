/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_BYTES_H
#define HOT_HTTP_BYTES_H

/*
 * A growing run of bytes. Once an append has failed for want of memory it stays failed, so that a
 * message that is put together from many parts is checked once, at its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct hot__bytes {
        char *data; /* owned; NULL while nothing was ever appended */
        size_t len, size;
        bool failed;
};

/* Room for @more bytes after the present ones. Returns 0 or -ENOMEM. */
int hot__bytes_reserve(struct hot__bytes *bytes, size_t more);

/* Returns 0 or -ENOMEM. */
int hot__bytes_append(struct hot__bytes *bytes, const void *data, size_t len);
int hot__bytes_append_string(struct hot__bytes *bytes, const char *string);
int hot__bytes_append_number(struct hot__bytes *bytes, unsigned long long number);

/* The same for what hot__bytes_reserve() has made room for: nothing is looked at. */
static inline void hot__bytes_put(struct hot__bytes *bytes, const void *data, size_t len)
{
        memcpy(bytes->data + bytes->len, data, len);
        bytes->len += len;
}

#define hot__bytes_put_literal(bytes, text) hot__bytes_put(bytes, "" text, sizeof(text) - 1)

/* As many digits as a number has at most. */
#define HOT__NUMBER_MAX 20

void hot__bytes_put_number(struct hot__bytes *bytes, unsigned long long number);

/* Empty it for the next use, keeping its memory up to @keep bytes. */
void hot__bytes_clear(struct hot__bytes *bytes, size_t keep);

void hot__bytes_done(struct hot__bytes *bytes);

#endif
