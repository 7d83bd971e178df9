/* SPDX-License-Identifier: MIT */
/*
 * Tunnels of httpd, with a queue of 10000 bytes.
 *
 *      /tunnel ("Upgrade: echo"), CONNECT   send back what comes; refuse ?no with 403, no.test:1 with 403, ?hello greets
 *      /tunnel-half                         says "bye" when the client has ended, and ends
 *      /tunnel-slow                         takes 3 bytes of what comes each time the thread of POST /go says so
 *      /tunnel-silent                       the same as /tunnel, with little patience
 *      GET /tunnel-ends                     how tunnels ended, in the order of their ends
 */
#include "httpd.h"

#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char ends[1024];

static int on_open(struct hot_tunnel *tunnel, const struct hot_http_request *request,
                   struct hot_http_response *response, void *data, void **ret_state)
{
        const char *query = hot_http_request_query(request);

        *ret_state = data;
        if ((query && !strcmp(query, "no")) ||
            !strcmp(hot_http_request_target(request), "no.test:1"))
                return -EACCES;
        hot_http_response_header(response, "X-Target", hot_http_request_target(request));
        if (query && !strcmp(query, "hello"))
                hot_tunnel_send(tunnel, "hello", 5);
        return 0;
}

static size_t on_bytes(struct hot_tunnel *tunnel, const void *bytes, size_t length, void *state)
{
        (void)state;
        return hot_tunnel_send(tunnel, bytes, length) == 0 ? length : 0;
}

static void on_room(struct hot_tunnel *tunnel, void *state)
{
        (void)state;
        hot_tunnel_resume(tunnel);
}

static void on_closed(struct hot_tunnel *tunnel, int error, void *state)
{
        size_t len;

        (void)tunnel, (void)state;
        pthread_mutex_lock(&lock);
        len = strlen(ends);
        snprintf(ends + len, sizeof(ends) - len, "%d ", error);
        pthread_mutex_unlock(&lock);
}

static void on_ended(struct hot_tunnel *tunnel, void *state)
{
        (void)state;
        hot_tunnel_send(tunnel, "bye", 3);
        hot_tunnel_end(tunnel);
}

static void *resume_late(void *argument)
{
        httpd_wait();
        while (hot_tunnel_resume(argument) == 0)
                ;
        hot_tunnel_release(argument);
        return NULL;
}

static int on_open_slow(struct hot_tunnel *tunnel, const struct hot_http_request *request,
                        struct hot_http_response *response, void *data, void **ret_state)
{
        pthread_t thread;

        (void)request, (void)response, (void)data, (void)ret_state;
        hot_tunnel_hold(tunnel);
        pthread_create(&thread, NULL, resume_late, tunnel);
        pthread_detach(thread);
        return 0;
}

static size_t on_bytes_slow(struct hot_tunnel *tunnel, const void *bytes, size_t length,
                            void *state)
{
        size_t n = length < 3 ? length : 3;

        (void)state;
        return hot_tunnel_send(tunnel, bytes, n) == 0 ? n : 0;
}

static void on_ends(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        pthread_mutex_lock(&lock);
        hot_http_response_printf(response, "%s", ends);
        pthread_mutex_unlock(&lock);
}

void httpd_set_up_tunnels(struct hot_http *server)
{
        struct hot_tunnel_handler handler = {
                .size = sizeof(handler),
                .open = on_open,
                .bytes = on_bytes,
                .room = on_room,
                .closed = on_closed,
                .queue_size = 10000,
        };

        hot_http_handle_upgrade(server, "/tunnel", "echo", &handler, NULL);
        hot_http_handle_upgrade(server, "/", NULL, &handler, NULL);
        handler.idle_ms = 300;
        hot_http_handle_upgrade(server, "/tunnel-silent", "echo", &handler, NULL);
        handler.idle_ms = 0;
        handler.ended = on_ended;
        hot_http_handle_upgrade(server, "/tunnel-half", "echo/1.0", &handler, NULL);
        handler.ended = NULL;
        handler.open = on_open_slow;
        handler.bytes = on_bytes_slow;
        hot_http_handle_upgrade(server, "/tunnel-slow", "echo", &handler, NULL);
        hot_http_handle(server, "GET", "/tunnel-ends", on_ends, NULL);
}
