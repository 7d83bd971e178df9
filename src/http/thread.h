/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_THREAD_H
#define HOT_HTTP_THREAD_H

/*
 * Threads of the library: they have all signals blocked, so that the host's handlers run on the host's
 * threads.
 */

#include <pthread.h>

/* Returns 0 or a negative errno. */
int hot__thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument);

#endif
