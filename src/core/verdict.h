/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERDICT_H
#define HOT_VERDICT_H

/*
 * Whether a generation can still resume: a pipe that its successor's successor may read.
 *
 * Let A be in its probation, B serve, and B start C. If B dies, A accepts again, unless it retires just
 * then because B had asked it to. C, which is left alone, may carry on in the second case only, and cannot
 * know which of the two it is: nobody is left to tell. So A holds the writing end of a pipe of its own,
 * and B gives C the reading end. A byte says that A accepts again, its end that A never will, because it
 * has retired or is dead. The kernel closes what a dead process held, so there is always an answer.
 */

/* Our own: the writing end in *ret_ours, the other in *ret_theirs. Returns 0 or a negative errno. */
int hot__verdict_open(int *ret_ours, int *ret_theirs);

/* We accept again. Ownership: takes @ours (which may be -EBADF), always. Returns -EBADF. */
int hot__verdict_take_resume(int ours);

/* A verdict that has been given, for a successor without an elder. Returns a descriptor, given to the
 * caller, or a negative errno. */
int hot__verdict_open_given(void);

enum hot__verdict {
        HOT__VERDICT_OPEN = 0, /* not yet known */
        HOT__VERDICT_RETIRED,  /* it can resume no more */
        HOT__VERDICT_RESUMED,  /* it accepts again */
};

/* Read it. Never blocks. What is no such pipe has retired. */
enum hot__verdict hot__verdict_read(int theirs);

/* Is it the reading end of a pipe? Returns 0, -EBADF or -ENOTSUP. */
int hot__verdict_verify(int fd);

#endif
