/* SPDX-License-Identifier: MIT */
#ifndef HOT_TAIL_H
#define HOT_TAIL_H

/*
 * The last that a new process wrote to its standard error: a pipe is its descriptor 2 until it is ready.
 * What comes through is passed on to ours, and the end of it is kept, for whoever asked for the restart.
 */

#include <stddef.h>

/* How much is kept. */
#define HOT__TAIL_SIZE 4096

struct hot__tail {
        int fd;                     /* where we read; owned; -EBADF: none */
        size_t written;             /* bytes that have come in all */
        char bytes[HOT__TAIL_SIZE]; /* the last of them, in a ring */
};

/*
 * Make the pipe. @tail reads, without blocking; the other end, which blocks as a standard error does, is
 * given in *ret_theirs. Returns 0 or a negative errno; @tail has no descriptor then.
 */
int hot__tail_open(struct hot__tail *tail, int *ret_theirs);

/*
 * Take a piece of what has come, and write it to @relay (borrowed; below 0: nowhere). Never blocks: what
 * finds no room at @relay is not written there. Raises no SIGPIPE.
 *
 * Returns 1 if there was something, 0 if there is nothing now, -EPIPE when every writer has closed its end
 * and all was read, or another negative errno.
 */
int hot__tail_read(struct hot__tail *tail, int relay);

/*
 * What was kept, terminated by a zero: whole lines, unless a single line is longer than that. Returns how
 * long it is; at most @size - 1.
 */
size_t hot__tail_text(const struct hot__tail *tail, char *buffer, size_t size);

/* Close. What was kept stays. May be called again. */
void hot__tail_close(struct hot__tail *tail);

#endif
