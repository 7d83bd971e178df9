/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "websocket_tail.h"

#define KEEP 1024

static size_t head_size(const struct hot__websocket_tail *tail)
{
        size_t size = 2;

        if (tail->head_len < 2)
                return size;
        size += tail->head[1] & 0x80 ? 4 : 0;
        if ((tail->head[1] & 0x7f) == 126)
                size += 2;
        else if ((tail->head[1] & 0x7f) == 127)
                size += 8;
        return size;
}

static uint64_t payload_length(const unsigned char *head)
{
        unsigned int n = head[1] & 0x7f;
        size_t digits = n == 126 ? 2 : n == 127 ? 8 : 0;
        uint64_t length = 0;

        if (!digits)
                return n;
        for (size_t i = 0; i < digits; i++)
                length = length << 8 | head[2 + i];
        return length;
}

/* Take some of the frame's head. Returns how much that was. */
static size_t take_head(struct hot__websocket_tail *tail, const unsigned char *at, size_t len)
{
        size_t n = 0;

        while (n < len && tail->head_len < head_size(tail))
                tail->head[tail->head_len++] = at[n++];
        if (tail->head_len == head_size(tail)) {
                tail->headed = true;
                tail->left = payload_length(tail->head);
        }
        return n;
}

static void keep(struct hot__websocket_tail *tail, const unsigned char *at, size_t len)
{
        if (tail->lost)
                return;
        if (tail->bytes.len + len > tail->limit || hot__bytes_append(&tail->bytes, at, len) < 0) {
                hot__bytes_done(&tail->bytes);
                tail->frames = 0;
                tail->lost = true;
        }
}

/* A frame is whole; @at are the bytes of it that were not kept. */
static void end_frame(struct hot__websocket_tail *tail, const unsigned char *at, size_t len)
{
        bool control = tail->head[0] & 0x08, last = tail->head[0] & 0x80;

        if (control) {
                if (!tail->lost)
                        tail->bytes.len = tail->frames;
        } else if (last) {
                hot__bytes_clear(&tail->bytes, KEEP);
                tail->lost = false;
                tail->frames = 0;
        } else {
                keep(tail, at, len);
                tail->frames = tail->bytes.len;
        }
        tail->headed = false;
        tail->head_len = 0;
}

void hot__websocket_tail_add(struct hot__websocket_tail *tail, const void *bytes, size_t len)
{
        const unsigned char *at = bytes, *end = at + len;
        const unsigned char *kept = at; /* what comes before is in .bytes, or needs not be */

        while (at < end) {
                size_t n;

                if (!tail->headed)
                        at += take_head(tail, at, (size_t)(end - at));
                if (!tail->headed)
                        break;
                n = (size_t)(end - at) < tail->left ? (size_t)(end - at) : (size_t)tail->left;
                at += n;
                tail->left -= n;
                if (tail->left == 0) {
                        end_frame(tail, kept, (size_t)(at - kept));
                        kept = at;
                }
        }
        keep(tail, kept, (size_t)(end - kept));
}

void hot__websocket_tail_done(struct hot__websocket_tail *tail)
{
        hot__bytes_done(&tail->bytes);
}
