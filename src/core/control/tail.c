/* SPDX-License-Identifier: MIT */
/*
 * Only the reading end is non-blocking: O_NONBLOCK belongs to an end of a pipe, and a program that writes
 * to its standard error expects to wait for room.
 *
 * Our own standard error may be a pipe whose reader is gone or has stopped reading. We look for room first
 * (POLLOUT means room for PIPE_BUF bytes, the most that is written at once) and take the SIGPIPE back that
 * our own write may have raised all the same.
 */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"

int hot__tail_open(struct hot__tail *tail, int *ret_theirs)
{
        CLEANUP(hot__fd_closep) int ours = -EBADF;
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        int ends[2];

        tail->fd = -EBADF;
        tail->written = 0;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = hot__fd_take_above_stdio(ends[0]);
        theirs = hot__fd_take_above_stdio(ends[1]);
        if (ours < 0 || theirs < 0)
                return ours < 0 ? ours : theirs;
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        tail->fd = hot__fd_take(&ours);
        *ret_theirs = hot__fd_take(&theirs);
        return 0;
}

static void keep(struct hot__tail *tail, const char *bytes, size_t len)
{
        for (size_t i = 0; i < len; i++)
                tail->bytes[tail->written++ % HOT__TAIL_SIZE] = bytes[i];
}

static bool has_room(int fd)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

        return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLOUT | POLLERR)) == POLLOUT;
}

static void write_without_sigpipe(int fd, const char *bytes, size_t len)
{
        const struct timespec now = {0};
        sigset_t sigpipe, before, pending;
        ssize_t n;

        sigemptyset(&sigpipe);
        sigaddset(&sigpipe, SIGPIPE);
        sigpending(&pending);
        pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
        n = write(fd, bytes, len);
        if (n < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
                sigtimedwait(&sigpipe, NULL, &now);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int hot__tail_read(struct hot__tail *tail, int relay)
{
        char bytes[PIPE_BUF];
        ssize_t n;

        do
                n = read(tail->fd, bytes, sizeof(bytes));
        while (n < 0 && errno == EINTR);
        if (n == 0)
                return -EPIPE;
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;
        keep(tail, bytes, (size_t)n);
        if (relay >= 0 && has_room(relay))
                write_without_sigpipe(relay, bytes, (size_t)n);
        return 1;
}

/* Where the first whole line begins that is still there; the beginning, if there is no whole one. */
static size_t first_line(const struct hot__tail *tail, size_t from)
{
        size_t at = from;

        if (from == 0 || tail->bytes[(from - 1) % HOT__TAIL_SIZE] == '\n')
                return from;
        while (at < tail->written && tail->bytes[at % HOT__TAIL_SIZE] != '\n')
                at++;
        return at + 1 < tail->written ? at + 1 : from;
}

size_t hot__tail_text(const struct hot__tail *tail, char *buffer, size_t size)
{
        size_t most = size - 1 < HOT__TAIL_SIZE - 1 ? size - 1 : HOT__TAIL_SIZE - 1;
        size_t from = tail->written > most ? tail->written - most : 0;
        size_t len = 0;

        for (size_t at = first_line(tail, from); at < tail->written; at++)
                buffer[len++] = tail->bytes[at % HOT__TAIL_SIZE];
        buffer[len] = 0;
        return len;
}

void hot__tail_close(struct hot__tail *tail)
{
        tail->fd = hot__fd_close(tail->fd);
}
