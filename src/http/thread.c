/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "thread.h"

/* The mask is inherited: blocked around the start, so that there is no moment without it. */
int hot__thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(ret_thread, NULL, run, argument);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}
