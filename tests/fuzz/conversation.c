/* SPDX-License-Identifier: MIT */
#include "conversation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hotstart/http.h>

#include "connection.h"
#include "server.h"
#include "worker.h"

#define TURNS_MAX 2000

static void on_any(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        size_t len;
        const char *body = hot_http_request_body(request, &len);

        (void)data;
        hot_http_response_printf(response, "%s %s %zu\n", hot_http_request_method(request),
                                 hot_http_request_path(request), len);
        hot_http_response_write(response, body, len);
}

static ssize_t produce(void *data, char *buffer, size_t size)
{
        size_t *left = data;
        size_t n = *left < size ? *left : size;

        memset(buffer, 'p', n);
        *left -= n;
        return (ssize_t)n;
}

static void on_produced(const struct hot_http_request *request, struct hot_http_response *response,
                        void *data)
{
        size_t *left = malloc(sizeof(*left));

        (void)request, (void)data;
        *left = 100;
        if (hot_http_response_produce(response, -1, produce, left, free) < 0)
                free(left);
}

/* Its length alone: a message that came may have been anything. */
static void on_message(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                       void *state)
{
        char text[24];
        int len = snprintf(text, sizeof(text), "%zu", length);

        (void)bytes, (void)state;
        if (type == HOT_WEBSOCKET_TEXT)
                hot_websocket_close(socket, 1000, text);
        else
                hot_websocket_send(socket, HOT_WEBSOCKET_TEXT, text, (size_t)len);
}

struct hot_http *conversation_server(void)
{
        static const struct hot_websocket_handler handler = {
                .size = sizeof(handler), .message = on_message, .message_size = 1000};
        const struct hot_http_options options = {
                .size = sizeof(options), .head_size = 1024, .body_size = 1000, .loops = 1};
        struct hot_http *server = NULL;

        assert(hot_http_new(&server, NULL, &options) == 0);
        hot_http_log_to(server, NULL, NULL);
        hot_http_handle(server, "GET", "/p", on_produced, NULL);
        hot_http_handle(server, "GET", "/g", on_any, NULL);
        hot_http_handle(server, "POST", "/g", on_any, NULL);
        hot_http_handle(server, NULL, "/a/", on_any, NULL);
        hot_http_handle_websocket(server, "/w", &handler, NULL);
        server->workers = calloc(1, sizeof(*server->workers));
        assert(server->workers && hot__worker_init(server->workers, server) == 0);
        server->n_workers = 1;
        return server;
}

static void turn(struct hot__worker *worker)
{
        hot__loop_run_once(&worker->loop);
}

/* Returns false at the server's end. */
static bool receive(int fd, struct answers *answers)
{
        ssize_t n;

        do {
                n = recv(fd, answers->bytes + answers->len, ANSWERS_MAX - answers->len,
                         MSG_DONTWAIT);
                answers->len += n > 0 ? (size_t)n : 0;
        } while (n > 0);
        assert(answers->len < ANSWERS_MAX);
        return n < 0;
}

void converse(struct hot_http *server, const uint8_t *data, size_t size, size_t piece,
              struct answers *answers)
{
        struct hot__worker *worker = server->workers;
        bool open = true;
        int pair[2];

        assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        atomic_fetch_add(&server->connections, 1);
        hot__connection_take(worker, &(struct hot__accepted){.fd = pair[0]});
        for (size_t at = 0; at < size && open;) {
                size_t n = size - at < piece ? size - at : piece;
                ssize_t sent = send(pair[1], data + at, n, MSG_NOSIGNAL);

                at += sent > 0 ? (size_t)sent : 0;
                turn(worker);
                open = receive(pair[1], answers);
        }
        shutdown(pair[1], SHUT_WR);
        for (int i = 0; i < TURNS_MAX && worker->roster.n > 0; i++) {
                turn(worker);
                receive(pair[1], answers);
        }
        assert(worker->roster.n == 0 && atomic_load(&server->connections) == 0);
        receive(pair[1], answers);
        turn(worker); /* what is closed is freed */
        close(pair[1]);
}
