/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "body.h"

void hot__body_open(struct hot__body *body)
{
        pthread_mutex_init(&body->lock, NULL);
        pthread_cond_init(&body->changed, NULL);
        body->at = 0;
        body->ended = body->stopped = false;
        body->error = 0;
        body->streamed = true;
}

void hot__body_close(struct hot__body *body)
{
        if (!body->streamed)
                return;
        body->streamed = false;
        hot__bytes_done(&body->bytes);
        pthread_cond_destroy(&body->changed);
        pthread_mutex_destroy(&body->lock);
}

/* What was read makes room at the front before the memory grows. */
static int append(struct hot__body *body, const void *data, size_t len)
{
        struct hot__bytes *bytes = &body->bytes;

        if (body->at) {
                memmove(bytes->data, bytes->data + body->at, bytes->len - body->at);
                bytes->len -= body->at;
                body->at = 0;
        }
        return hot__bytes_append(bytes, data, len);
}

int hot__body_put(struct hot__body *body, const void *data, size_t len)
{
        int r;

        if (!body->streamed)
                return 0;
        pthread_mutex_lock(&body->lock);
        r = append(body, data, len);
        pthread_cond_signal(&body->changed);
        pthread_mutex_unlock(&body->lock);
        return r;
}

static void finish(struct hot__body *body, int error)
{
        if (!body->streamed)
                return;
        pthread_mutex_lock(&body->lock);
        if (!body->ended && !body->error) {
                body->ended = error == 0;
                body->error = error;
        }
        pthread_cond_signal(&body->changed);
        pthread_mutex_unlock(&body->lock);
}

void hot__body_end(struct hot__body *body)
{
        finish(body, 0);
}

void hot__body_fail(struct hot__body *body, int error)
{
        finish(body, error);
}

bool hot__body_is_full(struct hot__body *body)
{
        bool full;

        if (!body->streamed)
                return false;
        pthread_mutex_lock(&body->lock);
        full = body->bytes.len - body->at >= HOT__BODY_WINDOW;
        body->stopped = full;
        pthread_mutex_unlock(&body->lock);
        return full;
}

ssize_t hot__body_read(struct hot__body *body, void *buffer, size_t size, bool *ret_room)
{
        struct hot__bytes *bytes = &body->bytes;
        size_t n;

        pthread_mutex_lock(&body->lock);
        while (bytes->len == body->at && !body->ended && !body->error)
                pthread_cond_wait(&body->changed, &body->lock);
        n = bytes->len - body->at;
        if (n == 0) {
                int error = body->error;

                pthread_mutex_unlock(&body->lock);
                *ret_room = false;
                return error;
        }
        n = n < size ? n : size;
        memcpy(buffer, bytes->data + body->at, n);
        body->at += n;
        *ret_room = body->stopped && bytes->len - body->at <= HOT__BODY_WINDOW / 2;
        if (*ret_room)
                body->stopped = false;
        pthread_mutex_unlock(&body->lock);
        return (ssize_t)n;
}
