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

struct hot__notify {
        struct sockaddr_un address;
        socklen_t len; /* 0: no service manager listens; every call is a no-op then */
};

/* @socket_path: the variable's value ("/path" or "@abstract"), NULL for none. Returns 0 or -EINVAL. */
int hot__notify_init(struct hot__notify *notify, const char *socket_path);

/*
 * Send @lines ("READY=1\nSTATUS=…"), without waiting. Returns 0, -EAGAIN (the manager's queue is full,
 * nothing was sent), -ECONNREFUSED or -ENOENT (nobody listens there), -EMSGSIZE, or another negative
 * errno.
 */
int hot__notify_send(const struct hot__notify *notify, const char *lines);

/*
 * Send BARRIER=1. *ret_fd hangs up (POLLHUP) when the manager has processed all that was sent before;
 * it is given to the caller, FD_CLOEXEC. Without a manager it is -EBADF. Returns 0 or a
 * negative errno, as hot__notify_send().
 */
int hot__notify_barrier(const struct hot__notify *notify, int *ret_fd);

#endif
