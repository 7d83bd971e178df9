/* SPDX-License-Identifier: MIT */
/*
 * epoll PORT: the least that can be called an HTTP server, to measure others by. It looks for the end of a head
 * and sends always the same answer; no parser, no timeout, no limit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER(more)                                                 \
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" \
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n" more "\r\ntest 22222"

static const char answer[] = ANSWER("");
static const char last_answer[] = ANSWER("Connection: close\r\n");

static int listen_on(int port)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0) {
                perror("epoll");
                exit(1);
        }
        return fd;
}

static void watch(int epoll, int fd)
{
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int listener)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
                watch(epoll, fd);
        }
}

/* Heads come whole from the clients of a benchmark. */
static void serve(int fd)
{
        char buffer[16384];
        ssize_t n = recv(fd, buffer, sizeof(buffer) - 1, 0);
        bool last;

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                close(fd);
                return;
        }
        buffer[n] = '\0';
        last = strstr(buffer, "Connection: close") != NULL;
        if (n < 4 || memcmp(buffer + n - 4, "\r\n\r\n", 4) != 0)
                return;
        n = last ? send(fd, last_answer, sizeof(last_answer) - 1, MSG_NOSIGNAL)
                 : send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
        if (n < 0 || last)
                close(fd);
}

int main(int argc, char **argv)
{
        int listener = listen_on(argc > 1 ? atoi(argv[1]) : 9999);
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event events[256];

        watch(epoll, listener);
        for (;;) {
                int n = epoll_wait(epoll, events, 256, -1);

                for (int i = 0; i < n; i++) {
                        if (events[i].data.fd == listener)
                                accept_all(epoll, listener);
                        else
                                serve(events[i].data.fd);
                }
        }
}
