/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "hangup.h"
#include "hotstart.h"
#include "socket.h"

int hot__hangup_open(struct hot__hangup *hangup, struct hot *hot, void (*heard)(void *data),
                     void *data)
{
        sigset_t set;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &set, &hangup->before);
        hangup->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        if (hangup->fd < 0) {
                r = -errno;
                hangup->fd = -EBADF;
                pthread_sigmask(SIG_SETMASK, &hangup->before, NULL);
                return r;
        }
        hangup->heard = heard;
        hangup->data = data;
        return hot_signal_block(hot, SIGHUP);
}

static void on_ready(struct hot__watch *watch, int events)
{
        struct hot__hangup *hangup =
                (struct hot__hangup *)((char *)watch - offsetof(struct hot__hangup, watch));
        struct signalfd_siginfo info;

        (void)events;
        while (hot__socket_read_file(hangup->fd, &info, sizeof(info), NULL) == sizeof(info))
                hangup->heard(hangup->data);
}

static void on_closed(struct hot__watch *watch)
{
        (void)watch;
}

int hot__hangup_watch(struct hot__hangup *hangup, struct hot__loop *loop)
{
        if (hangup->fd < 0)
                return 0;
        hot__watch_init(&hangup->watch, loop, hangup->fd);
        hangup->watch.ready = on_ready;
        hangup->watch.closed = on_closed;
        hangup->watched = true;
        return hot__watch_set(&hangup->watch, HOT__READABLE);
}

void hot__hangup_unwatch(struct hot__hangup *hangup)
{
        if (hangup->watched)
                hot__watch_close(&hangup->watch);
        hangup->watched = false;
}

void hot__hangup_close(struct hot__hangup *hangup)
{
        if (hangup->fd < 0)
                return;
        hangup->fd = hot__socket_close(hangup->fd);
        pthread_sigmask(SIG_SETMASK, &hangup->before, NULL);
}
