/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fd.h"

static int wait_for(int fd, short events, uint64_t deadline)
{
        struct pollfd polled = {.fd = fd, .events = events};
        uint64_t now = hot__clock_now();
        int r;

        if (now >= deadline)
                return -ETIMEDOUT;
        do
                r = poll(&polled, 1, (int)((deadline - now) / 1000000) + 1);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

static int open_connection(const struct hot__target *target, uint64_t deadline, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        int error = 0, r;
        socklen_t size = sizeof(error);

        fd = hot__fd_take_above_stdio(
                socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&target->address, target->address_len) < 0) {
                if (errno != EINPROGRESS)
                        return -errno;
                r = wait_for(fd, POLLOUT, deadline);
                if (r < 0)
                        return r;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                        return -errno;
                if (error != 0)
                        return -error;
        }
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

int ask_connect(const struct hot__target *target, uint64_t deadline)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;

        return open_connection(target, deadline, &fd);
}

/* Everything until the end. Returns its length or a negative errno. */
static ssize_t read_all(int fd, uint64_t deadline, char *text, size_t size)
{
        size_t length = 0;
        ssize_t n;
        int r;

        for (;;) {
                if (length == size - 1)
                        return -ENOSPC;
                n = recv(fd, text + length, size - 1 - length, 0);
                if (n == 0)
                        break;
                if (n > 0) {
                        length += (size_t)n;
                        continue;
                }
                if (errno != EAGAIN)
                        return -errno;
                r = wait_for(fd, POLLIN, deadline);
                if (r < 0)
                        return r;
        }
        text[length] = '\0';
        return (ssize_t)length;
}

int ask_get(const struct hot__target *target, const char *path, uint64_t deadline, char *body,
            size_t size)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char request[700], *start;
        int status, length, r = open_connection(target, deadline, &fd);
        ssize_t n;

        if (r < 0)
                return r;
        length = snprintf(request, sizeof(request),
                          "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
                          target->host);
        if (length < 0 || (size_t)length >= sizeof(request))
                return -ENAMETOOLONG;
        if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
                return -EPIPE;
        n = read_all(fd, deadline, body, size);
        if (n < 0)
                return (int)n;
        start = strstr(body, "\r\n\r\n");
        if (!start || sscanf(body, "HTTP/1.%*1[01] %3d", &status) != 1)
                return -EPROTO;
        start += 4;
        memmove(body, start, strlen(start) + 1);
        return status;
}
