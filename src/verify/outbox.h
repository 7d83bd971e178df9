/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_OUTBOX_H
#define HOT_VERIFY_OUTBOX_H

/*
 * An outbox: bytes that wait until the kernel takes them. Grows as it must; no I/O.
 */

#include <stddef.h>

struct hot__outbox {
        char *bytes; /* owned */
        size_t at;   /* so many are gone */
        size_t length, room;
};

/* Returns 0 or -ENOMEM: then nothing was added. */
int hot__outbox_add(struct hot__outbox *outbox, const void *bytes, size_t count);

/* What is next, and how much of it: 0 if it is empty. */
size_t hot__outbox_next(const struct hot__outbox *outbox, const char **ret_bytes);

/* The kernel took @count. */
void hot__outbox_advance(struct hot__outbox *outbox, size_t count);

/* Forget what waits; the room stays. */
void hot__outbox_clear(struct hot__outbox *outbox);
void hot__outbox_done(struct hot__outbox *outbox);

#endif
