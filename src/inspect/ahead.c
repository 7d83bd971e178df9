/* SPDX-License-Identifier: MIT */
/*
 * What was dumped is older than the table of descriptors by the time that this took to read: a connection that
 * began in between is not there, and is left to the dumps that follow.
 */
#include "ahead.h"

#include <errno.h>
#include <signal.h>

#include "fd.h"

/* Below that a thread is not worth while, and most often a few sockets are fetched. */
#define MANY 2000

static void *dump(void *data)
{
        struct hot__ahead *ahead = data;

        ahead->result = hot__socket_keep_connections(ahead->source, &ahead->kept);
        return NULL;
}

/* The thread is born with all signals blocked: the caller's handlers are the caller's. */
static int start(struct hot__ahead *ahead)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&ahead->thread, NULL, dump, ahead);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}

void hot__ahead_expect(struct hot__ahead *ahead, size_t n)
{
        ahead->expected += n;
        if (ahead->started || ahead->expected < MANY)
                return;
        ahead->expected = 0;
        ahead->source = hot__socket_source();
        if (ahead->source < 0)
                return;
        ahead->started = start(ahead) == 0;
        if (!ahead->started)
                hot__fd_close(ahead->source);
}

bool hot__ahead_is(const struct hot__ahead *ahead, int fd)
{
        return ahead->started && fd == ahead->source;
}

static int wait_for(struct hot__ahead *ahead)
{
        if (!ahead->started)
                return -ENODATA;
        pthread_join(ahead->thread, NULL);
        hot__fd_close(ahead->source);
        ahead->started = false;
        return ahead->result;
}

int hot__ahead_take(struct hot__ahead *ahead, hot__socket_fn *fn, void *data)
{
        return wait_for(ahead) < 0 ? 0 : hot__socket_tell_connections(&ahead->kept, fn, data);
}

void hot__ahead_done(struct hot__ahead *ahead)
{
        wait_for(ahead);
        hot__datagrams_done(&ahead->kept);
}
