/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define HEAD_MAX  1024
#define EVENT_MAX 256

struct hot__load {
        struct hot__traffic traffic;
        struct hot__profile *profiles;
        char **heads; /* one for each profile */
        struct hot__connection *connections;
        size_t n_profiles, n_connections;
};

static size_t count_clients(const struct hot__load_options *options)
{
        size_t count = 0;

        for (size_t i = 0; i < options->n_profiles; i++)
                count += options->profiles[i].clients;
        return count;
}

static void start_clients(struct hot__load *load, size_t profile, int head_size, uint64_t now)
{
        for (unsigned int i = 0; i < load->profiles[profile].clients; i++) {
                struct hot__connection *connection = &load->connections[load->n_connections++];

                connection->traffic = &load->traffic;
                connection->profile = &load->profiles[profile];
                connection->profile_index = profile;
                connection->client = i;
                connection->head = load->heads[profile];
                connection->head_size = (size_t)head_size;
                hot__connection_start(connection, now);
        }
}

static int add_profiles(struct hot__load *load, const struct hot__load_options *options)
{
        uint64_t now = hot__clock_now();
        int head_size;

        load->traffic.tally.began = now;
        for (size_t i = 0; i < options->n_profiles; i++) {
                size_t size = (size_t)HEAD_MAX * options->profiles[i].depth;

                load->profiles[i] = options->profiles[i];
                load->heads[i] = malloc(size);
                if (!load->heads[i])
                        return -ENOMEM;
                load->n_profiles++;
                head_size = hot__profile_head(&load->profiles[i], load->traffic.target.host,
                                              load->heads[i], size);
                if (head_size < 0)
                        return head_size;
                start_clients(load, i, head_size, now);
        }
        return 0;
}

static int allocate(struct hot__load *load, const struct hot__load_options *options)
{
        struct hot__traffic *traffic = &load->traffic;
        size_t n_clients = count_clients(options);

        load->profiles = calloc(options->n_profiles, sizeof(*load->profiles));
        load->heads = calloc(options->n_profiles, sizeof(char *));
        load->connections = calloc(n_clients, sizeof(*load->connections));
        traffic->scratch = malloc(HOT__SCRATCH_SIZE);
        if (!load->profiles || !load->heads || !load->connections || !traffic->scratch ||
            hot__timers_init(&traffic->timers, n_clients) < 0)
                return -ENOMEM;
        traffic->n_active = traffic->n_waiting = n_clients;
        return hot__tally_init(&traffic->tally, options->n_profiles, options->identify,
                               options->slack);
}

static int set_up(struct hot__load *load, const struct hot__load_options *options)
{
        struct hot__traffic *traffic = &load->traffic;
        int r;

        r = hot__target_resolve(options->target, &traffic->target);
        if (r < 0)
                return r;
        r = allocate(load, options);
        if (r < 0)
                return r;
        r = options->tls ? hot__transport_new(&traffic->tls) : 0;
        if (r < 0)
                return r;
        traffic->observer = options->observer;
        traffic->epoll_fd = hot__fd_take_above_stdio(epoll_create1(EPOLL_CLOEXEC));
        if (traffic->epoll_fd < 0)
                return -errno;
        return add_profiles(load, options);
}

int hot__load_new(struct hot__load **ret_load, const struct hot__load_options *options)
{
        struct hot__load *load;
        int r;

        if (options->n_profiles < 1 || options->n_profiles > HOT__PROFILES_MAX)
                return -EINVAL;
        load = calloc(1, sizeof(*load));
        if (!load)
                return -ENOMEM;
        load->traffic.epoll_fd = -EBADF;
        r = set_up(load, options);
        if (r < 0) {
                hot__load_free(load);
                return r;
        }
        *ret_load = load;
        return 0;
}

struct hot__load *hot__load_free(struct hot__load *load)
{
        if (!load)
                return NULL;
        for (size_t i = 0; i < load->n_connections; i++)
                hot__connection_done(&load->connections[i]);
        for (size_t i = 0; i < load->n_profiles; i++)
                free(load->heads[i]);
        hot__timers_done(&load->traffic.timers);
        hot__tally_done(&load->traffic.tally);
        hot__transport_free(load->traffic.tls);
        hot__fd_close(load->traffic.epoll_fd);
        free(load->traffic.scratch);
        free(load->connections);
        free(load->heads);
        free(load->profiles);
        free(load);
        return NULL;
}

int hot__load_fd(const struct hot__load *load)
{
        return load->traffic.epoll_fd;
}

uint64_t hot__load_deadline(const struct hot__load *load)
{
        const struct hot__timer *timer = hot__timers_first(&load->traffic.timers);

        return timer ? timer->at : UINT64_MAX;
}

/* Everything the kernel has, until it has less than was asked for. */
static int process_events(struct hot__load *load)
{
        struct epoll_event events[EVENT_MAX];
        int n;

        do {
                n = epoll_wait(load->traffic.epoll_fd, events, EVENT_MAX, 0);
                if (n < 0)
                        return errno == EINTR ? 0 : -errno;
                for (int i = 0; i < n; i++)
                        hot__connection_event(events[i].data.ptr, events[i].events);
        } while (n == EVENT_MAX);
        return 0;
}

static struct hot__connection *owner_of(struct hot__timer *timer)
{
        return (struct hot__connection *)(void *)((char *)timer -
                                                  offsetof(struct hot__connection, timer));
}

int hot__load_process(struct hot__load *load)
{
        struct hot__traffic *traffic = &load->traffic;
        uint64_t asked = hot__clock_now();
        struct hot__timer *timer;
        int r;

        r = process_events(load);
        if (r < 0)
                return r;
        /* What is due by now may begin; a time is over only if it was before the kernel was asked.
         * */
        traffic->horizon = hot__clock_now();
        while ((timer = hot__timers_first(&traffic->timers)) && timer->at <= traffic->horizon)
                hot__connection_timer(owner_of(timer), asked);
        if (traffic->n_active == 0 && traffic->tally.ended == 0)
                traffic->tally.ended = hot__clock_now();
        return traffic->error;
}

void hot__load_stop(struct hot__load *load)
{
        load->traffic.stopping = true;
        for (size_t i = 0; i < load->n_connections; i++)
                hot__connection_stop(&load->connections[i]);
}

void hot__load_give_up(struct hot__load *load, uint64_t since)
{
        for (size_t i = 0; i < load->n_connections; i++)
                if (!hot__profile_is_slow(load->connections[i].profile))
                        hot__connection_give_up(&load->connections[i], since);
}

bool hot__load_is_done(const struct hot__load *load)
{
        return load->traffic.n_active == 0;
}

size_t hot__load_busy(const struct hot__load *load)
{
        size_t n = 0;

        for (size_t i = 0; i < load->n_connections; i++)
                n += hot__connection_is_busy(&load->connections[i]);
        return n;
}

const struct hot__tally *hot__load_tally(const struct hot__load *load)
{
        return &load->traffic.tally;
}
