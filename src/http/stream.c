/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

/* Room for "ffffffff\r\n" before the content and "\r\n0\r\n\r\n" behind it. */
#define BEFORE 16
#define BEHIND 16

int hot__stream_init(struct hot__stream *stream)
{
        int r = pthread_mutex_init(&stream->lock, NULL);

        if (r)
                return -r;
        r = pthread_cond_init(&stream->turn, NULL);
        if (r)
                pthread_mutex_destroy(&stream->lock);
        hot__stream_clear(stream);
        return -r;
}

void hot__stream_clear(struct hot__stream *stream)
{
        if (stream->done)
                stream->done(stream->data);
        free(stream->memory);
        stream->memory = NULL;
        hot__bytes_done(&stream->trailers);
        stream->filled = 0;
        stream->sent = 0;
        stream->chunked = stream->muted = stream->ended = stream->with_loop = false;
        stream->waits = false;
        stream->beat_ms = 0;
        stream->file = NULL;
        stream->remaining = -1;
        stream->producer = NULL;
        stream->data = NULL;
        stream->done = NULL;
        stream->save = NULL;
        stream->save_version = 0;
        stream->seal = NULL;
        stream->leave = NULL;
        stream->result = 0;
}

void hot__stream_done(struct hot__stream *stream)
{
        hot__stream_clear(stream);
        pthread_cond_destroy(&stream->turn);
        pthread_mutex_destroy(&stream->lock);
}

int hot__stream_prepare(struct hot__stream *stream)
{
        if (!stream->memory)
                stream->memory = malloc(BEFORE + HOT__STREAM_PIECE + BEHIND);
        return stream->memory ? 0 : -ENOMEM;
}

size_t hot__stream_fill(struct hot__stream *stream, const void *data, size_t len)
{
        size_t room = HOT__STREAM_PIECE - stream->filled;
        size_t n = len < room ? len : room;

        if (n)
                memcpy(stream->memory + BEFORE + stream->filled, data, n);
        stream->filled += n;
        return n;
}

int hot__stream_produce(struct hot__stream *stream)
{
        size_t size = HOT__STREAM_PIECE;
        ssize_t n;

        if (stream->remaining >= 0 && (uint64_t)stream->remaining < size)
                size = (size_t)stream->remaining;
        n = size ? stream->producer(stream->data, stream->memory + BEFORE, size) : 0;
        stream->waits = n == -EAGAIN;
        if (n < 0)
                return (int)n;
        if ((size_t)n > size)
                return -EINVAL;
        if (n == 0 && stream->remaining > 0)
                return -EPIPE; /* it promised more: only a cut can tell the client */
        stream->filled = (size_t)n;
        if (stream->remaining >= 0)
                stream->remaining -= n;
        return 0;
}

/* The last chunk, and the trailers between its two line ends. */
static char *end_chunks(const struct hot__stream *stream, char *end)
{
        end = mempcpy(end, "0\r\n", 3);
        if (stream->trailers.len)
                end = mempcpy(end, stream->trailers.data, stream->trailers.len);
        return mempcpy(end, "\r\n", 2);
}

/* Trailers are rare: their room is made when they are there. Without it they are left out. */
static void make_room(struct hot__stream *stream)
{
        char *memory;

        if (!stream->trailers.len)
                return;
        memory =
                realloc(stream->memory, BEFORE + HOT__STREAM_PIECE + BEHIND + stream->trailers.len);
        if (memory)
                stream->memory = memory;
        else
                stream->trailers.len = 0;
}

static const char *frame_chunk(struct hot__stream *stream, bool last, size_t *ret_len)
{
        char *content = stream->memory + BEFORE;
        char *end = content + stream->filled;
        char size[BEFORE];
        size_t size_len = 0;

        if (stream->filled) {
                size_len = (size_t)snprintf(size, sizeof(size), "%zx\r\n", stream->filled);
                memcpy(content - size_len, size, size_len);
                memcpy(end, "\r\n", 2);
                end += 2;
        }
        if (last)
                end = end_chunks(stream, end);
        *ret_len = (size_t)(end - content) + size_len;
        return content - size_len;
}

void hot__stream_frame(struct hot__stream *stream, bool last, const char **ret_data,
                       size_t *ret_len)
{
        *ret_data = NULL;
        *ret_len = 0;
        if (!stream->muted)
                stream->sent += stream->filled;
        if (stream->muted) {
                stream->filled = 0;
        } else if (stream->chunked) {
                if (last)
                        make_room(stream);
                *ret_data = frame_chunk(stream, last, ret_len);
        } else {
                *ret_data = stream->memory + BEFORE;
                *ret_len = stream->filled;
        }
        if (last)
                stream->ended = true;
}

void hot__stream_give(struct hot__stream *stream)
{
        pthread_mutex_lock(&stream->lock);
        stream->with_loop = true;
        pthread_mutex_unlock(&stream->lock);
}

int hot__stream_wait(struct hot__stream *stream)
{
        int r;

        pthread_mutex_lock(&stream->lock);
        while (stream->with_loop)
                pthread_cond_wait(&stream->turn, &stream->lock);
        r = stream->result;
        pthread_mutex_unlock(&stream->lock);
        return r;
}

void hot__stream_return(struct hot__stream *stream, int result)
{
        pthread_mutex_lock(&stream->lock);
        if (stream->with_loop) {
                stream->with_loop = false;
                stream->result = result;
                stream->filled = 0;
                pthread_cond_signal(&stream->turn);
        }
        pthread_mutex_unlock(&stream->lock);
}
