/* SPDX-License-Identifier: MIT */
#include "demo_live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo_events.h"

/* -- /ws -- */

struct talk {
        const struct hot_http *server;
        struct {
                uint64_t n; /* messages */
                uint64_t who;
        } saved; /* what goes to the next generation */
};

static struct talk *talk_new(const struct hot_http *server)
{
        struct talk *talk = calloc(1, sizeof(*talk));

        if (talk)
                talk->server = server;
        return talk;
}

static int ws_open(struct hot_websocket *socket, const struct hot_http_request *request,
                   struct hot_http_response *response, void *data, void **ret_state)
{
        const char *query = hot_http_request_query(request);
        struct talk *talk = talk_new(data);

        (void)socket, (void)response;
        if (!talk)
                return -ENOMEM;
        talk->saved.who = query && !strcmp(query, "who");
        *ret_state = talk;
        return 0;
}

/* What comes goes back. While the client does not take it no more comes: the queue has its bounds. */
static void ws_message(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                       void *state)
{
        struct talk *talk = state;
        char text[96];
        int len;

        talk->saved.n++;
        if (!talk->saved.who) {
                hot_websocket_send(socket, type, bytes, length);
                return;
        }
        len = snprintf(text, sizeof(text),
                       "{\"n\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"pid\":%d}", talk->saved.n,
                       hot_http_generation(talk->server), (int)getpid());
        hot_websocket_send(socket, HOT_WEBSOCKET_TEXT, text, (size_t)len);
}

static void ws_closed(struct hot_websocket *socket, int code, void *state)
{
        (void)socket, (void)code;
        free(state);
}

static ssize_t ws_save(struct hot_websocket *socket, void *buffer, size_t size, void *state)
{
        const struct talk *talk = state;

        (void)socket;
        if (size >= sizeof(talk->saved))
                memcpy(buffer, &talk->saved, sizeof(talk->saved));
        return sizeof(talk->saved);
}

static int ws_restore(struct hot_websocket *socket, const void *bytes, size_t length,
                      uint32_t version, void *data, void **ret_state)
{
        struct talk *talk;

        (void)socket;
        if (version != 1 || length != sizeof(talk->saved))
                return -EPROTONOSUPPORT;
        talk = talk_new(data);
        if (!talk)
                return -ENOMEM;
        memcpy(&talk->saved, bytes, sizeof(talk->saved));
        *ret_state = talk;
        return 0;
}

/* -- /tunnel -- */

/* What cannot be sent back yet is not taken: the client has to wait with more. */
static size_t tunnel_bytes(struct hot_tunnel *tunnel, const void *bytes, size_t length, void *state)
{
        (void)state;
        return hot_tunnel_send(tunnel, bytes, length) == 0 ? length : 0;
}

static void tunnel_room(struct hot_tunnel *tunnel, void *state)
{
        (void)state;
        hot_tunnel_resume(tunnel);
}

/* There is nothing to know of it. */
static ssize_t tunnel_save(struct hot_tunnel *tunnel, void *buffer, size_t size, void *state)
{
        (void)tunnel, (void)buffer, (void)size, (void)state;
        return 0;
}

static int tunnel_restore(struct hot_tunnel *tunnel, const void *bytes, size_t length,
                          uint32_t version, void *data, void **ret_state)
{
        (void)tunnel, (void)bytes, (void)length, (void)data, (void)ret_state;
        return version == 1 ? 0 : -EPROTONOSUPPORT;
}

void demo_live_add(struct hot_http *server)
{
        const struct hot_websocket_handler talk = {
                .size = sizeof(talk),
                .open = ws_open,
                .message = ws_message,
                .closed = ws_closed,
                .save = ws_save,
                .restore = ws_restore,
                .version = 1,
        };
        const struct hot_tunnel_handler echo = {
                .size = sizeof(echo),
                .bytes = tunnel_bytes,
                .room = tunnel_room,
                .save = tunnel_save,
                .restore = tunnel_restore,
                .version = 1,
        };

        hot_http_handle_websocket(server, "/ws", &talk, server);
        hot_http_handle_upgrade(server, "/tunnel", "echo", &echo, NULL);
        demo_events_add(server);
}

void demo_live_done(void)
{
        demo_events_done();
}
