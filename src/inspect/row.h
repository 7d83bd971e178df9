/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_ROW_H
#define HOT_INSPECT_ROW_H

/*
 * One descriptor of a snapshot: what the public sees, and the arrays that it points into. Its texts are in
 * the snapshot's arena.
 */

#include <hotstart/inspect.h>

struct hot__row {
        struct hot_inspect_fd public;
        struct hot_inspect_watch *watches; /* owned, as what follows */
        struct hot_inspect_lock *locks;
        struct hot_inspect_held *held;
        struct hot__row
                *next_socket; /* the next row that waits for what its socket is: see sockets.c */
};

/* A row with nothing known but its number and its target, which is borrowed. */
void hot__row_init(struct hot__row *row, int fd, const char *target);

/* Free what the row owns. */
void hot__row_done(struct hot__row *row);

/*
 * Make room for one more in an array of @n elements that was only ever grown by this. A number that is a
 * power of two is full: the array doubles then, and nobody has to remember its room.
 * Returns the array, moved or not, or NULL, with the old one untouched.
 */
void *hot__row_grow(void *array, size_t n, size_t size);

#endif
