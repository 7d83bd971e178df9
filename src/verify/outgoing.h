/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_OUTGOING_H
#define HOT_VERIFY_OUTGOING_H

/*
 * What is still to be written for one batch of requests: its heads, then the body in pieces. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hot__outgoing {
        const char *head; /* lent */
        size_t head_size;
        uint64_t serial; /* of the body */
        uint64_t body_size;
        size_t piece;  /* 0: the body is one piece */
        uint64_t done; /* bytes that the kernel has taken, head and body */
};

/* Is everything written? Are all heads? */
bool hot__outgoing_is_done(const struct hot__outgoing *outgoing);
bool hot__outgoing_head_is_done(const struct hot__outgoing *outgoing);

/*
 * The next bytes to write, never beyond the end of the head or of a piece. They are lent, or made
 * in @buffer. Returns how many.
 */
size_t hot__outgoing_next(const struct hot__outgoing *outgoing, char *buffer, size_t size,
                          const char **ret_bytes);

/* The kernel took @count. Returns whether that ended a piece, with more to come. */
bool hot__outgoing_advance(struct hot__outgoing *outgoing, size_t count);

#endif
