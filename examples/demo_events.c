/* SPDX-License-Identifier: MIT */
#include "demo_events.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct stream {
        struct stream *next;
        struct hot_http_events *events; /* held */
        uint64_t id;                    /* of the last event */
};

/* One thread for all streams, which is there as long as there is one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stream *streams;
static bool ticking;

static void send_next(struct stream *stream)
{
        char id[32];

        snprintf(id, sizeof(id), "%" PRIu64, stream->id + 1);
        /* A client that is too slow misses none: the number waits with the event. */
        if (hot_http_events_send(stream->events, NULL, id, id) == 0)
                stream->id++;
}

static void *tick(void *unused)
{
        const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

        (void)unused;
        pthread_mutex_lock(&lock);
        while (streams) {
                for (struct stream *stream = streams; stream; stream = stream->next)
                        send_next(stream);
                pthread_mutex_unlock(&lock);
                clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
                pthread_mutex_lock(&lock);
        }
        ticking = false;
        pthread_mutex_unlock(&lock);
        return NULL;
}

/* Signals are for the thread that runs the server. */
static bool start_ticking(void)
{
        sigset_t all, before;
        pthread_t thread;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, NULL, tick, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r == 0)
                pthread_detach(thread);
        return r == 0;
}

static void closed(struct hot_http_events *events, void *data)
{
        struct stream *stream = data;

        pthread_mutex_lock(&lock);
        for (struct stream **at = &streams; *at; at = &(*at)->next)
                if (*at == stream) {
                        *at = stream->next;
                        break;
                }
        pthread_mutex_unlock(&lock);
        hot_http_events_release(events);
        free(stream);
}

static void add(struct stream *stream)
{
        pthread_mutex_lock(&lock);
        stream->next = streams;
        streams = stream;
        if (!ticking)
                ticking = start_ticking();
        if (!ticking)
                hot_http_events_end(stream->events);
        pthread_mutex_unlock(&lock);
}

static void events(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        const char *last = hot_http_request_header(request, "Last-Event-ID");
        struct stream *stream = calloc(1, sizeof(*stream));
        const struct hot_http_events_options options = {
                .size = sizeof(options), .closed = closed, .data = stream};

        (void)data;
        if (stream && hot_http_response_events(response, &options, &stream->events) == 0) {
                stream->id = last ? strtoull(last, NULL, 10) : 0;
                hot_http_events_hold(stream->events);
                add(stream);
                return;
        }
        free(stream);
        hot_http_response_status(response, 503);
}

/* A stream has no end of its own: one that waited for it would keep the old process for as long as it may drain. */
static void leave(struct hot_http *server, void *data)
{
        (void)server, (void)data;
        pthread_mutex_lock(&lock);
        for (struct stream *stream = streams; stream; stream = stream->next)
                hot_http_events_end(stream->events);
        pthread_mutex_unlock(&lock);
}

void demo_events_add(struct hot_http *server)
{
        hot_http_handle(server, "GET", "/events", events, NULL);
        hot_http_on_shutdown(server, leave, NULL);
}
