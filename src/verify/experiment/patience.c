/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 8

uint64_t patience_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

int patience_init(struct patience *ret, unsigned int seconds)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, &ret->original) < 0)
                return -errno;
        ret->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (ret->signal_fd < 0)
                return -errno;
        ret->deadline = patience_now() + seconds * SECOND;
        return 0;
}

void patience_done(struct patience *patience)
{
        if (patience->signal_fd >= 0)
                close(patience->signal_fd);
        patience->signal_fd = -EBADF;
}

int patience_wait(const struct patience *patience, struct pollfd *fds, nfds_t n, uint64_t until)
{
        struct pollfd all[FDS_MAX + 1] = {{.fd = patience->signal_fd, .events = POLLIN}};
        uint64_t now = patience_now(), end;
        struct timespec left = {0};
        int r;

        if (n > FDS_MAX)
                return -EINVAL;
        if (now >= patience->deadline)
                return -ETIMEDOUT;
        if (n > 0)
                memcpy(all + 1, fds, n * sizeof(*fds));
        end = until < patience->deadline ? until : patience->deadline;
        if (end > now) {
                left.tv_sec = (time_t)((end - now) / SECOND);
                left.tv_nsec = (long)((end - now) % SECOND);
        }
        r = ppoll(all, n + 1, &left, NULL);
        if (r < 0)
                return -errno;
        if (all[0].revents)
                return -EINTR;
        if (n > 0)
                memcpy(fds, all + 1, n * sizeof(*fds));
        return r > 0;
}
