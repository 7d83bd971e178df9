/* SPDX-License-Identifier: MIT */
#include "diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"

struct request {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
};

int diag_open(int *ret_fd)
{
        int fd = hot__fd_take_above_stdio(
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static void put_address(const struct sockaddr *address, __be32 *ret_host, __be16 *ret_port)
{
        struct sockaddr_in in;
        struct sockaddr_in6 in6;

        if (address->sa_family == AF_INET) {
                memcpy(&in, address, sizeof(in));
                ret_host[0] = in.sin_addr.s_addr;
                *ret_port = in.sin_port;
        } else {
                memcpy(&in6, address, sizeof(in6));
                memcpy(ret_host, &in6.sin6_addr, sizeof(in6.sin6_addr));
                *ret_port = in6.sin6_port;
        }
}

static int receive(int fd, struct diag_socket *ret)
{
        union {
                struct nlmsghdr header;
                char bytes[8192];
        } answer;
        struct inet_diag_msg found;
        ssize_t n;

        do
                n = recv(fd, &answer, sizeof(answer), 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if ((size_t)n < sizeof(answer.header))
                return -EPROTO;
        if (answer.header.nlmsg_type == NLMSG_ERROR) {
                struct nlmsgerr error;

                memcpy(&error, answer.bytes + NLMSG_HDRLEN, sizeof(error));
                return error.error < 0 ? error.error : -EPROTO;
        }
        if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
            (size_t)n < NLMSG_HDRLEN + sizeof(found))
                return -EPROTO;
        memcpy(&found, answer.bytes + NLMSG_HDRLEN, sizeof(found));
        *ret = (struct diag_socket){
                .inode = found.idiag_inode,
                .state = found.idiag_state,
                .queued = found.idiag_rqueue,
                .room = found.idiag_wqueue,
        };
        return 0;
}

int diag_ask(int fd, const struct sockaddr *local, const struct sockaddr *peer,
             struct diag_socket *ret)
{
        struct request request = {
                .header = {.nlmsg_len = sizeof(request),
                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                           .nlmsg_flags = NLM_F_REQUEST},
                .body = {.sdiag_family = (unsigned char)local->sa_family,
                         .sdiag_protocol = IPPROTO_TCP,
                         .idiag_states = UINT32_MAX,
                         .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
        };
        struct diag_socket found;
        int r;

        if (local->sa_family != AF_INET && local->sa_family != AF_INET6)
                return -EAFNOSUPPORT;
        put_address(local, request.body.id.idiag_src, &request.body.id.idiag_sport);
        if (peer)
                put_address(peer, request.body.id.idiag_dst, &request.body.id.idiag_dport);
        if (send(fd, &request, sizeof(request), 0) < 0)
                return -errno;
        r = receive(fd, &found);
        if (r < 0)
                return r;
        /* Where there is no such connection the kernel answers with who listens there. */
        if ((found.state == TCP_LISTEN) != (peer == NULL))
                return -ENOENT;
        *ret = found;
        return 0;
}

static uint16_t port_of(const struct sockaddr *address)
{
        __be32 host[4];
        __be16 port;

        put_address(address, host, &port);
        return port;
}

/* Take what one datagram of a dump says. Returns 1 at the end of the dump, 0 before, or a negative errno. */
static int take_listeners(const char *bytes, size_t size, uint16_t port, uint64_t *inodes,
                          size_t room, size_t *n)
{
        size_t at = 0;

        while (at + NLMSG_HDRLEN <= size) {
                struct nlmsghdr header;
                struct inet_diag_msg found;

                memcpy(&header, bytes + at, sizeof(header));
                if (header.nlmsg_type == NLMSG_DONE)
                        return 1;
                if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_HDRLEN ||
                    header.nlmsg_len > size - at || size - at < NLMSG_HDRLEN + sizeof(found))
                        return -EPROTO;
                memcpy(&found, bytes + at + NLMSG_HDRLEN, sizeof(found));
                if (found.id.idiag_sport == port && *n < room)
                        inodes[(*n)++] = found.idiag_inode;
                at += NLMSG_ALIGN(header.nlmsg_len);
        }
        return 0;
}

static int dump_listeners(int fd, unsigned char family, uint16_t port, uint64_t *inodes,
                          size_t room, size_t *n)
{
        const struct request request = {
                .header = {.nlmsg_len = sizeof(request),
                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                .body = {.sdiag_family = family,
                         .sdiag_protocol = IPPROTO_TCP,
                         .idiag_states = 1U << TCP_LISTEN,
                         .id.idiag_sport = port},
        };
        char bytes[16384];
        ssize_t got;
        int r = 0;

        if (send(fd, &request, sizeof(request), 0) < 0)
                return -errno;
        while (r == 0) {
                got = recv(fd, bytes, sizeof(bytes), 0);
                if (got < 0 && errno != EINTR)
                        return -errno;
                if (got >= 0)
                        r = take_listeners(bytes, (size_t)got, port, inodes, room, n);
        }
        return r;
}

ssize_t diag_listeners(int fd, const struct sockaddr *local, uint64_t *inodes, size_t room)
{
        size_t n = 0;
        int r;

        if (local->sa_family != AF_INET && local->sa_family != AF_INET6)
                return -EAFNOSUPPORT;
        r = dump_listeners(fd, AF_INET, port_of(local), inodes, room, &n);
        if (r >= 0)
                r = dump_listeners(fd, AF_INET6, port_of(local), inodes, room, &n);
        return r < 0 ? r : (ssize_t)n;
}
