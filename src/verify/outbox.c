/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hot__outbox_add(struct hot__outbox *outbox, const void *bytes, size_t count)
{
        size_t room = outbox->room ? outbox->room : 1024;
        char *larger;

        while (room - outbox->length < count)
                room *= 2;
        if (room != outbox->room) {
                larger = realloc(outbox->bytes, room);
                if (!larger)
                        return -ENOMEM;
                outbox->bytes = larger;
                outbox->room = room;
        }
        memcpy(outbox->bytes + outbox->length, bytes, count);
        outbox->length += count;
        return 0;
}

size_t hot__outbox_next(const struct hot__outbox *outbox, const char **ret_bytes)
{
        *ret_bytes = outbox->bytes + outbox->at;
        return outbox->length - outbox->at;
}

void hot__outbox_advance(struct hot__outbox *outbox, size_t count)
{
        outbox->at += count;
        if (outbox->at == outbox->length)
                hot__outbox_clear(outbox);
}

void hot__outbox_clear(struct hot__outbox *outbox)
{
        outbox->at = outbox->length = 0;
}

void hot__outbox_done(struct hot__outbox *outbox)
{
        free(outbox->bytes);
        *outbox = (struct hot__outbox){0};
}
