/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_POOL_H
#define HOT_HTTP_POOL_H

/*
 * Threads for work that blocks. The pool grows with the work up to its maximum, beyond which jobs wait
 * in the order they came, so many and no more; a thread that has had nothing to do for a while ends.
 *
 * A thread that runs a job cannot be ended from outside. Closing therefore does not wait for running
 * jobs, and the pool's memory belongs to all who may still use it: its owner and each of its threads.
 */

#include <stddef.h>
#include <stdint.h>

struct hot__pool;

struct hot__job {
        struct hot__job *next; /* the pool's while it waits */
        void (*run)(struct hot__job *job);
};

/*
 * @max: threads. @queue: jobs that may wait while all of them run one. @release is called with @owner by each thread as the last thing it does, and @retain before it is
 * started: what jobs reach through @owner stays valid for them. Returns 0 or a negative errno.
 */
int hot__pool_new(struct hot__pool **ret_pool, unsigned int max, unsigned int queue,
                  void (*retain)(void *owner), void (*release)(void *owner), void *owner);

/* Ownership: the job is the pool's until it runs. Returns 0, or -EAGAIN if the queue is full, or no thread
 * could be started and none runs. */
int hot__pool_submit(struct hot__pool *pool, struct hot__job *job);

/* How many jobs run now. */
size_t hot__pool_running(struct hot__pool *pool);

/* The same, and how many wait. */
void hot__pool_count(struct hot__pool *pool, uint64_t *ret_running, uint64_t *ret_waiting);

/*
 * Take no more. Returns the jobs that had not begun, linked by .next. Waits for threads that have nothing
 * to do, and a moment (0.1 s) for those that run a job. Idempotent.
 */
struct hot__job *hot__pool_close(struct hot__pool *pool);

/* Close and give up the owner's share. Accepts NULL. */
void hot__pool_free(struct hot__pool *pool);

#endif
