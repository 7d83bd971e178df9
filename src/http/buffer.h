/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_BUFFER_H
#define HOT_HTTP_BUFFER_H

/*
 * Unread input. A connection has a buffer only while it has some: an idle one costs none. When a head is
 * complete its buffer goes to the exchange, whose strings lie in it.
 */

#include <stddef.h>

#define HOT__BUFFER_SIZE 16384

struct hot__buffer {
        struct hot__buffer *next; /* the spare list's */
        size_t start, end;        /* what is unread */
        size_t size;
        char data[];
};

/* Buffers of the usual size that nobody uses, kept for the next. Zero-initialise. */
struct hot__buffers {
        struct hot__buffer *first;
        size_t n;
};

/* An empty buffer for at least @size bytes, or NULL. */
struct hot__buffer *hot__buffer_new(struct hot__buffers *spare, size_t size);

/* Give one back. Accepts NULL for either: without @spare it is freed. */
void hot__buffer_free(struct hot__buffers *spare, struct hot__buffer *buffer);

void hot__buffers_done(struct hot__buffers *spare);

/*
 * Make room behind the unread bytes: to the front first, then by doubling, up to @limit unread bytes.
 * Returns the room there is, 0 when full or out of memory.
 */
size_t hot__buffer_room(struct hot__buffer **buffer, size_t limit);

#endif
