/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "sigpipe.h"

void hot__sigpipe_hold(struct hot__sigpipe *sigpipe)
{
        sigset_t set, pending;

        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        sigpending(&pending);
        sigpipe->pending = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &set, &sigpipe->before);
}

void hot__sigpipe_let_go(const struct hot__sigpipe *sigpipe)
{
        const struct timespec now = {0};
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        if (!sigpipe->pending)
                sigtimedwait(&set, NULL, &now);
        pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}
