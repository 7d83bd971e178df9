/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libuv, whose connections stay open over restarts.
 *
 *     build/echo_libuv --listen :9996
 *
 * What libuv asks for:
 *   - uv_listen() would change the backlog of a listener that other generations have too: we poll ours and accept.
 *   - A stream cannot be taken away from libuv, but uv_close() takes its descriptor out of epoll at once and closes
 *     it without shutting the connection down. So a copy is given away, after uv_close(). What cannot be given
 *     after that becomes a new stream: hence hot_give_room() first, which makes it rare.
 *   - One write is under way at a time. uv_stream_get_write_queue_size() tells how much of it the kernel has not
 *     taken yet, partial writes included: that, and what waits behind it, travels.
 *   - It writes with write(2), which raises SIGPIPE where a client has gone.
 *   - uv_read_start() and uv_write() may not be called before hot_next() has returned NULL: a uv_write() tries
 *     at once. So whoever arrives waits in a list until then.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <hotstart.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "arguments.h"

#define OUTPUT_MAX 65536

/* What is read goes right behind what is to be written. */
struct client {
        LIST_ENTRY(client) link;
        struct echo *echo;
        union {
                uv_stream_t stream;
                uv_tcp_t tcp;
                uv_pipe_t pipe;
        } uv;
        uv_write_t write;
        uv_shutdown_t shut;
        bool stays;       /* the next generation did not take it */
        bool ended;       /* nothing more comes */
        bool stops;       /* nothing more is echoed: the rest of the output, our end, its end */
        size_t len;       /* of the output */
        size_t under_way; /* so much of it is libuv's */
        char output[OUTPUT_MAX];
};

LIST_HEAD(clients, client);

struct echo {
        struct hot *hot;
        uv_loop_t loop;
        uv_poll_t hot_poll, listener_poll;
        int listener;
        bool serves, draining, stopping;
        struct clients clients, arrived; /* the latter are not read from or written to yet */
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void accept_clients(struct echo *echo, bool wanted)
{
        if (wanted)
                uv_poll_start(&echo->listener_poll, UV_READABLE, on_connection);
        else
                uv_poll_stop(&echo->listener_poll);
}

static void on_closed(uv_handle_t *handle)
{
        free(handle->data);
}

/* Out of epoll, and our descriptor is closed; whoever has another one has the connection. */
static void client_forget(struct client *client)
{
        LIST_REMOVE(client, link);
        hot_release(client->echo->hot);
        uv_close((uv_handle_t *)&client->uv, on_closed);
        if (client->echo->serves)
                accept_clients(client->echo, true); /* there may have been no descriptor */
}

static int client_fd(const struct client *client)
{
        int fd = -1;

        uv_fileno((const uv_handle_t *)&client->uv, &fd);
        return fd;
}

/* Another generation may have a copy (HOT_RESUMABLE): closing alone would tell nobody. */
static void client_close(struct client *client)
{
        shutdown(client_fd(client), SHUT_RDWR);
        client_forget(client);
}

static void client_go_on(struct client *client);

static void on_shut(uv_shutdown_t *shut, int status)
{
        (void)shut, (void)status;
}

/* When all is written our end is next, and then its end. */
static void client_stop(struct client *client)
{
        client->stops = true;
        if (!client->len)
                uv_shutdown(&client->shut, &client->uv.stream, on_shut);
}

static void on_written(uv_write_t *write, int status)
{
        struct client *client = write->data;

        if (uv_is_closing((uv_handle_t *)&client->uv))
                return;
        client->len -= client->under_way;
        memmove(client->output, client->output + client->under_way, client->len);
        client->under_way = 0;
        if (status < 0 || (client->ended && !client->len))
                client_close(client);
        else if (client->stops && !client->len)
                client_stop(client);
        else
                client_go_on(client);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
        struct client *client = stream->data;

        (void)buffer;
        if (n > 0 && !client->stops)
                client->len += (size_t)n;
        client->ended |= n < 0;
        if (n < 0 && (n != UV_EOF || !client->len))
                client_close(client);
        else
                client_go_on(client);
}

static void on_room_wanted(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
        struct client *client = handle->data;

        (void)size;
        *buffer =
                uv_buf_init(client->output + client->len, (unsigned int)(OUTPUT_MAX - client->len));
}

/* Who does not read is not read from. */
static void client_go_on(struct client *client)
{
        uv_buf_t buffer = uv_buf_init(client->output, (unsigned int)client->len);

        if (client->len && !client->under_way) {
                client->under_way = client->len;
                uv_write(&client->write, &client->uv.stream, &buffer, 1, on_written);
        }
        if (client->len < OUTPUT_MAX && !client->ended)
                uv_read_start(&client->uv.stream, on_room_wanted, on_read);
        else
                uv_read_stop(&client->uv.stream);
}

static struct client *client_new(struct echo *echo, int fd)
{
        struct client *client = calloc(1, sizeof(*client));
        int r;

        if (!client)
                err(1, "a client");
        client->echo = echo;
        if (uv_guess_handle(fd) == UV_TCP)
                r = uv_tcp_init(&echo->loop, &client->uv.tcp) || uv_tcp_open(&client->uv.tcp, fd);
        else
                r = uv_pipe_init(&echo->loop, &client->uv.pipe, 0) ||
                    uv_pipe_open(&client->uv.pipe, fd);
        if (r)
                errx(1, "a client");
        client->uv.stream.data = client->write.data = client;
        LIST_INSERT_HEAD(&echo->arrived, client, link);
        hot_hold(echo->hot);
        return client;
}

static void begin_arrived(struct echo *echo)
{
        for (struct client *client; (client = LIST_FIRST(&echo->arrived));) {
                LIST_REMOVE(client, link);
                LIST_INSERT_HEAD(&echo->clients, client, link);
                client_go_on(client);
                if (echo->stopping)
                        client_stop(client);
        }
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
        struct echo *echo = poll->data;
        int fd = accept4(echo->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        (void)status, (void)events;
        if (fd >= 0) {
                client_new(echo, fd);
                begin_arrived(echo);
        } else if (errno == EMFILE || errno == ENFILE) {
                accept_clients(echo, false); /* until somebody leaves */
        }
}

/* In place of a client that could not be given, with its bytes. */
static void client_replace(struct echo *echo, const struct hot_connection *connection)
{
        struct client *client = client_new(echo, connection->fd);

        client->stays = true;
        client->len = connection->output_len;
        memcpy(client->output, connection->output, client->len);
}

static bool client_give(struct client *client)
{
        struct echo *echo = client->echo;
        size_t written = client->under_way;
        struct hot_connection connection = {.size = sizeof(connection), .kind = "echo"};

        if (written)
                written -= uv_stream_get_write_queue_size(&client->uv.stream);
        connection.fd = fcntl(client_fd(client), F_DUPFD_CLOEXEC, 0);
        if (connection.fd < 0)
                return false;
        connection.output = client->output + written;
        connection.output_len = client->len - written;
        connection.flags = connection.output_len ? 0 : HOT_RESUMABLE;
        client_forget(client);
        if (hot_give(echo->hot, &connection) == 0)
                return true;
        client_replace(echo, &connection);
        return false;
}

/* As many as there is room for. Returns whether anybody left. */
static bool hand_over(struct echo *echo)
{
        bool gave = false;

        for (struct client *client = LIST_FIRST(&echo->clients), *next; client; client = next) {
                next = LIST_NEXT(client, link);
                if (client->stays || client->stops)
                        continue;
                if (hot_give_room(echo->hot) <= 0)
                        break;
                gave |= client_give(client);
        }
        begin_arrived(echo);
        return gave;
}

/* From the generation before us, or back from the one after us. */
static void client_arrive(struct echo *echo, const struct hot_event *event)
{
        const struct hot_connection *connection = event->connection;
        struct client *client;

        if (strcmp(connection->kind, "echo") != 0)
                return; /* refused */
        if (connection->output_len + connection->input_len > OUTPUT_MAX) {
                hot_refuse_connection(echo->hot, E2BIG);
                return;
        }
        client = client_new(echo, hot_accept_connection(echo->hot));
        client->stays = connection->error && echo->draining;
        client->len = connection->output_len + connection->input_len;
        if (connection->output_len)
                memcpy(client->output, connection->output, connection->output_len);
        if (connection->input_len)
                memcpy(client->output + connection->output_len, connection->input,
                       connection->input_len);
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
        echo->stopping = true;
        for (struct client *client = LIST_FIRST(&echo->clients); client;
             client = LIST_NEXT(client, link))
                client_stop(client);
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
                accept_clients(echo, true);
                hot_serving(echo->hot);
                break;
        case HOT_QUIESCE:
        case HOT_STOP:
                echo->serves = false;
                accept_clients(echo, false);
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
                uv_stop(&echo->loop);
                break;
        default:
                break;
        }
}

/* Until there is no event, and nobody to be given away: the last of them leave when hot_next() is called. */
static void take_events(struct echo *echo)
{
        const struct hot_event *event;

        do {
                while ((event = hot_next(echo->hot)))
                        obey(echo, event);
                begin_arrived(echo);
        } while (echo->draining && hand_over(echo));
}

static void on_hot(uv_poll_t *poll, int status, int events)
{
        (void)status, (void)events;
        take_events(poll->data);
}

int main(int argc, char **argv)
{
        static struct echo echo;
        struct arguments arguments;
        int r;

        signal(SIGPIPE, SIG_IGN);
        arguments_read(&arguments, argc, argv, ":9996");
        r = hot_open(&echo.hot, &arguments.options);
        if (r == 0)
                r = hot_signals(echo.hot);
        if (r == 0)
                r = echo.listener = hot_listen(echo.hot, "echo", arguments.address);
        if (r < 0)
                errx(1, "%s: %s", arguments.address, strerror(-r));

        uv_loop_init(&echo.loop);
        uv_poll_init(&echo.loop, &echo.hot_poll, hot_fd(echo.hot));
        uv_poll_init(&echo.loop, &echo.listener_poll, echo.listener);
        echo.hot_poll.data = echo.listener_poll.data = &echo;
        uv_poll_start(&echo.hot_poll, UV_READABLE, on_hot);
        hot_ready(echo.hot);
        take_events(&echo);
        uv_run(&echo.loop, UV_RUN_DEFAULT);
        return 0;
}
