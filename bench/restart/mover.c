/* SPDX-License-Identifier: MIT */
/*
 * mover COUNT [resumable]: what libhotstart takes to move COUNT established TCP connections to the next generation
 * of a server that does nothing else: out of the one epoll, into the other. What bare.c leaves out is here (one
 * owner at any moment, acknowledgements, a window, eight bytes of state for each), and no HTTP. Prints
 * nanoseconds from before the first hot_give() until the last connection is in the new generation's epoll and its
 * acceptance acknowledged. With "resumable" the old generation could go back, and prepares for that.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <hotstart.h>

struct mover {
        struct hot *hot;
        int epoll, listener;
        bool resumable;
        size_t count;
        int *fds;
        size_t n_given, n_taken;
        uint64_t began;
};

static uint64_t now(void)
{
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void watch(struct mover *mover, int fd)
{
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        if (epoll_ctl(mover->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                err(1, "epoll_ctl");
}

/* The clients' ends stay open, unnamed, until this process ends. */
static void connect_all(struct mover *mover)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int client;

        if (getsockname(mover->listener, (struct sockaddr *)&address, &size) < 0)
                err(1, "getsockname");
        for (size_t i = 0; i < mover->count; i++) {
                client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (client < 0 || connect(client, (struct sockaddr *)&address, size) < 0)
                        err(1, "connection %zu", i);
                mover->fds[i] = accept4(mover->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (mover->fds[i] < 0)
                        err(1, "accept");
                watch(mover, mover->fds[i]);
        }
}

/* As many as there is room for; HOT_DRAIN comes again for the others. */
static void give(struct mover *mover)
{
        int r;

        if (mover->n_given == 0)
                mover->began = now();
        for (; mover->n_given < mover->count; mover->n_given++) {
                int fd = mover->fds[mover->n_given];
                struct hot_connection connection = {.size = sizeof(connection),
                                                    .kind = "bench",
                                                    .fd = fd,
                                                    .flags = mover->resumable ? HOT_RESUMABLE : 0,
                                                    .state = &mover->began,
                                                    .state_len = sizeof(mover->began)};

                if (hot_give_room(mover->hot) == 0)
                        return;
                epoll_ctl(mover->epoll, EPOLL_CTL_DEL, fd, NULL);
                r = hot_give(mover->hot, &connection);
                if (r < 0)
                        errx(1, "connection %zu: %s", mover->n_given, strerror(-r));
        }
}

static void take(struct mover *mover, const struct hot_connection *connection)
{
        if (connection->error)
                errx(1, "one came back: %s", strerror(connection->error));
        memcpy(&mover->began, connection->state, sizeof(mover->began));
        watch(mover, hot_accept_connection(mover->hot));
        mover->n_taken++;
}

/* Returns false at the end. */
static bool handle(struct mover *mover, const struct hot_event *event)
{
        char why[256];

        switch (event->type) {
        case HOT_SERVE:
                hot_serving(mover->hot);
                if (hot_generation(mover->hot) == 1)
                        hot_restart(mover->hot);
                break;
        case HOT_QUIESCE:
                hot_quiesced(mover->hot);
                break;
        case HOT_DRAIN:
                give(mover);
                break;
        case HOT_CONNECTION:
                take(mover, event->connection);
                break;
        case HOT_FAILED:
                errx(1, "%s", hot_failure_string(event->failure, why, sizeof(why)));
        case HOT_RESUME: /* resumable: the new generation has ended, having seen what it wanted */
        case HOT_EXIT:
                return false;
        default:
                break;
        }
        return true;
}

static void run(struct mover *mover)
{
        const struct hot_event *event;
        struct epoll_event ready[64];

        watch(mover, hot_fd(mover->hot));
        hot_ready(mover->hot);
        for (;;) {
                while ((event = hot_next(mover->hot)))
                        if (!handle(mover, event))
                                return;
                if (mover->n_taken == mover->count) {
                        printf("%" PRIu64 "\n", now() - mover->began);
                        return;
                }
                epoll_wait(mover->epoll, ready, 64, -1);
        }
}

static void raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                err(1, "getrlimit");
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
        struct hot_options options = {.size = sizeof(options)};
        struct mover mover = {.count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0,
                              .resumable = argc > 2};
        int r;

        if (mover.count == 0)
                errx(2, "usage: mover COUNT [resumable]");
        raise_limit();
        options.probation_ms = mover.resumable ? 0 : HOT_NONE;
        r = hot_open(&mover.hot, &options);
        mover.listener = r < 0 ? r : hot_listen(mover.hot, "bench", "127.0.0.1:0");
        if (mover.listener < 0)
                errx(1, "cannot listen: %s", strerror(-mover.listener));
        mover.epoll = epoll_create1(EPOLL_CLOEXEC);
        mover.fds = calloc(mover.count, sizeof(*mover.fds));
        if (mover.epoll < 0 || !mover.fds)
                err(1, "set up");
        if (hot_generation(mover.hot) == 1)
                connect_all(&mover);
        run(&mover);
        hot_free(mover.hot);
        free(mover.fds);
        return 0;
}
