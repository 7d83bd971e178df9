/* SPDX-License-Identifier: MIT */
#include "demo_events.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000ULL

struct stream {
        struct stream *prev, *next;
        struct hot_http_events *events;
        uint64_t due; /* CLOCK_MONOTONIC ns */
        struct {
                uint64_t number; /* of the next event */
                uint64_t ms;     /* between two */
        } saved;                 /* what goes to the next generation */
};

static struct {
        struct hot_http *server;
        pthread_mutex_t lock; /* of all that follows */
        pthread_cond_t changed;
        struct stream streams; /* the head of a ring */
        pthread_t thread;
        bool running, ends;
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .streams = {.prev = &ticker.streams, .next = &ticker.streams}};

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* An event that a stream does not take, because its client is slow or it is on its way elsewhere, keeps its number:
 * the next one that is taken has it. */
static void tick(struct stream *stream, uint64_t now)
{
        char id[24], data[96];

        snprintf(id, sizeof(id), "%" PRIu64, stream->saved.number);
        snprintf(data, sizeof(data), "{\"n\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"pid\":%d}",
                 stream->saved.number, hot_http_generation(ticker.server), (int)getpid());
        if (hot_http_events_send(stream->events, NULL, id, data) == 0)
                stream->saved.number++;
        stream->due += stream->saved.ms * NS_PER_MS;
        if (stream->due < now)
                stream->due = now;
}

static void *run(void *unused)
{
        (void)unused;
        pthread_mutex_lock(&ticker.lock);
        while (!ticker.ends) {
                uint64_t now = now_ns(), next = now + 1000 * NS_PER_MS;
                struct timespec until;

                for (struct stream *s = ticker.streams.next; s != &ticker.streams; s = s->next) {
                        if (s->due <= now)
                                tick(s, now);
                        if (s->due < next)
                                next = s->due;
                }
                until.tv_sec = (time_t)(next / 1000000000);
                until.tv_nsec = (long)(next % 1000000000);
                pthread_cond_timedwait(&ticker.changed, &ticker.lock, &until);
        }
        pthread_mutex_unlock(&ticker.lock);
        return NULL;
}

/* With the lock held. */
static int start(void)
{
        pthread_condattr_t monotonic;
        int r;

        if (ticker.running)
                return 0;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&ticker.changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        r = pthread_create(&ticker.thread, NULL, run, NULL);
        ticker.running = r == 0;
        return -r;
}

static int add(struct stream *stream)
{
        int r;

        pthread_mutex_lock(&ticker.lock);
        r = start();
        stream->due = now_ns();
        stream->prev = &ticker.streams;
        stream->next = ticker.streams.next;
        stream->prev->next = stream->next->prev = stream;
        if (r == 0)
                pthread_cond_signal(&ticker.changed);
        pthread_mutex_unlock(&ticker.lock);
        return r;
}

/* It has ended, or moved: nobody sends to it any more. */
static void closed(struct hot_http_events *events, void *data)
{
        struct stream *stream = data;

        (void)events;
        pthread_mutex_lock(&ticker.lock);
        stream->prev->next = stream->next;
        stream->next->prev = stream->prev;
        pthread_mutex_unlock(&ticker.lock);
        free(stream);
}

/* From the moment of this call no event is taken any more: the number stays as it is. */
static ssize_t save(struct hot_http_events *events, void *buffer, size_t size, void *data)
{
        const struct stream *stream = data;

        (void)events;
        pthread_mutex_lock(&ticker.lock);
        if (size >= sizeof(stream->saved))
                memcpy(buffer, &stream->saved, sizeof(stream->saved));
        pthread_mutex_unlock(&ticker.lock);
        return sizeof(stream->saved);
}

static int begin(struct hot_http_response *response, uint64_t number, uint64_t ms)
{
        struct stream *stream = calloc(1, sizeof(*stream));
        struct hot_http_events_options options = {
                .size = sizeof(options),
                .closed = closed,
                .save = save,
                .version = 1,
                .data = stream,
        };
        int r;

        if (!stream)
                return -ENOMEM;
        stream->saved.number = number;
        stream->saved.ms = ms;
        stream->prev = stream->next = stream;
        r = hot_http_response_events(response, &options, &stream->events);
        if (r < 0)
                free(stream);
        return r < 0 ? r : add(stream);
}

static void handle(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        const char *last = hot_http_request_header(request, "Last-Event-ID");
        char text[24] = "50";
        uint64_t ms;

        (void)data;
        hot_http_request_parameter(request, "ms", text, sizeof(text));
        ms = strtoull(text, NULL, 10);
        begin(response, last ? strtoull(last, NULL, 10) + 1 : 1, ms > 0 && ms <= 3600000 ? ms : 50);
}

static int restore(const struct hot_http_request *request, struct hot_http_response *response,
                   const struct hot_http_saved *saved, void *data)
{
        struct stream stream;

        (void)request, (void)data;
        if (saved->version != 1 || saved->length != sizeof(stream.saved))
                return -EPROTONOSUPPORT;
        memcpy(&stream.saved, saved->bytes, sizeof(stream.saved));
        return begin(response, stream.saved.number, stream.saved.ms);
}

void demo_events_add(struct hot_http *server)
{
        ticker.server = server;
        hot_http_handle(server, "GET", "/events", handle, NULL);
        hot_http_on_restore(server, "GET", "/events", restore);
}

void demo_events_done(void)
{
        if (!ticker.running)
                return;
        pthread_mutex_lock(&ticker.lock);
        ticker.ends = true;
        pthread_cond_signal(&ticker.changed);
        pthread_mutex_unlock(&ticker.lock);
        pthread_join(ticker.thread, NULL);
}
