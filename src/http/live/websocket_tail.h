/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_WEBSOCKET_TAIL_H
#define HOT_HTTP_WEBSOCKET_TAIL_H

/*
 * What a WebSocket has received since the last whole message, as it came: who gets these bytes as input knows of
 * the message all that we do. Pure.
 *
 * A control frame that is whole was answered, and is left out, also between the fragments of a message. A message that
 * arrives in one piece is never copied here. Beyond the limit, which a message of the allowed size never needs, the
 * bytes are forgotten until the message is whole.
 *
 * Only the length of frames is looked at: whether they are sound is libwslay's to say, which closes when they are not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct hot__websocket_tail {
        struct hot__bytes bytes;
        size_t limit;           /* of .bytes */
        size_t frames;          /* so many of .bytes are whole frames: fragments */
        unsigned char head[14]; /* of the frame that is not whole */
        size_t head_len;
        uint64_t left; /* of that frame's payload, once its head is whole */
        bool headed;   /* it is */
        bool lost;     /* the bytes of this message are not known any more */
};

/* Zero it first. */
void hot__websocket_tail_add(struct hot__websocket_tail *tail, const void *bytes, size_t len);

void hot__websocket_tail_done(struct hot__websocket_tail *tail);

#endif
