/* SPDX-License-Identifier: MIT */
/*
 * The service manager's notification socket. Each message is one datagram, sent through the channel's
 * door; nothing stays open between them, so a manager that was started anew is found again.
 *
 * The barrier leans on the order of a datagram socket's queue: the manager closes the pipe end that came
 * with BARRIER=1 once it gets there, and the pipe hangs up when the last copy of that end is gone. Ours
 * is closed before the function returns.
 */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "fd.h"

int hot__notify_init(struct hot__notify *notify, const char *socket_path)
{
        struct hot__notify new = {.address = {.sun_family = AF_UNIX}};
        size_t n;
        bool abstract;

        if (!socket_path || !socket_path[0]) {
                *notify = new;
                return 0;
        }
        n = strlen(socket_path);
        abstract = socket_path[0] == '@';
        /* A path needs room for its zero; an abstract name has none, and every byte counts. */
        if ((!abstract && socket_path[0] != '/') || n < 2 ||
            n + (abstract ? 0 : 1) > sizeof(new.address.sun_path))
                return -EINVAL;
        memcpy(new.address.sun_path, socket_path, n);
        if (abstract)
                new.address.sun_path[0] = '\0';
        new.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (abstract ? 0 : 1));
        *notify = new;
        return 0;
}

static int send_with(const struct hot__notify *notify, const char *lines, const int *fds,
                     size_t n_fds)
{
        if (notify->len == 0)
                return 0;
        return hot__datagram_send((const struct sockaddr *)&notify->address, notify->len, lines,
                                  strlen(lines), fds, n_fds);
}

int hot__notify_send(const struct hot__notify *notify, const char *lines)
{
        return send_with(notify, lines, NULL, 0);
}

int hot__notify_barrier(const struct hot__notify *notify, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int ours = -EBADF;
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        int ends[2], r;

        if (notify->len == 0) {
                *ret_fd = -EBADF;
                return 0;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        theirs = ends[1];
        ours = hot__fd_take_above_stdio(ends[0]);
        if (ours < 0)
                return ours;
        r = send_with(notify, "BARRIER=1", &theirs, 1);
        if (r < 0)
                return r;
        *ret_fd = hot__fd_take(&ours);
        return 0;
}
