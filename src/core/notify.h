/* SPDX-License-Identifier: MIT */
#ifndef HOT_NOTIFY_H
#define HOT_NOTIFY_H

/*
 * The service manager's notification socket: sd_notify(3)'s protocol. Datagrams of lines to the
 * AF_UNIX address in $NOTIFY_SOCKET.
 */

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct hot__letter; /* a message that waits for room, with a copy of its descriptor */

struct hot__notify {
        struct sockaddr_un address;
        socklen_t len; /* 0: no service manager listens; every call is a no-op then */
        struct hot__letter *first, *last;
};

/* @socket_path: the variable's value ("/path" or "@abstract"), NULL for none. Returns 0 or -EINVAL. */
int hot__notify_init(struct hot__notify *notify, const char *socket_path);

/* Forget what was not sent. May be called again. */
void hot__notify_done(struct hot__notify *notify);

enum hot__notified {
        HOT__NOTIFY_SENT = 0,
        HOT__NOTIFY_LATER, /* the manager's queue is full: call hot__notify_flush() in a while */
};

/*
 * Send @lines ("READY=1\nSTATUS=…"), without waiting, after what has to wait already: the order is part of
 * what is said. Returns enum hot__notified, -ENOBUFS (too much waits), -ECONNREFUSED or -ENOENT (nobody
 * listens there), -EMSGSIZE, or another negative errno.
 */
int hot__notify_send(struct hot__notify *notify, const char *lines);

/* Send what waits. Returns enum hot__notified; what can never be sent is dropped. */
int hot__notify_flush(struct hot__notify *notify);

/*
 * Send BARRIER=1. *ret_fd hangs up (POLLHUP) when the manager has processed all that was sent before;
 * it is given to the caller, FD_CLOEXEC. Without a manager it is -EBADF. Returns as hot__notify_send().
 */
int hot__notify_barrier(struct hot__notify *notify, int *ret_fd);

#endif
