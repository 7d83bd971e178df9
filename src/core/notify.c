/* SPDX-License-Identifier: MIT */
/*
 * The service manager's notification socket. Each message is one datagram, sent through the channel's
 * door; nothing stays open between them, so a manager that was started anew is found again. What its queue
 * has no room for waits here: a READY=1 that is lost would leave the unit "reloading" for ever.
 *
 * The barrier leans on the order of a datagram socket's queue: the manager closes the pipe end that came
 * with BARRIER=1 once it gets there, and the pipe hangs up when the last copy of that end is gone. Ours
 * is closed before the function returns.
 */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

struct hot__letter {
        struct hot__letter *next;
        int fd; /* owned; -EBADF if there is none */
        char lines[];
};

/* More than a restart has to say: a manager that is stopped makes nobody's memory grow. */
#define LETTERS_MAX 32

static int post(const struct hot__notify *notify, const char *lines, int fd)
{
        return hot__datagram_send((const struct sockaddr *)&notify->address, notify->len, lines,
                                  strlen(lines), &fd, fd >= 0);
}

static void drop_first(struct hot__notify *notify)
{
        struct hot__letter *letter = notify->first;

        notify->first = letter->next;
        if (!notify->first)
                notify->last = NULL;
        hot__fd_close(letter->fd);
        free(letter);
}

void hot__notify_done(struct hot__notify *notify)
{
        while (notify->first)
                drop_first(notify);
}

int hot__notify_flush(struct hot__notify *notify)
{
        while (notify->first) {
                if (post(notify, notify->first->lines, notify->first->fd) == -EAGAIN)
                        return HOT__NOTIFY_LATER;
                drop_first(notify);
        }
        return HOT__NOTIFY_SENT;
}

static size_t n_letters(const struct hot__notify *notify)
{
        size_t n = 0;

        for (const struct hot__letter *letter = notify->first; letter; letter = letter->next)
                n++;
        return n;
}

static int keep(struct hot__notify *notify, const char *lines, int fd)
{
        size_t size = strlen(lines) + 1;
        struct hot__letter *letter;

        if (n_letters(notify) >= LETTERS_MAX)
                return -ENOBUFS;
        letter = malloc(sizeof(*letter) + size);
        if (!letter)
                return -ENOMEM;
        letter->next = NULL;
        letter->fd = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        memcpy(letter->lines, lines, size);
        if (fd >= 0 && letter->fd < 0) {
                free(letter);
                return -errno;
        }
        if (notify->last)
                notify->last->next = letter;
        else
                notify->first = letter;
        notify->last = letter;
        return HOT__NOTIFY_LATER;
}

/* @fd is borrowed; -EBADF for none. */
static int send_with(struct hot__notify *notify, const char *lines, int fd)
{
        int r;

        if (notify->len == 0)
                return HOT__NOTIFY_SENT;
        r = notify->first ? -EAGAIN : post(notify, lines, fd);
        return r == -EAGAIN ? keep(notify, lines, fd) : r;
}

int hot__notify_send(struct hot__notify *notify, const char *lines)
{
        return send_with(notify, lines, -EBADF);
}

int hot__notify_barrier(struct hot__notify *notify, int *ret_fd)
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
        r = send_with(notify, "BARRIER=1", theirs);
        if (r < 0)
                return r;
        *ret_fd = hot__fd_take(&ours);
        return r;
}
