/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libevent, whose connections stay open over restarts.
 *
 *     build/echo_libevent --listen :9997
 *
 * What libevent asks for:
 *   - Listener and clients belong to us, not to libevent: an evconnlistener without LEV_OPT_CLOSE_ON_FREE and with the
 *     backlog 0 (it listens already), bufferevents without BEV_OPT_CLOSE_ON_FREE.
 *   - bufferevent_disable() takes a connection out of epoll at once. Nothing of it is in libevent then but
 *     what its two evbuffers hold, and these travel. evbuffer_pullup() makes an output whole; copying and
 *     draining it is not allowed to us, since a bufferevent keeps the front of it for itself.
 *   - It writes with writev(2), which raises SIGPIPE where a client has gone.
 *   - bufferevent_enable() and bufferevent_write() read and write nothing, the loop does: so a connection that
 *     arrives is not touched before hot_next() has returned NULL and the callback with it.
 */
#include <err.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <hotstart.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"

#define OUTPUT_MAX 65536 /* who does not read is not read from */

struct client {
        LIST_ENTRY(client) link;
        struct echo *echo;
        struct bufferevent *bytes;
        bool stays; /* the next generation did not take it */
        bool stops; /* the rest of the output, our end, its end */
};

struct echo {
        struct hot *hot;
        struct event_base *base;
        struct evconnlistener *listener;
        bool serves, draining;
        LIST_HEAD(, client) clients;
};

/* The descriptor is somebody else's from now on. */
static void client_forget(struct client *client)
{
        LIST_REMOVE(client, link);
        hot_release(client->echo->hot);
        if (client->echo->serves)
                evconnlistener_enable(client->echo->listener); /* see out_of_descriptors() */
        bufferevent_free(client->bytes);
        free(client);
}

/* Out of the poller, shut down, closed: another generation may have a copy, see HOT_RESUMABLE. */
static void client_close(struct client *client)
{
        int fd = bufferevent_getfd(client->bytes);

        bufferevent_disable(client->bytes, EV_READ | EV_WRITE);
        shutdown(fd, SHUT_RDWR);
        client_forget(client);
        close(fd);
}

static void on_input(struct bufferevent *bytes, void *data)
{
        struct evbuffer *input = bufferevent_get_input(bytes),
                        *output = bufferevent_get_output(bytes);
        struct client *client = data;

        if (client->stops)
                evbuffer_drain(input, evbuffer_get_length(input));
        else
                bufferevent_write_buffer(bytes, input);
        if (evbuffer_get_length(output) > OUTPUT_MAX)
                bufferevent_disable(bytes, EV_READ);
}

static void on_output_written(struct bufferevent *bytes, void *data)
{
        struct client *client = data;

        if (client->stops)
                shutdown(bufferevent_getfd(bytes), SHUT_WR);
        bufferevent_enable(
                bytes,
                EV_READ); /* and learn again of an end that came before the output was written */
}

static void on_end(struct bufferevent *bytes, short what, void *data)
{
        if (!(what & BEV_EVENT_EOF) || !evbuffer_get_length(bufferevent_get_output(bytes)))
                client_close(data);
}

static struct client *client_new(struct echo *echo, int fd)
{
        struct client *client = calloc(1, sizeof(*client));

        if (client)
                client->bytes = bufferevent_socket_new(echo->base, fd, 0);
        if (!client || !client->bytes)
                err(1, "a client");
        client->echo = echo;
        LIST_INSERT_HEAD(&echo->clients, client, link);
        hot_hold(echo->hot);
        bufferevent_setcb(client->bytes, on_input, on_output_written, on_end, client);
        bufferevent_enable(client->bytes, EV_READ | EV_WRITE);
        return client;
}

static void on_connection(struct evconnlistener *listener, int fd, struct sockaddr *address,
                          int len, void *data)
{
        (void)listener, (void)address, (void)len;
        client_new(data, fd);
}

/* Until somebody leaves. */
static void out_of_descriptors(struct evconnlistener *listener, void *data)
{
        (void)data;
        if (errno == EMFILE || errno == ENFILE)
                evconnlistener_disable(listener);
}

static int client_give(struct client *client)
{
        struct evbuffer *output = bufferevent_get_output(client->bytes);
        struct hot_connection connection = {.size = sizeof(connection), .kind = "echo"};
        int r;

        bufferevent_disable(client->bytes, EV_READ | EV_WRITE);
        connection.fd = bufferevent_getfd(client->bytes);
        connection.output_len = evbuffer_get_length(output);
        connection.output = evbuffer_pullup(output, -1);
        connection.flags = connection.output_len ? 0 : HOT_RESUMABLE;
        r = hot_give(client->echo->hot, &connection);
        if (r == 0) {
                client_forget(client);
                return 0;
        }
        bufferevent_enable(client->bytes, EV_READ | EV_WRITE);
        client->stays = r != -EAGAIN;
        return r;
}

/* As many as there is room for. Returns whether anybody left. */
static bool hand_over(struct echo *echo)
{
        bool gave = false;
        int r = 0;

        for (struct client *client = LIST_FIRST(&echo->clients), *next; client && r != -EAGAIN;
             client = next) {
                next = LIST_NEXT(client, link);
                if (!client->stays && !client->stops) {
                        r = client_give(client);
                        gave |= r == 0;
                }
        }
        return gave;
}

/* From the generation before us, or back from the one after us. What was read is on its way out already. */
static void client_arrive(struct echo *echo, const struct hot_event *event)
{
        const struct hot_connection *connection = event->connection;
        struct client *client;

        if (strcmp(connection->kind, "echo") != 0)
                return; /* refused */
        client = client_new(echo, hot_accept_connection(echo->hot));
        client->stays = connection->error && echo->draining;
        bufferevent_write(client->bytes, connection->output, connection->output_len);
        bufferevent_write(client->bytes, connection->input, connection->input_len);
}

/* Those that could not go may the next time. */
static void take_back(struct echo *echo)
{
        for (struct client *client = LIST_FIRST(&echo->clients); client;
             client = LIST_NEXT(client, link))
                client->stays = false;
}

static void stop_all(struct echo *echo)
{
        for (struct client *client = LIST_FIRST(&echo->clients); client;
             client = LIST_NEXT(client, link)) {
                client->stops = true;
                if (!evbuffer_get_length(bufferevent_get_output(client->bytes)))
                        shutdown(bufferevent_getfd(client->bytes), SHUT_WR);
        }
}

static void obey(struct echo *echo, const struct hot_event *event)
{
        char text[256];

        switch (event->type) {
        case HOT_SERVE:
        case HOT_RESUME:
                echo->serves = true;
                echo->draining = false;
                take_back(echo);
                evconnlistener_enable(echo->listener);
                hot_serving(echo->hot);
                break;
        case HOT_QUIESCE:
        case HOT_STOP:
                echo->serves = false;
                evconnlistener_disable(echo->listener);
                hot_quiesced(echo->hot);
                if (event->type == HOT_STOP)
                        stop_all(echo);
                break;
        case HOT_DRAIN:
                echo->draining = true;
                break;
        case HOT_CONNECTION:
                client_arrive(echo, event);
                break;
        case HOT_FAILED:
                warnx("%s", hot_failure_string(event->failure, text, sizeof(text)));
                break;
        case HOT_EXIT:
                event_base_loopbreak(echo->base);
                break;
        default:
                break;
        }
}

/* Until there is no event, and nobody to be given away: the last of them leave when hot_next() is called. */
static void on_hot(int fd, short what, void *data)
{
        const struct hot_event *event;
        struct echo *echo = data;

        (void)fd, (void)what;
        do {
                while ((event = hot_next(echo->hot)))
                        obey(echo, event);
        } while (echo->draining && hand_over(echo));
}

int main(int argc, char **argv)
{
        static struct echo echo;
        struct arguments arguments;
        struct event *hot;
        int listener;

        signal(SIGPIPE, SIG_IGN);
        arguments_read(&arguments, argc, argv, ":9997");
        listener = hot_open(&echo.hot, &arguments.options);
        if (listener == 0)
                listener = hot_signals(echo.hot);
        if (listener == 0)
                listener = hot_listen(echo.hot, "echo", arguments.address);
        if (listener < 0)
                errx(1, "%s: %s", arguments.address, strerror(-listener));

        echo.base = event_base_new();
        echo.listener = evconnlistener_new(echo.base, on_connection, &echo,
                                           LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, listener);
        hot = event_new(echo.base, hot_fd(echo.hot), EV_READ | EV_PERSIST, on_hot, &echo);
        if (!hot || !echo.listener || event_add(hot, NULL) < 0)
                errx(1, "libevent");
        evconnlistener_set_error_cb(echo.listener, out_of_descriptors);
        hot_ready(echo.hot);
        event_active(hot, EV_READ, 0);
        event_base_dispatch(echo.base);
        return 0;
}
