/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HANGUP_H
#define HOT_HTTP_HANGUP_H

/*
 * SIGHUP, which asks a server with an access log to open it again: through a signalfd(2), so that no handler
 * is installed. It is blocked in the thread that serves, before the others start and inherit that; without
 * a log it keeps the meaning that the host gave it.
 */

#include <signal.h>
#include <stdbool.h>

#include "loop.h"

struct hot;

struct hot__hangup {
        struct hot__watch watch;
        int fd; /* owned; -EBADF: SIGHUP is not ours */
        bool watched;
        sigset_t before;
        void (*heard)(void *data);
        void *data;
};

/* Block SIGHUP, here and in the next generation from its beginning, and listen for it. Returns 0 or a negative
 * errno. */
int hot__hangup_open(struct hot__hangup *hangup, struct hot *hot, void (*heard)(void *data),
                     void *data);

/* Have @heard called on this loop's thread. Returns 0 or a negative errno. */
int hot__hangup_watch(struct hot__hangup *hangup, struct hot__loop *loop);

/* Stop watching: the loop can end. */
void hot__hangup_unwatch(struct hot__hangup *hangup);

/* Put the mask back. The loop has ended. */
void hot__hangup_close(struct hot__hangup *hangup);

#endif
