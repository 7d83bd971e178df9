/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_TUNNEL_H
#define HOTSTART_TUNNEL_H

/*
 * Tunnels: after "Upgrade: PROTOCOL" and its 101, or after CONNECT and its 200, a connection of HTTP/1.1 is a pair of
 * streams of bytes that mean something to the host alone.
 *
 * A tunnel is valid until .closed has returned, and for whoever holds it until it is released. The functions that
 * take one are thread-safe; the callbacks are called on its loop's thread, one at a time, and must not block.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hotstart/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hot_tunnel;

/* Zero every member you do not care for. All but .bytes may be NULL. */
struct hot_tunnel_handler {
        size_t size; /* sizeof(struct hot_tunnel_handler) */

        /* A request that is sound. @response is for header fields, or with a status to refuse it: return a negative
         * errno for that, which is 403 without one. *ret_state is what the others are called with. What is sent
         * here follows the response. */
        int (*open)(struct hot_tunnel *tunnel, const struct hot_http_request *request,
                    struct hot_http_response *response, void *data, void **ret_state);

        /* What has come, lent for the call. Return how much of it was taken: if that is less than @length the rest
         * comes again, first, after hot_tunnel_resume(), and the peer has to wait meanwhile. */
        size_t (*bytes)(struct hot_tunnel *tunnel, const void *bytes, size_t length, void *state);

        /* The peer sends no more. We may: hot_tunnel_end() has to follow. NULL: it does. */
        void (*ended)(struct hot_tunnel *tunnel, void *state);

        /* Everything that was queued has been sent: after -EAGAIN it can go on. */
        void (*room)(struct hot_tunnel *tunnel, void *state);

        /* The last call: 0 (both sides have ended), a negative errno (it broke: why), or HOT_HTTP_MOVED: it goes on in
         * another generation with what .save has said. */
        void (*closed)(struct hot_tunnel *tunnel, int error, void *state);

        size_t queue_size;    /* of what waits to be sent, 262144 */
        unsigned int idle_ms; /* without a byte either way until it is given up; 0: no limit */

        /* Both or none: how a tunnel goes on in the next generation when the server is restarted, at any byte. What
         * was not taken travels, and what was accepted to be sent. As those of struct hot_websocket_handler. */
        ssize_t (*save)(struct hot_tunnel *tunnel, void *buffer, size_t size, void *state);
        int (*restore)(struct hot_tunnel *tunnel, const void *bytes, size_t length,
                       uint32_t version, void *data, void **ret_state);
        uint32_t version; /* of the format of what .save writes */
};

/*
 * Serve tunnels: to "Upgrade: @protocol" at a path; or with NULL to CONNECT, for which @path is "/": who is to be
 * reached is the request's target. Without such a call CONNECT is 501. @handler is copied. Returns as
 * hot_http_handle().
 */
HOT_EXPORT int hot_http_handle_upgrade(struct hot_http *server, const char *path,
                                       const char *protocol,
                                       const struct hot_tunnel_handler *handler, void *data);

/*
 * Queue bytes: all of them or none. Returns 0, -EAGAIN (queue_size bytes wait already: see .room), -EPIPE (ended here,
 * or closed), -ESTALE (it goes on in another generation, which has all that was accepted before) or -ENOMEM.
 */
HOT_EXPORT int hot_tunnel_send(struct hot_tunnel *tunnel, const void *bytes, size_t length);

/* Have .bytes called again, after it took less than there was. Returns 0 or -EPIPE or -ESTALE. */
HOT_EXPORT int hot_tunnel_resume(struct hot_tunnel *tunnel);

/* Send no more, after what is queued: the peer reads its end. Returns 0, -EPIPE or -ESTALE. */
HOT_EXPORT int hot_tunnel_end(struct hot_tunnel *tunnel);

/* What .open or .restore has set. */
HOT_EXPORT void *hot_tunnel_state(const struct hot_tunnel *tunnel);

/* Keep its memory beyond .closed; and no more. NULL is released too. */
HOT_EXPORT void hot_tunnel_hold(struct hot_tunnel *tunnel);
HOT_EXPORT void hot_tunnel_release(struct hot_tunnel *tunnel);

#ifdef __cplusplus
}
#endif

#endif
