/* SPDX-License-Identifier: MIT */
/*
 * httpd ADDRESS [NAME=NUMBER]…: a server for tests that need what the demo does not do. Names are the
 * members of struct hot_http_options. Handlers that have to stay wait for a word (POST /go), not for time.
 *
 *      GET  /gate          waits for the word
 *      POST /go            gives it, to who waits now and to who comes later
 *      GET  /inside        how many wait
 *      GET  /flushed       sends "one", flushes, waits for the word, sends "two"
 *      GET  /written?bytes=N&piece=P    a stream in pieces, by a blocking handler
 *      GET  /produced?bytes=N           a stream by a producer, its length not known before
 *      GET  /short         promises ten bytes and produces five
 *      GET  /torn          a stream whose handler fails in the middle
 *      GET  /wrong         a handler that sets a field it may not
 *      GET  /fields        the request's header fields, a line each
 *      GET  /result        what the last stream's write returned when it ended
 *      any  /any, GET /tree/, POST /restart, POST /stop; and those of httpd_bodies.c, httpd_sockets.c, httpd_tunnels.c, httpd_live.c and
 *      httpd_state.c
 *
 * On stderr: its log, "address A" from the hook before serving, "shutdown" from the hook on shutdown, and
 * "returned N" at the end.
 */
#include "httpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gate {
        pthread_mutex_t lock;
        pthread_cond_t opened;
        int inside;
        bool open;
        int result;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false, 1};

void httpd_wait(void)
{
        pthread_mutex_lock(&gate.lock);
        gate.inside++;
        while (!gate.open)
                pthread_cond_wait(&gate.opened, &gate.lock);
        gate.inside--;
        pthread_mutex_unlock(&gate.lock);
}

size_t httpd_number(const struct hot_http_request *request, const char *name)
{
        char text[24] = "0";

        hot_http_request_parameter(request, name, text, sizeof(text));
        return (size_t)strtoull(text, NULL, 10);
}

static void on_gate(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        httpd_wait();
        hot_http_response_printf(response, "through\n");
}

static void on_go(const struct hot_http_request *request, struct hot_http_response *response,
                  void *data)
{
        (void)request, (void)response, (void)data;
        pthread_mutex_lock(&gate.lock);
        gate.open = true;
        pthread_cond_broadcast(&gate.opened);
        pthread_mutex_unlock(&gate.lock);
}

static void on_inside(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        (void)request, (void)data;
        pthread_mutex_lock(&gate.lock);
        hot_http_response_printf(response, "%d", gate.inside);
        pthread_mutex_unlock(&gate.lock);
}

static void on_result(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        (void)request, (void)data;
        pthread_mutex_lock(&gate.lock);
        hot_http_response_printf(response, "%d", gate.result);
        pthread_mutex_unlock(&gate.lock);
}

static void on_flushed(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        (void)request, (void)data;
        hot_http_response_stream(response);
        hot_http_response_printf(response, "one\n");
        hot_http_response_flush(response);
        httpd_wait();
        hot_http_response_printf(response, "two\n");
}

void httpd_fill(char *buffer, size_t at, size_t n)
{
        for (size_t i = 0; i < n; i++)
                buffer[i] = (char)('A' + (at + i) % 23);
}

static void on_written(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        size_t bytes = httpd_number(request, "bytes"), piece = httpd_number(request, "piece");
        char *buffer = malloc(piece);
        int r = hot_http_response_stream(response);

        (void)data;
        for (size_t at = 0; r == 0 && at < bytes; at += piece) {
                size_t n = bytes - at < piece ? bytes - at : piece;

                httpd_fill(buffer, at, n);
                r = hot_http_response_write(response, buffer, n);
        }
        free(buffer);
        pthread_mutex_lock(&gate.lock);
        gate.result = r;
        pthread_mutex_unlock(&gate.lock);
}

struct production {
        size_t at, size;
};

static ssize_t produce(void *data, char *buffer, size_t size)
{
        struct production *production = data;
        size_t n = production->size - production->at;

        if (n > size)
                n = size;
        httpd_fill(buffer, production->at, n);
        production->at += n;
        return (ssize_t)n;
}

static void produce_bytes(struct hot_http_response *response, size_t size, int64_t promised)
{
        struct production *production = calloc(1, sizeof(*production));

        production->size = size;
        if (hot_http_response_produce(response, promised, produce, production, free) < 0)
                free(production);
}

static void on_produced(const struct hot_http_request *request, struct hot_http_response *response,
                        void *data)
{
        (void)data;
        produce_bytes(response, httpd_number(request, "bytes"), -1);
}

static void on_short(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        (void)request, (void)data;
        produce_bytes(response, 5, 10);
}

static void on_torn(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        hot_http_response_stream(response);
        hot_http_response_printf(response, "begun\n");
        hot_http_response_flush(response);
        hot_http_response_status(response, 500);
}

static void on_wrong(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "nobody sees this");
        hot_http_response_header(response, "Content-Length", "3");
}

static void on_fields(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        const char *name, *value;

        (void)data;
        for (size_t i = 0; hot_http_request_header_at(request, i, &name, &value); i++)
                hot_http_response_printf(response, "%s=%s\n", name, value);
}

static void on_any(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        (void)data;
        hot_http_response_printf(response, "%s %s", hot_http_request_method(request),
                                 hot_http_request_path(request));
}

static void on_stop(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request;
        hot_http_response_printf(response, "%d", hot_http_stop(data));
}

static void on_restart(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        (void)request;
        hot_http_response_printf(response, "%d", hot_http_restart(data));
}

static int before_serving(struct hot_http *server, const char *address, void *data)
{
        (void)data;
        fprintf(stderr, "address %s %llu\n", address,
                (unsigned long long)hot_http_generation(server));
        return 0;
}

static void on_shutdown(struct hot_http *server, void *data)
{
        (void)server, (void)data;
        fprintf(stderr, "shutdown\n");
}

static void log_line(const char *line, void *data)
{
        fprintf(stderr, "%s: %s\n", (const char *)data, line);
}

static void set(struct hot_http_options *options, const char *argument)
{
        const struct {
                const char *name;
                unsigned int *value;
        } members[] = {
                {"loops", &options->loops},
                {"pool", &options->pool},
                {"head_ms", &options->head_ms},
                {"read_ms", &options->read_ms},
                {"write_ms", &options->write_ms},
                {"idle_ms", &options->idle_ms},
                {"handler_ms", &options->handler_ms},
                {"pool_queue", &options->pool_queue},
                {"read_rate", &options->read_rate},
                {"drain_ms", &options->drain_ms},
                {"connections", &options->connections},
                {"probation_ms", &options->probation_ms},
        };
        const char *equals = strchr(argument, '=');
        size_t len = equals ? (size_t)(equals - argument) : 0;
        unsigned long value = equals ? strtoul(equals + 1, NULL, 10) : 0;

        if (!strncmp(argument, "body_size=", 10))
                options->body_size = value;
        if (!strncmp(argument, "stream_size=", 12))
                options->stream_size = value;
        if (!strncmp(argument, "head_size=", 10))
                options->head_size = value;
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                if (strlen(members[i].name) == len && !strncmp(members[i].name, argument, len))
                        *members[i].value = (unsigned int)value;
}

static void set_up(struct hot_http *server)
{
        static char who[] = "httpd";

        hot_http_log_to(server, log_line, who);
        hot_http_before_serving(server, before_serving, NULL);
        hot_http_on_shutdown(server, on_shutdown, NULL);
        hot_http_add_header(server, "Server", "httpd");
        hot_http_handle_blocking(server, "GET", "/gate", on_gate, NULL);
        hot_http_handle(server, "POST", "/go", on_go, NULL);
        hot_http_handle(server, "GET", "/inside", on_inside, NULL);
        hot_http_handle(server, "GET", "/result", on_result, NULL);
        hot_http_handle_blocking(server, "GET", "/flushed", on_flushed, NULL);
        hot_http_handle_blocking(server, "GET", "/written", on_written, NULL);
        hot_http_handle(server, "GET", "/produced", on_produced, NULL);
        hot_http_handle(server, "GET", "/short", on_short, NULL);
        hot_http_handle_blocking(server, "GET", "/torn", on_torn, NULL);
        hot_http_handle(server, "GET", "/wrong", on_wrong, NULL);
        hot_http_handle(server, "GET", "/fields", on_fields, NULL);
        hot_http_handle(server, NULL, "/any", on_any, NULL);
        hot_http_handle(server, "GET", "/tree/", on_any, NULL);
        hot_http_handle_blocking(server, "POST", "/restart", on_restart, server);
        hot_http_handle_blocking(server, "POST", "/stop", on_stop, server);
        httpd_set_up_bodies(server);
        httpd_set_up_sockets(server);
        httpd_set_up_tunnels(server);
        httpd_set_up_live(server);
        httpd_set_up_state(server);
}

int main(int argc, char **argv)
{
        struct hot_http_options options = {.size = sizeof(options)};
        struct hot_http *server = NULL;
        int r;

        for (int i = 2; i < argc; i++)
                set(&options, argv[i]);
        hot_http_new(&server, argc > 1 ? argv[1] : NULL, &options);
        set_up(server);
        r = hot_http_listen_and_serve(server);
        fprintf(stderr, "returned %d\n", r);
        hot_http_free(server);
        return r < 0;
}
