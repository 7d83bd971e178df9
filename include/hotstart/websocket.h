/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_WEBSOCKET_H
#define HOTSTART_WEBSOCKET_H

/*
 * WebSockets (RFC 6455), over HTTP/1.1. The library answers the handshake, pings and closes, checks that text is
 * UTF-8, and puts fragments together; what it does not like it closes with the code that says why.
 *
 * A socket is valid until .closed has returned, and for whoever holds it until it is released. The
 * functions that take one are thread-safe; the callbacks are called on its loop's thread, one at a time, and must not
 * block.
 */

#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hot_websocket;

enum hot_websocket_type {
        HOT_WEBSOCKET_TEXT = 1,
        HOT_WEBSOCKET_BINARY = 2,
};

/* Zero every member you do not care for. All but .message may be NULL. */
struct hot_websocket_handler {
        size_t size; /* sizeof(struct hot_websocket_handler) */

        /* A handshake that is sound. @response is for header fields (Sec-WebSocket-Protocol, say), or with a
         * status to refuse it: return a negative errno for that, which is 403 without one. *ret_state is what
         * the others are called with. Messages sent here follow the handshake. */
        int (*open)(struct hot_websocket *socket, const struct hot_http_request *request,
                    struct hot_http_response *response, void *data, void **ret_state);

        /* A whole message, lent for the call. @type is an enum hot_websocket_type. */
        void (*message)(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                        void *state);

        /* Everything that was queued has been sent: after -EAGAIN it can go on. */
        void (*room)(struct hot_websocket *socket, void *state);

        /* The last call: the peer's code, 1005 (it gave none), 1006 (it did not close, it went), or
         * HOT_HTTP_MOVED: it is not closed, but goes on in another generation with what .save has said. */
        void (*closed)(struct hot_websocket *socket, int code, void *state);

        size_t message_size; /* of one received, 1 MiB; more is closed with 1009 */
        size_t queue_size; /* of what waits to be sent, 1 MiB; half of it, and no more is received */
        unsigned int ping_ms; /* of silence until a ping, and again until it is given up, 30000 */

        /* Both or none: how a socket goes on in the next generation when the server is restarted, at any
         * byte. What was received of a message travels, and what was accepted to be sent. */

        /* Write what there is to know of it to @buffer, of which there may be less than it takes: return how many
         * bytes it takes, and if that is more than @size it is called again. .closed follows. Or a negative
         * errno: it stays here, until the drain deadline. From here on hot_websocket_send() is -ESTALE. */
        ssize_t (*save)(struct hot_websocket *socket, void *buffer, size_t size, void *state);

        /* What a predecessor's .save has written, lent for the call, instead of .open. Return 0, or a negative
         * errno: then the predecessor goes on with it. It may also be this generation's own, come back. */
        int (*restore)(struct hot_websocket *socket, const void *bytes, size_t length,
                       uint32_t version, void *data, void **ret_state);

        uint32_t version; /* of the format of what .save writes: .restore is told it */
};

/* Serve WebSockets at a path. @handler is copied. Returns as hot_http_handle(). */
HOT_EXPORT int hot_http_handle_websocket(struct hot_http *server, const char *path,
                                         const struct hot_websocket_handler *handler, void *data);

/*
 * Queue a message. Returns 0, -EAGAIN (queue_size bytes wait already: see .room), -EPIPE (closed, or being
 * closed), -ESTALE (it goes on in another generation, which has all that was accepted before), -EINVAL or
 * -ENOMEM.
 */
HOT_EXPORT int hot_websocket_send(struct hot_websocket *socket, int type, const void *data,
                                  size_t length);

/*
 * Close it, with a code of RFC 6455 (1000: that was all) and up to 123 bytes of UTF-8 for the reason, or NULL.
 * What is queued is sent before. Returns 0, -EPIPE, -ESTALE or -EINVAL.
 */
HOT_EXPORT int hot_websocket_close(struct hot_websocket *socket, int code, const char *reason);

/* What .open has set. */
HOT_EXPORT void *hot_websocket_state(const struct hot_websocket *socket);

/* Keep its memory beyond .closed; and no more. NULL is released too. */
HOT_EXPORT void hot_websocket_hold(struct hot_websocket *socket);
HOT_EXPORT void hot_websocket_release(struct hot_websocket *socket);

#ifdef __cplusplus
}
#endif

#endif
