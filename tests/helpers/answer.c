/* SPDX-License-Identifier: MIT */
/*
 * answer NAME=ADDRESS…: a server on libhotstart alone, with every kind of listener. Whoever connects, and
 * each datagram, is answered by a line: "GENERATION PID NAME". SIGUSR2 restarts, SIGTERM stops.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hotstart.h>

#define MAX 64

static struct hot *hot;
static struct pollfd polled[MAX + 1]; /* the last one is the library's; below 0: not polled */
static int lent[MAX];
static const char *names[MAX];
static nfds_t n;

static void add(int fd, const char *name)
{
        if (n == MAX)
                errx(1, "too many listeners");
        lent[n] = fd;
        names[n] = name;
        polled[n++] = (struct pollfd){.fd = -1, .events = POLLIN};
}

static void listen_at(char *argument)
{
        char *address = strchr(argument, '=');
        int first;

        if (!address)
                errx(2, "NAME=ADDRESS, not %s", argument);
        *address++ = '\0';
        first = hot_listen(hot, argument, address);
        if (first < 0)
                errx(1, "%s: %s", address, strerror(-first));
        for (unsigned int i = 0; hot_listener_member(hot, first, i) >= 0; i++)
                add(hot_listener_member(hot, first, i), argument);
        address[-1] = '='; /* the next generation is started with the same arguments */
}

static void accept_from_all(bool on)
{
        for (nfds_t i = 0; i < n; i++)
                polled[i].fd = on ? lent[i] : -1;
}

static void accept_from(int fd)
{
        for (nfds_t i = 0; i < n; i++)
                if (lent[i] == fd)
                        polled[i].fd = fd;
}

static void handle(const struct hot_event *event)
{
        int fd;

        switch (event->type) {
        case HOT_SERVE:
        case HOT_RESUME:
                accept_from_all(true);
                hot_serving(hot);
                break;
        case HOT_QUIESCE:
        case HOT_STOP:
                accept_from_all(false);
                hot_quiesced(hot);
                break;
        case HOT_DRAIN:
                while ((fd = hot_leftover(hot)) >= 0)
                        accept_from(fd);
                break;
        case HOT_EXIT:
                hot_free(hot);
                exit(0);
        default:
                break;
        }
}

static void answer(int fd, const char *name)
{
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        char line[512];
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC), size;

        size = snprintf(line, sizeof(line), "%d %d %s\n", (int)hot_generation(hot), (int)getpid(),
                        name);
        if (client >= 0) {
                if (write(client, line, (size_t)size) < 0)
                        warn("write");
                close(client);
                return;
        }
        if (errno == EOPNOTSUPP &&
            recvfrom(fd, line + 256, 1, 0, (struct sockaddr *)&from, &len) >= 0)
                sendto(fd, line, (size_t)size, 0, (struct sockaddr *)&from, len);
}

int main(int argc, char **argv)
{
        const struct hot_event *event;
        int r = hot_open(&hot, NULL);

        if (r < 0)
                errx(1, "open: %s", strerror(-r));
        for (int i = 1; i < argc; i++)
                listen_at(argv[i]);
        hot_signals(hot);
        polled[n] = (struct pollfd){.fd = hot_fd(hot), .events = POLLIN};
        for (hot_ready(hot);; poll(polled, n + 1, -1)) {
                while ((event = hot_next(hot)))
                        handle(event);
                for (nfds_t i = 0; i < n; i++)
                        if (polled[i].fd >= 0)
                                answer(polled[i].fd, names[i]);
        }
}
