/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdcheck.h"

int option_of(int fd, int level, int name)
{
        int value = -1;
        socklen_t len = sizeof(value);

        assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
        return value;
}

uint16_t port_of(int fd)
{
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } name;
        socklen_t len = sizeof(name);

        assert_int_equal(getsockname(fd, &name.sa, &len), 0);
        return ntohs(name.sa.sa_family == AF_INET ? name.in.sin_port : name.in6.sin6_port);
}

int connect_tcp(int family, const char *literal, uint16_t port)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        if (family == AF_INET) {
                assert_int_equal(inet_pton(family, literal, &in.sin_addr), 1);
                assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
        } else {
                assert_int_equal(inet_pton(family, literal, &in6.sin6_addr), 1);
                assert_int_equal(connect(fd, (const struct sockaddr *)&in6, sizeof(in6)), 0);
        }
        return fd;
}

void serve_one(int listener, int client)
{
        struct pollfd pollfd = {.fd = listener, .events = POLLIN};
        char byte = 0;
        int fd;

        assert_int_equal(poll(&pollfd, 1, -1), 1);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(client, "x", 1), 1);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, 'x');
        close(fd);
        close(client);
}

static struct sockaddr_un name_of(const char *path)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};

        assert_true(strlen(path) < sizeof(un.sun_path));
        memcpy(un.sun_path, path, strlen(path));
        return un;
}

int bind_unix(const char *path, int type)
{
        const struct sockaddr_un un = name_of(path);
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
        return fd;
}

int try_connect_unix(const char *path)
{
        const struct sockaddr_un un = name_of(path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

        assert_true(fd >= 0);
        if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
                return fd;
        error = errno;
        close(fd);
        errno = error;
        return -1;
}

bool reaches(const char *path, int listener)
{
        struct pollfd pollfd = {.fd = listener, .events = POLLIN};
        int client = try_connect_unix(path), accepted;
        bool arrived = false;
        char byte;

        if (client < 0)
                return false;
        assert_int_equal(write(client, "x", 1), 1);
        while (!arrived && poll(&pollfd, 1, 0) == 1) {
                accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                assert_true(accepted >= 0);
                arrived = read(accepted, &byte, 1) == 1;
                close(accepted);
        }
        close(client);
        return arrived;
}
