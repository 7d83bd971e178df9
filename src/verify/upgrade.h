/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_UPGRADE_H
#define HOT_VERIFY_UPGRADE_H

/*
 * The client's side of the handshake by which a connection becomes a WebSocket (RFC 6455, section 4). No I/O.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "generations.h"
#include "outbox.h"

struct hot__upgrade {
        char accept[32]; /* what the server must answer to our key */
        char head[4096];
        size_t length;
        int status; /* of the answer, once it is complete */
        struct hot__identity identity;
        bool complete;
};

/* Put the request into @outbox. Returns 0 or -ENOMEM. */
int hot__upgrade_ask(struct hot__upgrade *upgrade, const char *path, const char *host,
                     unsigned short random[3], struct hot__outbox *outbox);

/*
 * More of the answer. Returns how many bytes belong to it, -EACCES (complete, and it says no), or -EPROTO.
 */
ssize_t hot__upgrade_feed(struct hot__upgrade *upgrade, const char *bytes, size_t count);

#endif
