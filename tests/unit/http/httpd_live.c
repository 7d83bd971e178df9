/* SPDX-License-Identifier: MIT */
/*
 * What of httpd moves to the next generation, or would not.
 *
 *      /ws-counting    a thread sends 1, 2, 3, … as fast as the client takes it, in all generations together
 *      /ws-unsaved     echoes; cannot say what it is like
 *      /ws-refused     echoes; what its predecessor says is of no use to it
 *      /tunnel-moves   takes 3 bytes of what comes and echoes them, for each restart: the rest travels
 *      GET /live       what became of those that left: "moved" or the code they were closed with
 */
#include "httpd.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char said[4096];

static void say(int code)
{
        size_t len;

        pthread_mutex_lock(&lock);
        len = strlen(said);
        if (code == HOT_HTTP_MOVED)
                snprintf(said + len, sizeof(said) - len, "moved ");
        else
                snprintf(said + len, sizeof(said) - len, "%d ", code);
        pthread_mutex_unlock(&lock);
}

static void on_live(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        pthread_mutex_lock(&lock);
        hot_http_response_printf(response, "%s", said);
        pthread_mutex_unlock(&lock);
}

/* -- a thread of its own for each socket -- */

struct count {
        struct hot_websocket *socket;
        pthread_t thread;
        pthread_mutex_t
                lock; /* held while a number is sent and counted: save() sees both or none */
        unsigned long next;
};

static void *count_on(void *argument)
{
        struct count *count = argument;
        int r;

        do {
                char text[24];
                int len;

                pthread_mutex_lock(&count->lock);
                len = snprintf(text, sizeof(text), "%lu", count->next);
                r = hot_websocket_send(count->socket, HOT_WEBSOCKET_TEXT, text, (size_t)len);
                if (r == 0)
                        count->next++;
                pthread_mutex_unlock(&count->lock);
                if (r == -EAGAIN)
                        sched_yield();
        } while (r == 0 || r == -EAGAIN);
        return NULL;
}

static struct count *count_new(struct hot_websocket *socket, unsigned long next)
{
        struct count *count = calloc(1, sizeof(*count));

        count->socket = socket;
        count->next = next;
        pthread_mutex_init(&count->lock, NULL);
        pthread_create(&count->thread, NULL, count_on, count);
        return count;
}

static int counting_open(struct hot_websocket *socket, const struct hot_http_request *request,
                         struct hot_http_response *response, void *data, void **ret_state)
{
        (void)request, (void)response, (void)data;
        *ret_state = count_new(socket, 1);
        return 0;
}

/* The thread has heard that it is over, or will. */
static void counting_closed(struct hot_websocket *socket, int code, void *state)
{
        struct count *count = state;

        (void)socket;
        pthread_join(count->thread, NULL);
        pthread_mutex_destroy(&count->lock);
        free(count);
        say(code);
}

static ssize_t counting_save(struct hot_websocket *socket, void *buffer, size_t size, void *state)
{
        struct count *count = state;

        (void)socket;
        pthread_mutex_lock(&count->lock);
        if (size >= sizeof(count->next))
                memcpy(buffer, &count->next, sizeof(count->next));
        pthread_mutex_unlock(&count->lock);
        return sizeof(count->next);
}

static int counting_restore(struct hot_websocket *socket, const void *bytes, size_t length,
                            uint32_t version, void *data, void **ret_state)
{
        unsigned long next;

        (void)data;
        if (version != 7 || length != sizeof(next))
                return -EPROTONOSUPPORT;
        memcpy(&next, bytes, sizeof(next));
        *ret_state = count_new(socket, next);
        return 0;
}

/* -- those that stay -- */

static void on_message(struct hot_websocket *socket, int type, const void *bytes, size_t length,
                       void *state)
{
        (void)state;
        hot_websocket_send(socket, type, bytes, length);
}

static void on_closed(struct hot_websocket *socket, int code, void *state)
{
        (void)socket, (void)state;
        say(code);
}

static ssize_t save_not(struct hot_websocket *socket, void *buffer, size_t size, void *state)
{
        (void)socket, (void)buffer, (void)size, (void)state;
        return -EBUSY;
}

static ssize_t save_nothing(struct hot_websocket *socket, void *buffer, size_t size, void *state)
{
        (void)socket, (void)buffer, (void)size, (void)state;
        return 0;
}

/* What comes back to the generation that sent it is taken: data tells whether this is that one. */
static int restore_not(struct hot_websocket *socket, const void *bytes, size_t length,
                       uint32_t version, void *data, void **ret_state)
{
        const struct hot_http *server = data;

        (void)socket, (void)bytes, (void)length, (void)ret_state;
        return version == 1 && hot_http_generation(server) == 1 ? 0 : -EPROTO;
}

/* -- a tunnel whose host is slow -- */

static size_t slow_bytes(struct hot_tunnel *tunnel, const void *bytes, size_t length, void *state)
{
        size_t n = length < 3 ? length : 3;

        (void)state;
        return hot_tunnel_send(tunnel, bytes, n) == 0 ? n : 0;
}

static void slow_closed(struct hot_tunnel *tunnel, int error, void *state)
{
        (void)tunnel, (void)state;
        say(error);
}

static ssize_t slow_save(struct hot_tunnel *tunnel, void *buffer, size_t size, void *state)
{
        (void)tunnel, (void)buffer, (void)size, (void)state;
        return 0;
}

static int slow_restore(struct hot_tunnel *tunnel, const void *bytes, size_t length,
                        uint32_t version, void *data, void **ret_state)
{
        (void)tunnel, (void)bytes, (void)length, (void)version, (void)data, (void)ret_state;
        return 0;
}

void httpd_set_up_live(struct hot_http *server)
{
        struct hot_websocket_handler handler = {
                .size = sizeof(handler),
                .open = counting_open,
                .message = on_message,
                .closed = counting_closed,
                .queue_size = 20000,
                .save = counting_save,
                .restore = counting_restore,
                .version = 7,
        };
        const struct hot_tunnel_handler slow = {
                .size = sizeof(slow),
                .bytes = slow_bytes,
                .closed = slow_closed,
                .save = slow_save,
                .restore = slow_restore,
        };

        hot_http_handle_websocket(server, "/ws-counting", &handler, NULL);
        handler.open = NULL;
        handler.closed = on_closed;
        handler.version = 1;
        handler.save = save_not;
        handler.restore = restore_not;
        hot_http_handle_websocket(server, "/ws-unsaved", &handler, server);
        handler.save = save_nothing;
        hot_http_handle_websocket(server, "/ws-refused", &handler, server);
        hot_http_handle_upgrade(server, "/tunnel-moves", "echo", &slow, NULL);
        hot_http_handle(server, "GET", "/live", on_live, NULL);
}
