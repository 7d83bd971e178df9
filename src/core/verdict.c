/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

int hot__verdict_open(int *ret_ours, int *ret_theirs)
{
        CLEANUP(hot__fd_closep) int ours = -EBADF;
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        theirs = hot__fd_take_above_stdio(fds[0]);
        ours = hot__fd_take_above_stdio(fds[1]);
        if (theirs < 0 || ours < 0)
                return theirs < 0 ? theirs : ours;
        *ret_ours = hot__fd_take(&ours);
        *ret_theirs = hot__fd_take(&theirs);
        return 0;
}

/* An empty pipe has room for a byte. That nobody reads it does not matter, nor the signal that comes of
 * it, which the mask of the caller cannot be trusted to hold back: so it is asked for first. */
int hot__verdict_take_resume(int ours)
{
        struct pollfd reader = {.fd = ours, .events = POLLOUT};
        ssize_t n = 0;

        if (ours >= 0 && poll(&reader, 1, 0) == 1 && !(reader.revents & POLLERR))
                n = write(ours, "r", 1);
        (void)n;
        return hot__fd_close(ours);
}

int hot__verdict_open_given(void)
{
        int ours, theirs, r = hot__verdict_open(&ours, &theirs);

        if (r < 0)
                return r;
        hot__fd_close(ours);
        return theirs;
}

enum hot__verdict hot__verdict_read(int theirs)
{
        char byte;
        ssize_t n = read(theirs, &byte, 1);

        if (n > 0)
                return HOT__VERDICT_RESUMED;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return HOT__VERDICT_OPEN;
        return HOT__VERDICT_RETIRED;
}

int hot__verdict_verify(int fd)
{
        struct stat st;
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISFIFO(st.st_mode) && (flags & O_ACCMODE) == O_RDONLY ? 0 : -ENOTSUP;
}
