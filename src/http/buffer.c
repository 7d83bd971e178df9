/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

#define SPARE_MAX 64

struct hot__buffer *hot__buffer_new(struct hot__buffers *spare, size_t size)
{
        struct hot__buffer *buffer = spare->first;

        if (size < HOT__BUFFER_SIZE)
                size = HOT__BUFFER_SIZE;
        if (buffer && size == HOT__BUFFER_SIZE) {
                spare->first = buffer->next;
                spare->n--;
        } else {
                buffer = malloc(sizeof(*buffer) + size);
                if (!buffer)
                        return NULL;
                buffer->size = size;
        }
        buffer->next = NULL;
        buffer->start = buffer->end = 0;
        return buffer;
}

void hot__buffer_free(struct hot__buffers *spare, struct hot__buffer *buffer)
{
        if (!buffer)
                return;
        if (!spare || buffer->size != HOT__BUFFER_SIZE || spare->n >= SPARE_MAX) {
                free(buffer);
                return;
        }
        buffer->next = spare->first;
        spare->first = buffer;
        spare->n++;
}

void hot__buffers_done(struct hot__buffers *spare)
{
        while (spare->first) {
                struct hot__buffer *buffer = spare->first;

                spare->first = buffer->next;
                free(buffer);
        }
        spare->n = 0;
}

size_t hot__buffer_room(struct hot__buffer **buffer, size_t limit)
{
        struct hot__buffer *b = *buffer;
        struct hot__buffer *grown;

        if (b->end < b->size)
                return b->size - b->end;
        if (b->start > 0) {
                memmove(b->data, b->data + b->start, b->end - b->start);
                b->end -= b->start;
                b->start = 0;
                return b->size - b->end;
        }
        if (b->end >= limit)
                return 0;
        grown = realloc(b, sizeof(*b) + 2 * b->size);
        if (!grown)
                return 0;
        grown->size *= 2;
        *buffer = grown;
        return grown->size - grown->end;
}
