/* SPDX-License-Identifier: MIT */
/*
 * Makers of TCP, UDP and UNIX sockets in every state that lasts.
 */
#include "mkfds.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
};

static union address v4(in_addr_t host)
{
        return (union address){.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)}};
}

static union address v6(struct in6_addr host)
{
        return (union address){.v6 = {.sin6_family = AF_INET6, .sin6_addr = host}};
}

static socklen_t length(const union address *address)
{
        return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

static int open_socket(int family, int type)
{
        return made(socket(family, type | SOCK_CLOEXEC, 0));
}

/* Bound to a port that the kernel picks; @address becomes the one it has. */
static int bind_socket(int type, union address *address)
{
        socklen_t len = length(address);
        int fd = open_socket(address->any.sa_family, type);

        if (fd >= 0 &&
            (bind(fd, &address->any, len) < 0 || getsockname(fd, &address->any, &len) < 0))
                return -errno;
        return fd;
}

static int listen_at(union address *address)
{
        int fd = bind_socket(SOCK_STREAM, address);

        return fd < 0 || listen(fd, 7) == 0 ? fd : -errno;
}

static int connect_to(const union address *address)
{
        int fd = open_socket(address->any.sa_family, SOCK_STREAM);

        return fd < 0 || connect(fd, &address->any, length(address)) == 0 ? fd : -errno;
}

static int make_tcp(void)
{
        return open_socket(AF_INET, SOCK_STREAM);
}

static int make_tcp_bound(void)
{
        union address address = v4(INADDR_LOOPBACK);

        return bind_socket(SOCK_STREAM, &address);
}

static int make_tcp_any(void)
{
        union address address = v4(INADDR_ANY);

        return listen_at(&address);
}

static int make_tcp6_any(void)
{
        union address address = v6(in6addr_any);

        return listen_at(&address);
}

static int make_tcp6_bound(void)
{
        union address address = v6(in6addr_loopback);

        return bind_socket(SOCK_STREAM, &address);
}

/* A listener, both ends of a connection, two connections that nobody accepts, unread bytes. */
static int connections(union address address, union address through)
{
        int listener = listen_at(&address), client, server;

        if (listener < 0)
                return listener;
        if (through.any.sa_family == AF_INET)
                through.v4.sin_port = address.v4.sin_port;
        else
                through.v6.sin6_port = address.v6.sin6_port;
        client = connect_to(&through);
        if (client < 0)
                return client;
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (server < 0 || send(server, "unread", 6, 0) != 6)
                return -errno;
        return connect_to(&through) < 0 || connect_to(&through) < 0 ? -errno : client;
}

static int make_tcp_connected(void)
{
        return connections(v4(INADDR_LOOPBACK), v4(INADDR_LOOPBACK));
}

static int make_tcp6_connected(void)
{
        return connections(v6(in6addr_loopback), v6(in6addr_loopback));
}

/* IPv4 by way of an IPv6 socket. */
static int make_tcp_mapped(void)
{
        return connections(v6(in6addr_any), v4(INADDR_LOOPBACK));
}

/* One end has said that it is finished: CLOSE_WAIT here, FIN_WAIT2 there. */
static int make_tcp_half_closed(void)
{
        union address address = v4(INADDR_LOOPBACK);
        int listener = listen_at(&address), client, server;

        if (listener < 0)
                return listener;
        client = connect_to(&address);
        if (client < 0)
                return client;
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (server < 0 || shutdown(server, SHUT_WR) < 0)
                return -errno;
        return recv(client, &address, 1, 0) == 0 ? client : -EIO;
}

static int make_udp(void)
{
        return open_socket(AF_INET, SOCK_DGRAM);
}

static int make_udp_bound(void)
{
        union address address = v4(INADDR_LOOPBACK);

        return bind_socket(SOCK_DGRAM, &address);
}

static int make_udp_connected(void)
{
        union address address = v4(INADDR_LOOPBACK);
        int other = bind_socket(SOCK_DGRAM, &address);
        int fd = other < 0 ? other : open_socket(AF_INET, SOCK_DGRAM);

        if (fd >= 0 &&
            (connect(fd, &address.any, length(&address)) < 0 || send(fd, "x", 1, 0) != 1))
                return -errno;
        return fd;
}

static int make_udp6(void)
{
        union address address = v6(in6addr_any);

        return bind_socket(SOCK_DGRAM, &address);
}

static int make_udplite(void)
{
        union address address = v4(INADDR_LOOPBACK);
        int fd = made(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE));

        if (fd >= 0 && bind(fd, &address.any, length(&address)) < 0)
                return -errno;
        return fd;
}

static int bind_unix(int type, const char *name, size_t name_len)
{
        union address address = {.un.sun_family = AF_UNIX};
        socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len);
        int fd = open_socket(AF_UNIX, type);

        memcpy(address.un.sun_path, name, name_len);
        return fd < 0 || bind(fd, &address.any, len) == 0 ? fd : -errno;
}

static int connect_unix(int type, const char *path)
{
        union address address = {.un.sun_family = AF_UNIX};
        int fd = open_socket(AF_UNIX, type);

        strcpy(address.un.sun_path, path);
        return fd < 0 || connect(fd, &address.any, sizeof(address.un)) == 0 ? fd : -errno;
}

/* By its whole path, which is what one asks lsof for. */
static int listen_unix(int type, const char *name, char path[108])
{
        char directory[80];
        int fd;

        if (!getcwd(directory, sizeof(directory)))
                return -errno;
        snprintf(path, 108, "%s/%s", directory, name);
        fd = bind_unix(type, path, strlen(path) + 1);
        return fd < 0 || listen(fd, 3) == 0 ? fd : -errno;
}

static int make_unix(void)
{
        return open_socket(AF_UNIX, SOCK_STREAM);
}

static int make_unix_connected(void)
{
        char path[108];
        int listener = listen_unix(SOCK_STREAM, "stream.sock", path), client;

        if (listener < 0)
                return listener;
        client = connect_unix(SOCK_STREAM, path);
        if (client < 0)
                return client;
        return accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0 ? -errno : client;
}

static int make_unix_packets(void)
{
        char path[108];

        return listen_unix(SOCK_SEQPACKET, "packets.sock", path);
}

static int make_unix_spaced(void)
{
        char path[108];

        return listen_unix(SOCK_STREAM, "a b:c.sock", path);
}

static int make_unix_abstract(void)
{
        char name[32] = {0};
        int len = snprintf(name + 1, sizeof(name) - 1, "mkfds-%d", getpid());

        return bind_unix(SOCK_DGRAM, name, (size_t)len + 1);
}

static int make_unix_pair(void)
{
        int pair[2];

        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : pair[1];
}

const struct maker makers_of_sockets[] = {
        {"tcp", make_tcp},
        {"tcp-bound", make_tcp_bound},
        {"tcp-any", make_tcp_any},
        {"tcp-connected", make_tcp_connected},
        {"tcp-half-closed", make_tcp_half_closed},
        {"tcp6-any", make_tcp6_any},
        {"tcp6-bound", make_tcp6_bound},
        {"tcp6-connected", make_tcp6_connected},
        {"tcp-mapped", make_tcp_mapped},
        {"udp", make_udp},
        {"udp-bound", make_udp_bound},
        {"udp-connected", make_udp_connected},
        {"udp6", make_udp6},
        {"udplite", make_udplite},
        {"unix", make_unix},
        {"unix-connected", make_unix_connected},
        {"unix-packets", make_unix_packets},
        {"unix-spaced", make_unix_spaced},
        {"unix-abstract", make_unix_abstract},
        {"unix-pair", make_unix_pair},
        {NULL, NULL},
};
