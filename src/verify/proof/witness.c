/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "diag.h"
#include "fd.h"

#define KEPT_BACK 2
#define PATIENCE  UINT64_C(1000000000)
#define ACCEPT_IN UINT64_C(20000000) /* a server that waits for the whole request accepts later */
#define LOOK      100000L            /* ns from look to look */

int witness_init(struct witness *ret, const struct hot__target *target, const char *path)
{
        struct witness witness = {.diag_fd = -EBADF, .target = target};
        int length = snprintf(witness.head, sizeof(witness.head),
                              "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
                              target->host);
        int r;

        if (length < 0 || (size_t)length >= sizeof(witness.head))
                return -ENAMETOOLONG;
        witness.head_size = (size_t)length;
        r = diag_open(&witness.diag_fd);
        if (r < 0)
                return r;
        *ret = witness;
        return 0;
}

void witness_done(struct witness *witness)
{
        witness->diag_fd = hot__fd_close(witness->diag_fd);
}

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

static int connect_to(const struct hot__target *target, int fd, uint64_t deadline)
{
        int error = 0, r;
        socklen_t size = sizeof(error);

        if (connect(fd, (const struct sockaddr *)&target->address, target->address_len) == 0)
                return 0;
        if (errno != EINPROGRESS)
                return -errno;
        r = wait_for(fd, POLLOUT, deadline);
        if (r < 0)
                return r;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                return -errno;
        return -error;
}

static uint64_t look(const struct witness *witness, int fd)
{
        struct sockaddr_storage own;
        socklen_t size = sizeof(own);
        struct diag_socket found;

        if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
            diag_ask(witness->diag_fd, (const struct sockaddr *)&witness->target->address,
                     (const struct sockaddr *)&own, &found) < 0)
                return 0;
        return found.inode;
}

static uint64_t look_until_accepted(const struct witness *witness, int fd)
{
        const struct timespec pause = {.tv_nsec = LOOK};
        uint64_t until = hot__clock_now() + ACCEPT_IN, inode;

        while ((inode = look(witness, fd)) == 0 && hot__clock_now() < until)
                nanosleep(&pause, NULL);
        return inode;
}

static int send_all(int fd, const char *bytes, size_t count)
{
        ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);

        /* The buffer of a new connection takes so few bytes whole. */
        if (n < 0)
                return -errno;
        return (size_t)n == count ? 0 : -EPIPE;
}

/* Take what comes, so that the close is a clean one. */
static void read_to_the_end(int fd, uint64_t deadline)
{
        char bytes[4096];
        ssize_t n;

        while ((n = recv(fd, bytes, sizeof(bytes), 0)) != 0) {
                if (n < 0 && errno != EAGAIN)
                        return;
                if (n < 0 && wait_for(fd, POLLIN, deadline) < 0)
                        return;
        }
}

int witness_begin(const struct witness *witness, struct testimony *ret)
{
        uint64_t now = hot__clock_now();
        int r;

        *ret = (struct testimony){.fd = -EBADF, .connect = now};
        ret->fd = hot__fd_take_above_stdio(socket(witness->target->address.ss_family,
                                                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (ret->fd < 0)
                return -errno;
        r = connect_to(witness->target, ret->fd, now + PATIENCE);
        if (r == 0)
                r = send_all(ret->fd, witness->head, witness->head_size - KEPT_BACK);
        if (r == 0)
                ret->inode = look_until_accepted(witness, ret->fd);
        return r;
}

int witness_finish(const struct witness *witness, struct testimony *testimony)
{
        size_t first = witness->head_size - KEPT_BACK;
        char byte;
        int r = send_all(testimony->fd, witness->head + first, KEPT_BACK);

        if (r == 0)
                r = wait_for(testimony->fd, POLLIN, testimony->connect + PATIENCE);
        if (r < 0)
                return r;
        if (recv(testimony->fd, &byte, 1, 0) != 1)
                return -ECONNRESET;
        testimony->answered = hot__clock_now();
        if (testimony->inode == 0)
                testimony->inode = look(witness, testimony->fd);
        return 0;
}

void witness_end(struct testimony *testimony)
{
        if (testimony->fd >= 0 && testimony->answered != 0)
                read_to_the_end(testimony->fd, testimony->connect + PATIENCE);
        testimony->fd = hot__fd_close(testimony->fd);
}
