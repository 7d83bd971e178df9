/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fd.h"
#include "transport.h"

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

/* What a conversation is held on. */
struct line {
        int fd;
        SSL_CTX *context;
        SSL *tls; /* NULL: plain */
};

static void hang_up(struct line *line)
{
        line->tls = hot__transport_close(line->tls);
        hot__transport_free(line->context);
        line->fd = hot__fd_close(line->fd);
}

static int shake_hands(struct line *line, uint64_t deadline)
{
        int r = hot__transport_new(&line->context);

        if (r < 0)
                return r;
        line->tls = hot__transport_open(line->context, line->fd, NULL);
        if (!line->tls)
                return -ENOMEM;
        while ((r = hot__transport_handshake(line->tls)) == 0) {
                r = wait_for(line->fd, POLLIN, deadline);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

/* Everything until the end. Returns its length or a negative errno. */
static ssize_t read_all(const struct line *line, uint64_t deadline, char *text, size_t size)
{
        size_t length = 0;
        ssize_t n;
        int r;

        for (;;) {
                if (length == size - 1)
                        return -ENOSPC;
                n = hot__transport_read(line->tls, line->fd, text + length, size - 1 - length);
                if (n == 0)
                        break;
                if (n > 0) {
                        length += (size_t)n;
                        continue;
                }
                if (errno != EAGAIN)
                        return -errno;
                r = wait_for(line->fd, POLLIN, deadline);
                if (r < 0)
                        return r;
        }
        text[length] = '\0';
        return (ssize_t)length;
}

/* Ask, and take what is answered. Returns its length or a negative errno. */
static ssize_t converse(struct line *line, const struct hot__target *target, const char *path,
                        uint64_t deadline, char *text, size_t size)
{
        char request[700];
        int length = snprintf(request, sizeof(request),
                              "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
                              target->host);

        if (length < 0 || (size_t)length >= sizeof(request))
                return -ENAMETOOLONG;
        if (hot__transport_write(line->tls, line->fd, request, (size_t)length) != length)
                return -EPIPE;
        return read_all(line, deadline, text, size);
}

int ask_get(const struct hot__target *target, bool tls, const char *path, uint64_t deadline,
            char *body, size_t size)
{
        struct line line = {.fd = -EBADF};
        char *start;
        int status, r = open_connection(target, deadline, &line.fd);
        ssize_t n;

        if (r == 0 && tls)
                r = shake_hands(&line, deadline);
        n = r < 0 ? r : converse(&line, target, path, deadline, body, size);
        hang_up(&line);
        if (n < 0)
                return (int)n;
        start = strstr(body, "\r\n\r\n");
        if (!start || sscanf(body, "HTTP/1.%*1[01] %3d", &status) != 1)
                return -EPROTO;
        start += 4;
        memmove(body, start, strlen(start) + 1);
        return status;
}
