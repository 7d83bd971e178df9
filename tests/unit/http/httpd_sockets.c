/* SPDX-License-Identifier: MIT */
/*
 * WebSockets of httpd. Messages of at most 100000 bytes, a queue of 200000.
 *
 *      /ws             sends back what comes; "close" closes with 3000 "as you wish", "flood" sends until the queue is
 *                      full and 1000 messages more when there is room; refuses ?no with 403, ?busy with 503
 *      /ws-silent      the same, with little patience
 *      /ws-late        a thread sends "late" after the word
 *      GET /events     a stream of events for one subscriber; POST /tell sends it the body
 *      GET /ws-codes   the codes that sockets were closed with, in the order of their ends
 */
#include "httpd.h"

#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char codes[1024];
static int flood;

static int on_open(struct hot_websocket *socket, const struct hot_http_request *request,
                   struct hot_http_response *response, void *data, void **ret_state)
{
        const char *query = hot_http_request_query(request);
        const char *protocol = hot_http_request_header(request, "Sec-WebSocket-Protocol");

        *ret_state = data;
        if (query && !strcmp(query, "no"))
                return -EACCES;
        if (query && !strcmp(query, "busy")) {
                hot_http_response_status(response, 503);
                return -EBUSY;
        }
        if (protocol)
                hot_http_response_header(response, "Sec-WebSocket-Protocol", protocol);
        if (query && !strcmp(query, "hello"))
                hot_websocket_send(socket, HOT_WEBSOCKET_TEXT, "hello", 5);
        return 0;
}

static void on_room(struct hot_websocket *socket, void *state)
{
        char text[16];

        (void)state;
        for (; flood > 0; flood--) {
                int len = snprintf(text, sizeof(text), "%d", flood);

                if (hot_websocket_send(socket, HOT_WEBSOCKET_TEXT, text, (size_t)len) < 0)
                        return;
        }
}

static void on_message(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                       void *state)
{
        static const char piece[1000];

        if (length == 5 && !memcmp(bytes, "close", 5)) {
                hot_websocket_close(socket, 3000, "as you wish");
        } else if (length == 5 && !memcmp(bytes, "flood", 5)) {
                while (hot_websocket_send(socket, HOT_WEBSOCKET_BINARY, piece, sizeof(piece)) == 0)
                        ;
                flood = 1000;
        } else {
                hot_websocket_send(socket, type, bytes, length);
        }
        (void)state;
}

static void on_closed(struct hot_websocket *socket, int code, void *state)
{
        size_t len;

        (void)socket, (void)state;
        pthread_mutex_lock(&lock);
        len = strlen(codes);
        snprintf(codes + len, sizeof(codes) - len, "%d ", code);
        pthread_mutex_unlock(&lock);
}

static void on_codes(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        (void)request, (void)data;
        pthread_mutex_lock(&lock);
        hot_http_response_printf(response, "%s", codes);
        pthread_mutex_unlock(&lock);
}

static void *send_late(void *argument)
{
        httpd_wait();
        hot_websocket_send(argument, HOT_WEBSOCKET_TEXT, "late", 4);
        hot_websocket_release(argument);
        return NULL;
}

static int on_open_late(struct hot_websocket *socket, const struct hot_http_request *request,
                        struct hot_http_response *response, void *data, void **ret_state)
{
        pthread_t thread;

        (void)request, (void)response, (void)data, (void)ret_state;
        hot_websocket_hold(socket);
        pthread_create(&thread, NULL, send_late, socket);
        pthread_detach(thread);
        return 0;
}

static struct hot_http_events *subscriber; /* one at a time */
static int ended;

static void on_events_closed(struct hot_http_events *events, void *data)
{
        (void)events, (void)data;
        pthread_mutex_lock(&lock);
        ended++;
        pthread_mutex_unlock(&lock);
}

static void on_events(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        const struct hot_http_events_options options = {.size = sizeof(options),
                                                        .queue_size = 10000,
                                                        .heartbeat_ms = 300,
                                                        .closed = on_events_closed};
        const char *last = hot_http_request_header(request, "Last-Event-ID");

        (void)data;
        pthread_mutex_lock(&lock);
        hot_http_events_release(subscriber);
        if (hot_http_response_events(response, &options, &subscriber) == 0) {
                hot_http_events_hold(subscriber);
                hot_http_events_send(subscriber, "welcome", "0", last ? last : "first");
        }
        pthread_mutex_unlock(&lock);
}

/* What hot_http_events_send() says to the body, which may come at any time; "end" ends the stream. */
static void on_tell(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        const char *text = hot_http_request_body(request, NULL);
        char copy[20000];
        size_t len;
        int r = -ENOENT;

        (void)data;
        hot_http_request_body(request, &len);
        snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
        pthread_mutex_lock(&lock);
        if (subscriber && !strcmp(copy, "end"))
                hot_http_events_end(subscriber);
        else if (subscriber)
                r = hot_http_events_send(subscriber, NULL, NULL, copy);
        hot_http_response_printf(response, "%d %d", r, ended);
        pthread_mutex_unlock(&lock);
}

void httpd_set_up_sockets(struct hot_http *server)
{
        struct hot_websocket_handler handler = {
                .size = sizeof(handler),
                .open = on_open,
                .message = on_message,
                .room = on_room,
                .closed = on_closed,
                .message_size = 100000,
                .queue_size = 200000,
        };

        hot_http_handle_websocket(server, "/ws", &handler, NULL);
        handler.ping_ms = 300;
        hot_http_handle_websocket(server, "/ws-silent", &handler, NULL);
        handler.open = on_open_late;
        handler.ping_ms = 0;
        hot_http_handle_websocket(server, "/ws-late", &handler, NULL);
        hot_http_handle(server, "GET", "/ws-codes", on_codes, NULL);
        hot_http_handle(server, "GET", "/events", on_events, NULL);
        hot_http_handle_blocking(server, "POST", "/tell", on_tell, NULL);
}
