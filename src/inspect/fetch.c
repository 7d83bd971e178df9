/* SPDX-License-Identifier: MIT */
/*
 * pidfd_getfd(2) costs 2 microseconds and the questions as many again, whatever the number of sockets of the
 * machine: for a few sockets that is less than any dump. The copy is open for as long as that takes: should
 * its owner close the last other one meanwhile, the connection ends that much later. Queues and states come
 * from where sock_diag takes them.
 */
#include "fetch.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"

static int option(int fd, int level, int name)
{
        socklen_t len = sizeof(int);
        int value;

        return getsockopt(fd, level, name, &value, &len) < 0 ? -1 : value;
}

static uint32_t bytes_of(int fd, unsigned long request)
{
        int bytes;

        return ioctl(fd, request, &bytes) < 0 || bytes < 0 ? 0 : (uint32_t)bytes;
}

/* A bound address has a port; sock_diag tells none without, and so do we. */
static socklen_t port_or_none(const struct sockaddr_storage *address, socklen_t len)
{
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4)); /* the port is at the same place in both families */
        return v4.sin_port == 0 ? 0 : len;
}

static void fetch_addresses(int fd, struct hot__socket *socket)
{
        socklen_t len = sizeof(socket->local);

        if (getsockname(fd, (struct sockaddr *)&socket->local, &len) == 0)
                socket->local_len = port_or_none(&socket->local, len);
        len = sizeof(socket->peer);
        if (getpeername(fd, (struct sockaddr *)&socket->peer, &len) == 0)
                socket->peer_len = port_or_none(&socket->peer, len);
}

static void fetch_listener(int fd, const struct tcp_info *info, struct hot__socket *socket)
{
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof(memory);

        socket->receive_queue = info->tcpi_unacked;
        socket->send_queue = info->tcpi_sacked;
        if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) == 0)
                socket->drops = memory[SK_MEMINFO_DROPS];
}

/* Of a connection whose other end is finished sock_diag counts that as a byte, and nobody else does. */
static bool is_told_by_dump(int tcp_state)
{
        return tcp_state != HOT__SOCKET_LISTEN && tcp_state != HOT__SOCKET_CLOSE &&
               tcp_state != HOT__SOCKET_ESTABLISHED;
}

static int fetch_tcp(int fd, struct hot__socket *socket)
{
        struct tcp_info info;
        socklen_t len = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
                return -errno;
        socket->state = info.tcpi_state;
        if (is_told_by_dump(socket->state))
                return -EAGAIN;
        if (socket->state == HOT__SOCKET_LISTEN) {
                fetch_listener(fd, &info, socket);
                return 0;
        }
        socket->receive_queue = bytes_of(fd, SIOCINQ);
        socket->send_queue = bytes_of(fd, SIOCOUTQ);
        return 0;
}

/* How much is queued sock_diag tells in bytes of memory; the socket itself only whether there is any. */
static int fetch_udp(int fd, struct hot__socket *socket)
{
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof(memory);

        if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) < 0 ||
            memory[SK_MEMINFO_RMEM_ALLOC] > 0)
                return -EAGAIN;
        socket->state = socket->peer_len > 0 ? HOT__SOCKET_ESTABLISHED : HOT__SOCKET_CLOSE;
        socket->send_queue = bytes_of(fd, SIOCOUTQ);
        return 0;
}

uint64_t hot__fetch_namespace(int fd)
{
        socklen_t len = sizeof(uint64_t);
        uint64_t cookie;

        return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0 ? 0 : cookie;
}

static int describe(int fd, struct hot__socket *socket)
{
        socklen_t len = sizeof(socket->cookie);

        socket->type = option(fd, SOL_SOCKET, SO_TYPE);
        if (socket->type != SOCK_STREAM && socket->type != SOCK_DGRAM)
                return -EAFNOSUPPORT;
        socket->protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
        if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &socket->cookie, &len) < 0)
                return -errno;
        if (socket->family == AF_INET6)
                socket->v6only = option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
        fetch_addresses(fd, socket);
        if (socket->local_len == 0 && socket->peer_len == 0)
                return -EAFNOSUPPORT;
        /* The protocol alone does not tell: a raw socket has the one that it listens to. */
        if (socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP) {
                socket->kind = HOT_INSPECT_TCP;
                return fetch_tcp(fd, socket);
        }
        if (socket->type != SOCK_DGRAM ||
            (socket->protocol != IPPROTO_UDP && socket->protocol != IPPROTO_UDPLITE))
                return -EAFNOSUPPORT;
        socket->kind = HOT_INSPECT_UDP;
        return fetch_udp(fd, socket);
}

int hot__fetch_socket(int pidfd, int fd, uint64_t inode, uint64_t namespace,
                      struct hot__socket *ret)
{
        CLEANUP(hot__fd_closep) int copy = -EBADF;
        struct hot__socket socket = {.inode = inode};
        struct stat st;
        int r;

        copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
        if (copy < 0)
                return -errno;
        socket.family = option(copy, SOL_SOCKET, SO_DOMAIN);
        if (socket.family == AF_UNIX)
                return -EAGAIN;
        if (socket.family != AF_INET && socket.family != AF_INET6)
                return -EAFNOSUPPORT;
        if (fstat(copy, &st) < 0 || st.st_ino != inode)
                return -ESTALE;
        if (namespace != 0 && hot__fetch_namespace(copy) != namespace)
                return -EXDEV;
        r = describe(copy, &socket);
        if (r == 0)
                *ret = socket;
        return r;
}
