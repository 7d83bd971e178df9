/* SPDX-License-Identifier: MIT */
/*
 * bare COUNT: what the kernel takes to move COUNT established TCP connections to another process that adds them to
 * an epoll, and nothing else: 252 descriptors a message, one byte with them, no acknowledgement, no state, no
 * second look. Prints nanoseconds from before the first sendmsg(2) to after the last epoll_ctl(2).
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX 252

union control {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(BATCH_MAX * sizeof(int))];
};

static uint64_t now(void)
{
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

/* ---- the connections ---- */

static int listen_here(struct sockaddr_in *ret_address)
{
        socklen_t size = sizeof(*ret_address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *ret_address = (struct sockaddr_in){.sin_family = AF_INET,
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (fd < 0 || bind(fd, (struct sockaddr *)ret_address, size) < 0 || listen(fd, 16) < 0 ||
            getsockname(fd, (struct sockaddr *)ret_address, &size) < 0)
                err(1, "listener");
        return fd;
}

/* The clients' ends stay open, unnamed, until the process ends. */
static void connect_all(int *ret_fds, size_t count)
{
        struct sockaddr_in address;
        int listener = listen_here(&address), client;

        for (size_t i = 0; i < count; i++) {
                client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)) < 0)
                        err(1, "connection %zu", i);
                ret_fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (ret_fds[i] < 0)
                        err(1, "accept");
        }
        close(listener);
}

/* ---- the one side ---- */

static void send_batch(int channel, const int *fds, size_t count)
{
        char byte = 0;
        struct iovec vector = {.iov_base = &byte, .iov_len = 1};
        union control control = {0};
        struct msghdr message = {.msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = CMSG_SPACE(count * sizeof(int))};
        struct cmsghdr *header = &control.header;

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
        if (sendmsg(channel, &message, MSG_NOSIGNAL) != 1)
                err(1, "sendmsg");
}

static uint64_t send_all(int channel, const int *fds, size_t count)
{
        uint64_t began = now();

        for (size_t i = 0; i < count; i += BATCH_MAX)
                send_batch(channel, fds + i, count - i < BATCH_MAX ? count - i : BATCH_MAX);
        return began;
}

/* ---- the other side ---- */

static size_t receive_batch(int channel, int epoll)
{
        char byte;
        struct iovec vector = {.iov_base = &byte, .iov_len = 1};
        union control control;
        struct msghdr message = {.msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control)};
        struct cmsghdr *header;
        size_t count;
        int fd;

        if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || (message.msg_flags & MSG_CTRUNC) ||
            !(header = CMSG_FIRSTHDR(&message)))
                err(1, "recvmsg");
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
                memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
                struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

                if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                        err(1, "epoll_ctl");
        }
        return count;
}

static void receive_all(int channel, size_t count)
{
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        uint64_t ended;

        if (epoll < 0)
                err(1, "epoll_create1");
        for (size_t got = 0; got < count;)
                got += receive_batch(channel, epoll);
        ended = now();
        if (send(channel, &ended, sizeof(ended), MSG_NOSIGNAL) != sizeof(ended))
                err(1, "send");
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
        size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
        uint64_t began, ended;
        int channel[2], *fds;
        pid_t child;

        if (count == 0)
                errx(2, "usage: bare COUNT");
        raise_limit();
        fds = calloc(count, sizeof(*fds));
        if (!fds || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
                err(1, "set up");
        child = fork(); /* before there are connections, so that it has none */
        if (child < 0)
                err(1, "fork");
        if (child == 0) {
                close(channel[0]);
                receive_all(channel[1], count);
                _exit(0);
        }
        close(channel[1]);
        connect_all(fds, count);
        began = send_all(channel[0], fds, count);
        if (recv(channel[0], &ended, sizeof(ended), 0) != sizeof(ended))
                err(1, "recv");
        waitpid(child, NULL, 0);
        printf("%" PRIu64 "\n", ended - began);
        free(fds);
        return 0;
}
