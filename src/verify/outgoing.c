/* SPDX-License-Identifier: MIT */
#include "outgoing.h"

#include "payload.h"

bool hot__outgoing_head_is_done(const struct hot__outgoing *outgoing)
{
        return outgoing->done >= outgoing->head_size;
}

bool hot__outgoing_is_done(const struct hot__outgoing *outgoing)
{
        return outgoing->done == outgoing->head_size + outgoing->body_size;
}

/* How many bytes of body from @offset to the end of its piece. */
static uint64_t left_of_piece(const struct hot__outgoing *outgoing, uint64_t offset)
{
        uint64_t left = outgoing->body_size - offset;

        if (outgoing->piece > 0 && outgoing->piece - offset % outgoing->piece < left)
                left = outgoing->piece - offset % outgoing->piece;
        return left;
}

size_t hot__outgoing_next(const struct hot__outgoing *outgoing, char *buffer, size_t size,
                          const char **ret_bytes)
{
        uint64_t offset, left;
        size_t count;

        if (!hot__outgoing_head_is_done(outgoing)) {
                *ret_bytes = outgoing->head + outgoing->done;
                return outgoing->head_size - (size_t)outgoing->done;
        }
        offset = outgoing->done - outgoing->head_size;
        left = left_of_piece(outgoing, offset);
        count = left < size ? (size_t)left : size;
        hot__payload_fill(outgoing->serial, offset, buffer, count);
        *ret_bytes = buffer;
        return count;
}

bool hot__outgoing_advance(struct hot__outgoing *outgoing, size_t count)
{
        outgoing->done += count;
        if (outgoing->piece == 0 || outgoing->done <= outgoing->head_size ||
            hot__outgoing_is_done(outgoing))
                return false;
        return (outgoing->done - outgoing->head_size) % outgoing->piece == 0;
}
