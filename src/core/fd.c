/* SPDX-License-Identifier: MIT */
#include "fd.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

int hot__fd_close(int fd)
{
        int saved = errno, r;

        if (fd < 0)
                return -EBADF;
        r = close(fd);
        /* A double close would hit whoever got the number next: make it a crash here, not there. */
        assert(r == 0 || errno != EBADF);
        (void)r;
        errno = saved;
        return -EBADF;
}

bool hot__fd_is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

int hot__fd_set_cloexec(int fd, bool on)
{
        int flags = fcntl(fd, F_GETFD);

        if (flags < 0)
                return -errno;
        if (fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC) < 0)
                return -errno;
        return 0;
}

int hot__fd_take_above_stdio(int fd)
{
        int moved;

        if (fd < 0 || fd > 2)
                return fd;
        moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (moved < 0)
                moved = -errno;
        hot__fd_close(fd);
        return moved;
}
