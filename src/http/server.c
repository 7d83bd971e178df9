/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "field.h"
#include "server.h"

#define CONNECTIONS_DEFAULT 10000
#define TARGET_MAX          8192

/* Connections that each loop gives to the next generation in a millisecond: a few percent of it. */
#define PACE_PER_LOOP 64

static unsigned int or_default(unsigned int value, unsigned int otherwise)
{
        return value ? value : otherwise;
}

/* As many as this process may use, not as many as the machine has. */
static unsigned int count_cpus(void)
{
        cpu_set_t set;

        if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) < 1)
                return 1;
        return (unsigned int)CPU_COUNT(&set);
}

/* The rest of the descriptors is for listeners, loops, and what the host has open. */
static unsigned int default_connections(void)
{
        struct rlimit limit;
        rlim_t most;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return CONNECTIONS_DEFAULT;
        most = limit.rlim_cur - limit.rlim_cur / 10; /* of 9 descriptors all, and not none */
        return most > CONNECTIONS_DEFAULT ? CONNECTIONS_DEFAULT : (unsigned int)most;
}

static void set_limits(struct hot__limits *limits, const struct hot_http_options *options)
{
        limits->loops = options->loops ? options->loops : count_cpus();
        limits->pool = or_default(options->pool, 256);
        limits->queue = or_default(options->pool_queue, 1024);
        limits->connections = options->connections ? options->connections : default_connections();
        limits->head.size = options->head_size ? options->head_size : 16384;
        limits->head.target = limits->head.size < TARGET_MAX ? limits->head.size : TARGET_MAX;
        limits->body = options->body_size ? options->body_size : (size_t)16 << 20;
        limits->stream = options->stream_size ? options->stream_size : (size_t)1 << 30;
        limits->rate = or_default(options->read_rate, 500);
        limits->unready_ms = options->unready_ms;
        limits->request_ids = options->request_ids != 0;
        limits->handler_ms = options->handler_ms;
        limits->head_ms = or_default(options->head_ms, 60000);
        limits->read_ms = or_default(options->read_ms, 60000);
        limits->write_ms = or_default(options->write_ms, 60000);
        limits->idle_ms = or_default(options->idle_ms, 75000);
        limits->handover_pace = or_default(options->handover_pace, PACE_PER_LOOP * limits->loops);
        if (options->handover_pace == HOT_NONE)
                limits->handover_pace = 0;
}

/* A server is to be found unless somebody says otherwise. */
static const char *choose_control(const char *wanted)
{
        if (!wanted)
                return "";
        return strcmp(wanted, "none") == 0 ? NULL : wanted;
}

int hot_http_new(struct hot_http **ret_server, const char *address,
                 const struct hot_http_options *options)
{
        const struct hot_http_options defaults = {.size = sizeof(defaults)};
        struct hot_http *server;
        int r;

        if (!ret_server || (options && options->size < sizeof(*options)))
                return -EINVAL;
        if (!options)
                options = &defaults;
        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;
        atomic_store(&server->shares, 1);
        hot__access_init(&server->access);
        server->hangup.fd = server->place = -EBADF;
        pthread_mutex_init(&server->lock, NULL);
        pthread_mutex_init(&server->order_lock, NULL);
        server->log.sink = hot__log_to_stderr;
        hot__tls_init(&server->tls, &server->log);
        server->options = (struct hot_options){
                .size = sizeof(server->options),
                .argv = options->argv,
                .pid_file = options->pid_file,
                .start_ms = options->start_ms,
                .drain_ms = options->drain_ms,
                .probation_ms = options->probation_ms,
                .max_generations = options->max_generations,
                .manual_commit = options->manual_commit,
                .check = options->check,
                .control = choose_control(options->control),
        };
        set_limits(&server->limits, options);
        r = address ? hot_http_add_address(server, address) : 0;
        if (r < 0) {
                hot_http_free(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

static void server_destroy(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_workers; i++)
                hot__worker_destroy(&server->workers[i]);
        for (size_t i = 0; i < server->n_addresses; i++)
                free(server->addresses[i].text);
        free(server->workers);
        free(server->listeners);
        free(server->addresses);
        hot__routes_done(&server->routes);
        hot__hooks_done(&server->hooks);
        hot__websocket_services_free(server->websockets);
        hot__tunnel_services_free(server->tunnels);
        hot__access_done(&server->access);
        hot__metrics_close(&server->metrics);
        hot__bytes_done(&server->fields);
        hot__tls_done(&server->tls);
        pthread_mutex_destroy(&server->lock);
        pthread_mutex_destroy(&server->order_lock);
        free(server);
}

void hot__server_retain(void *server)
{
        atomic_fetch_add(&((struct hot_http *)server)->shares, 1);
}

void hot__server_release(void *server)
{
        if (atomic_fetch_sub(&((struct hot_http *)server)->shares, 1) == 1)
                server_destroy(server);
}

void hot_http_free(struct hot_http *server)
{
        if (server)
                hot__server_release(server);
}

int hot__server_setting(struct hot_http *server, int error)
{
        if (!server)
                return -EINVAL;
        if (server->serving)
                return -EBUSY;
        if (error < 0 && !server->error)
                server->error = error;
        return error;
}

static int add_address(struct hot_http *server, const char *address, bool plain)
{
        int r = hot__server_setting(server, address ? 0 : -EINVAL);
        struct hot__address *grown;
        char *copy;

        if (r < 0)
                return r;
        grown = realloc(server->addresses, (server->n_addresses + 1) * sizeof(*grown));
        if (!grown)
                return hot__server_setting(server, -ENOMEM);
        server->addresses = grown;
        copy = strdup(*address ? address : ":http");
        if (!copy)
                return hot__server_setting(server, -ENOMEM);
        server->addresses[server->n_addresses++] = (struct hot__address){copy, plain};
        return 0;
}

int hot_http_add_address(struct hot_http *server, const char *address)
{
        return add_address(server, address, false);
}

int hot_http_add_plain_address(struct hot_http *server, const char *address)
{
        return add_address(server, address, true);
}

static int add_route(struct hot_http *server, const char *method, const char *path,
                     hot_http_handler *handler, void *data, enum hot__route_kind kind)
{
        int r = hot__server_setting(server, 0);

        if (r < 0)
                return r;
        return hot__server_setting(
                server, hot__routes_add(&server->routes, method, path, handler, data, kind));
}

int hot_http_handle(struct hot_http *server, const char *method, const char *path,
                    hot_http_handler *handler, void *data)
{
        return add_route(server, method, path, handler, data, HOT__ROUTE_INLINE);
}

int hot_http_handle_blocking(struct hot_http *server, const char *method, const char *path,
                             hot_http_handler *handler, void *data)
{
        return add_route(server, method, path, handler, data, HOT__ROUTE_BLOCKING);
}

int hot_http_handle_streaming(struct hot_http *server, const char *method, const char *path,
                              hot_http_handler *handler, void *data)
{
        return add_route(server, method, path, handler, data, HOT__ROUTE_STREAMING);
}

int hot_http_on_restore(struct hot_http *server, const char *method, const char *path,
                        hot_http_restorer *restorer)
{
        int r = hot__server_setting(server, path && restorer ? 0 : -EINVAL);

        if (r < 0)
                return r;
        return hot__server_setting(server,
                                   hot__routes_restore(&server->routes, method, path, restorer));
}

int hot_http_add_header(struct hot_http *server, const char *name, const char *value)
{
        int r = hot__server_setting(server, hot__field_is_sendable(name, value) ? 0 : -EINVAL);

        if (r < 0)
                return r;
        return hot__server_setting(server, hot__field_append(&server->fields, name, value));
}

int hot_http_before_serving(struct hot_http *server, hot_http_serving_hook *hook, void *data)
{
        int r = hot__server_setting(server, 0);

        if (r < 0)
                return r;
        server->before_serving = hook;
        server->before_serving_data = data;
        return 0;
}

int hot_http_on_handover(struct hot_http *server, hot_http_handover_hook *hook, void *data)
{
        int r = hot__server_setting(server, 0);

        if (r < 0)
                return r;
        server->on_handover = hook;
        server->on_handover_data = data;
        return 0;
}

int hot_http_on_shutdown(struct hot_http *server, hot_http_shutdown_hook *hook, void *data)
{
        int r = hot__server_setting(server, 0);

        if (r < 0)
                return r;
        server->on_shutdown = hook;
        server->on_shutdown_data = data;
        return 0;
}

static int add_hook(struct hot_http *server, const struct hot__hook *hook)
{
        int r = hot__server_setting(server, hook->before || hook->after ? 0 : -EINVAL);

        if (r < 0)
                return r;
        return hot__server_setting(server, hot__hooks_add(&server->hooks, hook));
}

int hot_http_before_each(struct hot_http *server, hot_http_before_hook *hook, void *data)
{
        return add_hook(server, &(struct hot__hook){.before = hook, .data = data});
}

int hot_http_after_each(struct hot_http *server, hot_http_after_hook *hook, void *data)
{
        return add_hook(server, &(struct hot__hook){.after = hook, .data = data});
}

int hot_http_log_to(struct hot_http *server, hot_http_log_sink *sink, void *data)
{
        int r = hot__server_setting(server, 0);

        if (r < 0)
                return r;
        server->log = (struct hot__log){sink, data};
        return 0;
}

int hot_http_stop(struct hot_http *server)
{
        if (!server)
                return -EINVAL;
        pthread_mutex_lock(&server->lock);
        if (server->hot)
                hot_stop(server->hot);
        else
                server->stop_wished = true;
        pthread_mutex_unlock(&server->lock);
        return 0;
}

int hot_http_restart(struct hot_http *server)
{
        if (!server)
                return -EINVAL;
        pthread_mutex_lock(&server->lock);
        if (server->hot)
                hot_restart(server->hot);
        else
                server->restart_wished = true;
        pthread_mutex_unlock(&server->lock);
        return 0;
}

uint64_t hot_http_generation(const struct hot_http *server)
{
        return server ? server->generation : 0;
}

struct hot *hot_http_hot(const struct hot_http *server)
{
        return server ? server->hot : NULL;
}
