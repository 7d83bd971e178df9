/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_EVENTS_H
#define HOTSTART_EVENTS_H

/*
 * Server-sent events (text/event-stream): a response that goes on until somebody ends it, by whoever has
 * something to say, on any thread. A client that comes back tells with Last-Event-ID which id it had last.
 *
 * The stream is valid until .closed has returned, and for whoever holds it until it is released.
 */

#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hot_http_events;

struct hot_http_events_options {
        size_t size;               /* sizeof(struct hot_http_events_options) */
        size_t queue_size;         /* bytes that wait for a slow client, 262144 */
        unsigned int heartbeat_ms; /* of silence until a comment is sent, 15000 */
        /* It has ended, whoever ended it; on its loop's thread. May be NULL. */
        void (*closed)(struct hot_http_events *events, void *data);
        void *data; /* for .closed */
};

/*
 * Make the response a stream of events. @options may be NULL. Returns 0, -EINVAL, -EALREADY (already a stream,
 * or written to) or -ENOMEM.
 */
HOT_EXPORT int hot_http_response_events(struct hot_http_response *response,
                                        const struct hot_http_events_options *options,
                                        struct hot_http_events **ret_events);

/*
 * Send an event. @event and @id, a line each, may be NULL; @data may have several lines. Thread-safe. Returns
 * 0, -EAGAIN (the client is too slow: the queue is full), -EPIPE (it has ended), -EINVAL or -ENOMEM.
 */
HOT_EXPORT int hot_http_events_send(struct hot_http_events *events, const char *event,
                                    const char *id, const char *data);

/* End it after what is queued. Thread-safe. */
HOT_EXPORT void hot_http_events_end(struct hot_http_events *events);

/* Keep its memory beyond .closed; and no more. NULL is released too. */
HOT_EXPORT void hot_http_events_hold(struct hot_http_events *events);
HOT_EXPORT void hot_http_events_release(struct hot_http_events *events);

#ifdef __cplusplus
}
#endif

#endif
