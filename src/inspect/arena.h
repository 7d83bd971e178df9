/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_ARENA_H
#define HOT_INSPECT_ARENA_H

/*
 * The memory of a snapshot: handed out in small pieces, given back all at once. A snapshot of a busy
 * machine has hundreds of thousands of short texts, and none of them outlives it.
 */

#include <stddef.h>

struct hot__arena_block;

struct hot__arena {
        struct hot__arena_block *blocks; /* owned: a list, the newest first */
};

/* Zeroed memory for any type, or NULL. Lives as long as the arena. */
void *hot__arena_alloc(struct hot__arena *arena, size_t size);

/* A copy of @len bytes of @text with a terminating zero, or NULL. */
char *hot__arena_copy(struct hot__arena *arena, const char *text, size_t len);

/* Free all of it. May be called again. */
void hot__arena_done(struct hot__arena *arena);

#endif
