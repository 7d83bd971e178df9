/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "events.h"
#include "response.h"

#define QUEUE_SIZE   262144
#define HEARTBEAT_MS 15000
#define QUEUE_KEEP   4096

struct hot_http_events {
        atomic_uint shares;
        size_t queue_size;
        void (*closed)(struct hot_http_events *events, void *data);
        ssize_t (*save)(struct hot_http_events *events, void *buffer, size_t size, void *data);
        void *data; /* the host's */
        pthread_mutex_t lock;
        struct hot_http_response *response; /* NULL: over */
        struct hot__bytes queue;            /* .at of it were sent */
        size_t at;
        bool ended;  /* nothing more is taken */
        bool moving; /* the same, but it goes on elsewhere */
};

void hot_http_events_hold(struct hot_http_events *events)
{
        atomic_fetch_add(&events->shares, 1);
}

void hot_http_events_release(struct hot_http_events *events)
{
        if (!events || atomic_fetch_sub(&events->shares, 1) != 1)
                return;
        hot__bytes_done(&events->queue);
        pthread_mutex_destroy(&events->lock);
        free(events);
}

static ssize_t produce(void *data, char *buffer, size_t size)
{
        struct hot_http_events *events = data;
        ssize_t n;

        pthread_mutex_lock(&events->lock);
        n = (ssize_t)(events->queue.len - events->at);
        if (n == 0)
                n = events->ended ? 0 : -EAGAIN;
        if (n > (ssize_t)size)
                n = (ssize_t)size;
        if (n > 0) {
                memcpy(buffer, events->queue.data + events->at, (size_t)n);
                events->at += (size_t)n;
        }
        if (events->at == events->queue.len) {
                hot__bytes_clear(&events->queue, QUEUE_KEEP);
                events->at = 0;
        }
        pthread_mutex_unlock(&events->lock);
        return n;
}

static void done(void *data)
{
        struct hot_http_events *events = data;

        pthread_mutex_lock(&events->lock);
        events->response = NULL;
        events->ended = true;
        pthread_mutex_unlock(&events->lock);
        if (events->closed)
                events->closed(events, events->data);
        hot_http_events_release(events);
}

static bool seal(void *data, bool sealed)
{
        struct hot_http_events *events = data;
        bool ended;

        pthread_mutex_lock(&events->lock);
        ended = events->ended;
        events->moving = sealed && !ended;
        pthread_mutex_unlock(&events->lock);
        return !ended;
}

static ssize_t save(void *data, void *buffer, size_t size)
{
        struct hot_http_events *events = data;

        return events->save(events, buffer, size, events->data);
}

/* No line of it may end before we end it. */
static bool is_line(const char *text)
{
        return !text || !strpbrk(text, "\r\n");
}

static void append_line(struct hot__bytes *queue, const char *name, const char *value, size_t len)
{
        hot__bytes_append_string(queue, name);
        hot__bytes_append(queue, value, len);
        hot__bytes_append_string(queue, "\n");
}

/* Each line of the data is a line of the event; a line ends in CR LF, LF or CR. */
static void append_data(struct hot__bytes *queue, const char *data)
{
        for (;;) {
                size_t len = strcspn(data, "\r\n");

                append_line(queue, "data: ", data, len);
                data += len;
                if (!*data)
                        return;
                data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
        }
}

/* With the lock held. Memory that was not to be had breaks the event, so the stream has to end. */
static int queued(struct hot_http_events *events)
{
        if (events->queue.failed) {
                events->queue.len = events->at;
                events->queue.failed = false;
                events->ended = true;
        }
        hot_http_response_resume(events->response);
        return events->ended ? -ENOMEM : 0;
}

int hot_http_events_send(struct hot_http_events *events, const char *event, const char *id,
                         const char *data)
{
        int r;

        if (!data || !is_line(event) || !is_line(id))
                return -EINVAL;
        pthread_mutex_lock(&events->lock);
        if (events->moving) {
                r = -ESTALE;
        } else if (events->ended) {
                r = -EPIPE;
        } else if (events->queue.len - events->at >= events->queue_size) {
                r = -EAGAIN;
        } else {
                if (event)
                        append_line(&events->queue, "event: ", event, strlen(event));
                if (id)
                        append_line(&events->queue, "id: ", id, strlen(id));
                append_data(&events->queue, data);
                hot__bytes_append_string(&events->queue, "\n");
                r = queued(events);
        }
        pthread_mutex_unlock(&events->lock);
        return r;
}

void hot_http_events_end(struct hot_http_events *events)
{
        pthread_mutex_lock(&events->lock);
        if (!events->moving) /* else that is for who has it then to say */
                events->ended = true;
        if (events->response)
                hot_http_response_resume(events->response);
        pthread_mutex_unlock(&events->lock);
}

static void leave(void *data)
{
        hot_http_events_end(data);
}

void hot__events_beat(void *data)
{
        struct hot_http_events *events = data;

        pthread_mutex_lock(&events->lock);
        hot__bytes_append_string(&events->queue, ":\n\n");
        queued(events);
        pthread_mutex_unlock(&events->lock);
}

int hot_http_response_events(struct hot_http_response *response,
                             const struct hot_http_events_options *options,
                             struct hot_http_events **ret_events)
{
        const struct hot_http_events_options defaults = {.size = sizeof(defaults)};
        struct hot_http_events *events;
        int r;

        if (!options)
                options = &defaults;
        if (options->size < sizeof(*options))
                return -EINVAL;
        events = calloc(1, sizeof(*events));
        if (!events)
                return -ENOMEM;
        atomic_store(&events->shares, 1);
        pthread_mutex_init(&events->lock, NULL);
        events->queue_size = options->queue_size ? options->queue_size : QUEUE_SIZE;
        events->data = options->data;
        events->response = response;
        r = hot_http_response_produce(response, -1, produce, events, done);
        if (r < 0) {
                hot_http_events_release(events);
                return r;
        }
        events->closed = options->closed;
        events->save = options->save;
        if (options->save)
                hot_http_response_save(response, save, options->version);
        response->stream.seal = seal;
        response->stream.leave = leave;
        response->stream.beat = hot__events_beat;
        response->stream.beat_ms = options->heartbeat_ms ? options->heartbeat_ms : HEARTBEAT_MS;
        hot__response_event_stream(response);
        *ret_events = events;
        return 0;
}
