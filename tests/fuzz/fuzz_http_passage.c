/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a connection of another generation, whatever it speaks: it is refused, or there is a connection that
 * could go on, with a host that has restored what is above it. What its items say can be packed again, and says
 * the same.
 *
 * The first byte is the kind, the second the length of what it has to send first; then its state.
 */
#include "target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "luggage.h"
#include "move.h"
#include "server.h"

static size_t restored, ended;

static int restore_socket(struct hot_websocket *socket, const void *bytes, size_t length,
                          uint32_t version, void *data, void **ret_state)
{
        (void)data, (void)ret_state;
        if (version == 3)
                return -EPROTO;
        restored++;
        assert(length == 0 || bytes);
        return hot_websocket_send(socket, HOT_WEBSOCKET_BINARY, bytes, length);
}

static void socket_closed(struct hot_websocket *socket, int code, void *state)
{
        (void)socket, (void)code, (void)state;
        ended++;
}

static ssize_t save_socket(struct hot_websocket *socket, void *buffer, size_t size, void *state)
{
        (void)socket, (void)buffer, (void)size, (void)state;
        return 0;
}

static void message(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                    void *state)
{
        (void)socket, (void)type, (void)bytes, (void)length, (void)state;
}

static int restore_tunnel(struct hot_tunnel *tunnel, const void *bytes, size_t length,
                          uint32_t version, void *data, void **ret_state)
{
        (void)data, (void)ret_state;
        if (version == 3)
                return -EPROTO;
        restored++;
        assert(hot_tunnel_resume(tunnel) == 0);
        hot_tunnel_send(tunnel, bytes, length);
        return 0;
}

static void tunnel_closed(struct hot_tunnel *tunnel, int error, void *state)
{
        (void)tunnel, (void)error, (void)state;
        ended++;
}

static size_t tunnel_bytes(struct hot_tunnel *tunnel, const void *bytes, size_t length, void *state)
{
        (void)tunnel, (void)bytes, (void)state;
        return length;
}

static ssize_t save_tunnel(struct hot_tunnel *tunnel, void *buffer, size_t size, void *state)
{
        (void)tunnel, (void)buffer, (void)size, (void)state;
        return 0;
}

static ssize_t produce(void *data, char *buffer, size_t size)
{
        (void)data, (void)buffer, (void)size;
        return -EAGAIN;
}

static void produced(void *data)
{
        (void)data;
        ended++;
}

static int restore_stream(const struct hot_http_request *request,
                          struct hot_http_response *response, const struct hot_http_saved *saved,
                          void *data)
{
        const char *name, *value;

        (void)data;
        for (size_t i = 0; hot_http_request_header_at(request, i, &name, &value); i++)
                assert(*name);
        assert(*hot_http_request_path(request) == '/' && *hot_http_request_id(request));
        if (saved->version == 3)
                return -EPROTO;
        restored++;
        assert(hot_http_response_produce(response, -1, produce, NULL, produced) == 0);
        return hot_http_response_resume(response);
}

static void nothing(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)response, (void)data;
}

static struct hot_http *set_up(void)
{
        const struct hot_websocket_handler socket = {.size = sizeof(socket),
                                                     .message = message,
                                                     .closed = socket_closed,
                                                     .save = save_socket,
                                                     .restore = restore_socket};
        const struct hot_tunnel_handler tunnel = {.size = sizeof(tunnel),
                                                  .bytes = tunnel_bytes,
                                                  .closed = tunnel_closed,
                                                  .save = save_tunnel,
                                                  .restore = restore_tunnel};
        struct hot_http *server = NULL;

        hot_http_new(&server, "127.0.0.1:0", NULL);
        hot_http_handle(server, "GET", "/s", nothing, NULL);
        hot_http_on_restore(server, "GET", "/s", restore_stream);
        hot_http_handle_websocket(server, "/w", &socket, NULL);
        hot_http_handle_upgrade(server, "/t", "x", &tunnel, NULL);
        assert(hot_http_handle_upgrade(server, "/", NULL, &tunnel, NULL) == 0);
        return server;
}

static void check_items(const struct hot__bytes *state)
{
        struct hot__luggage luggage, again;
        struct hot__bytes bytes = {0};

        if (hot__luggage_unpack(&luggage, state->data, state->len) < 0)
                return;
        assert(hot__luggage_pack(&luggage, &bytes) == 0);
        assert(hot__luggage_unpack(&again, bytes.data, bytes.len) == 0);
        assert(again.head_len == luggage.head_len && again.state_len == luggage.state_len &&
               again.id_len == luggage.id_len && again.trailers_len == luggage.trailers_len);
        assert(again.version == luggage.version && again.flags == luggage.flags &&
               again.status == luggage.status && again.sent == luggage.sent &&
               again.began == luggage.began && again.remaining == luggage.remaining);
        hot__bytes_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const kinds[] = {"http/websocket", "http/tunnel", "http/stream",
                                            "http/1.1"};
        static struct hot_http *server;
        struct hot__passage passage;
        struct hot_connection connection = {.size = sizeof(connection), .version = 1, .fd = -EBADF};
        size_t output = size > 1 ? data[1] : 0;

        if (!server)
                server = set_up();
        if (size < 2 + output || size > 16384)
                return 0;
        connection.kind = kinds[data[0] % 4];
        connection.output = data + 2;
        connection.output_len = output;
        connection.state = data + 2 + output;
        connection.state_len = size - 2 - output;
        if (hot__passage_read(&passage, &connection) < 0)
                return 0;
        check_items(&passage.state);
        restored = ended = 0;
        if (passage.kind->admit && passage.kind->admit(server, &passage) == 0)
                assert(passage.guest && restored == 1 && ended == 0);
        hot__passage_done(&passage);
        assert(ended == restored);
        return 0;
}
