/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TARGET_H
#define HOT_VERIFY_TARGET_H

/*
 * The target: a text turned, once, into the address that every client connects to.
 */

#include <sys/socket.h>

struct hot__target {
        struct sockaddr_storage address;
        socklen_t address_len;
        char host[300]; /* for the Host field */
};

/*
 * Takes what hot_listen() takes, and "tcp:HOST:PORT". No host means this one. Returns 0, -EINVAL,
 * -EPROTOTYPE (not a stream), -ENXIO (the host does not resolve) or -ENOMEM.
 */
int hot__target_resolve(const char *text, struct hot__target *ret);

#endif
