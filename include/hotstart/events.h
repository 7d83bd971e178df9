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
        /* It has ended here, whoever ended it, or goes on in another generation; on its loop's thread. May be
         * NULL. */
        void (*closed)(struct hot_http_events *events, void *data);
        void *data; /* for .closed and .save */
        /* How it goes on when the server is restarted: as hot_http_saver. What is queued travels. From here on
         * hot_http_events_send() is -ESTALE. NULL: it stays, and ends shortly before the drain deadline. At a stop streams end at once. */
        ssize_t (*save)(struct hot_http_events *events, void *buffer, size_t size, void *data);
        uint32_t version; /* of the format of what .save writes */
};

/*
 * Make the response a stream of events, in a handler or a hot_http_restorer. @options may be NULL. Returns 0, -EINVAL, -EALREADY (already a stream,
 * or written to) or -ENOMEM.
 */
HOT_EXPORT int hot_http_response_events(struct hot_http_response *response,
                                        const struct hot_http_events_options *options,
                                        struct hot_http_events **ret_events);

/*
 * Send an event. @event and @id, a line each, may be NULL; @data may have several lines. Thread-safe. Returns
 * 0, -EAGAIN (the client is too slow: the queue is full), -EPIPE (it has ended), -ESTALE (it goes on in another
 * generation, which has all that was accepted before), -EINVAL or -ENOMEM.
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
