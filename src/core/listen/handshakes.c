/* SPDX-License-Identifier: MIT */
/*
 * A dump of sock_diag(7), cut to one port and one state by the kernel. It takes no privilege and shows the
 * sockets of our own network namespace.
 *
 * A handshake has a cookie of its own, which lasts as long as it does: whether those that were under way at
 * some moment are over can be told while others begin. One that ends well is in the queue of its listener by the
 * time it is out of the dump.
 */
#include "handshakes.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"

struct request {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
};

/* Where to look. */
struct place {
        int family; /* 0: it is no TCP socket */
        uint16_t port;
};

static int find_place(int fd, struct place *ret)
{
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
                struct sockaddr_storage storage;
        } name = {0};
        socklen_t len = sizeof(name), int_len = sizeof(int);
        int protocol = 0;

        *ret = (struct place){0};
        if (getsockname(fd, &name.sa, &len) < 0)
                return -errno;
        if (name.sa.sa_family != AF_INET && name.sa.sa_family != AF_INET6)
                return 0;
        if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &int_len) < 0)
                return -errno;
        if (protocol != IPPROTO_TCP)
                return 0;
        ret->family = name.sa.sa_family;
        ret->port = name.sa.sa_family == AF_INET ? name.in.sin_port : name.in6.sin6_port;
        return 0;
}

static int ask(int netlink, const struct place *place)
{
        struct request request = {
                .header = {.nlmsg_len = sizeof(request),
                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                .body = {.sdiag_family = (uint8_t)place->family,
                         .sdiag_protocol = IPPROTO_TCP,
                         .idiag_states = 1U << TCP_SYN_RECV,
                         .id.idiag_sport = place->port},
        };

        return send(netlink, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* What is done with each handshake; a value above 0 is the answer, one below an error. */
struct visitor {
        int (*visit)(struct visitor *visitor, uint64_t cookie);
        struct hot__handshakes *handshakes;
        const struct hot__handshakes *noted;
};

static int visit_message(const unsigned char *at, size_t len, uint16_t port,
                         struct visitor *visitor)
{
        struct inet_diag_msg message;
        uint64_t cookie;

        if (len < sizeof(message))
                return -EBADMSG;
        memcpy(&message, at, sizeof(message));
        if (message.id.idiag_sport != port)
                return 0;
        memcpy(&cookie, message.id.idiag_cookie, sizeof(cookie));
        return visitor->visit(visitor, cookie);
}

enum {
        MORE_TO_COME,
        ANSWERED,
        AT_THE_END,
};

/* Go through the messages of one answer. Returns one of the above or a negative errno. */
static int take_answer(const unsigned char *at, size_t len, uint16_t port, struct visitor *visitor)
{
        const size_t head = NLMSG_ALIGN(sizeof(struct nlmsghdr));

        while (len >= head) {
                struct nlmsghdr header;
                size_t step;
                int r = 0;

                memcpy(&header, at, sizeof(header));
                if (header.nlmsg_len < head || header.nlmsg_len > len)
                        return -EBADMSG;
                if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
                        if (header.nlmsg_len >= head + sizeof(r))
                                memcpy(&r, at + head, sizeof(r));
                        return r < 0 ? r : AT_THE_END;
                }
                if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
                        r = visit_message(at + head, header.nlmsg_len - head, port, visitor);
                if (r != 0)
                        return r < 0 ? r : ANSWERED;
                step = NLMSG_ALIGN((size_t)header.nlmsg_len);
                if (step >= len)
                        break;
                at += step;
                len -= step;
        }
        return MORE_TO_COME;
}

static int dump(const struct place *place, struct visitor *visitor)
{
        CLEANUP(hot__fd_closep) int netlink = -EBADF;
        unsigned char answer[16384];
        int r;

        netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (netlink < 0)
                return -errno;
        r = ask(netlink, place);
        if (r < 0)
                return r;
        do {
                /* The kernel fills the next part of a dump while the last one is read: nothing to
                 * wait for. */
                ssize_t n = recv(netlink, answer, sizeof(answer), MSG_DONTWAIT);

                if (n < 0)
                        return -errno;
                r = take_answer(answer, (size_t)n, place->port, visitor);
        } while (r == MORE_TO_COME);
        return r < 0 ? r : r == ANSWERED;
}

/* A listener for both families has handshakes of IPv4 too, wherever the kernel counts them. */
static int dump_all(int fd, struct visitor *visitor)
{
        struct place place;
        int r = find_place(fd, &place);

        if (r < 0 || place.family == 0)
                return r;
        r = dump(&place, visitor);
        if (r == 0 && place.family == AF_INET6) {
                place.family = AF_INET;
                r = dump(&place, visitor);
        }
        return r;
}

static int note(struct visitor *visitor, uint64_t cookie)
{
        struct hot__handshakes *noted = visitor->handshakes;
        uint64_t *larger = reallocarray(noted->cookies, noted->n + 1, sizeof(*larger));

        if (!larger)
                return -ENOMEM;
        noted->cookies = larger;
        noted->cookies[noted->n++] = cookie;
        return 0;
}

static int compare(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return (left > right) - (left < right);
}

int hot__handshakes_note(int fd, struct hot__handshakes *ret)
{
        struct hot__handshakes noted = {0};
        struct visitor visitor = {.visit = note, .handshakes = &noted};
        int r = dump_all(fd, &visitor);

        if (r < 0) {
                hot__handshakes_done(&noted);
                return r;
        }
        if (noted.n > 0)
                qsort(noted.cookies, noted.n, sizeof(*noted.cookies), compare);
        *ret = noted;
        return 0;
}

static int find(struct visitor *visitor, uint64_t cookie)
{
        const struct hot__handshakes *noted = visitor->noted;

        return bsearch(&cookie, noted->cookies, noted->n, sizeof(cookie), compare) != NULL;
}

int hot__handshakes_remain(int fd, const struct hot__handshakes *noted)
{
        struct visitor visitor = {.visit = find, .noted = noted};

        return noted->n > 0 ? dump_all(fd, &visitor) : 0;
}

void hot__handshakes_done(struct hot__handshakes *handshakes)
{
        free(handshakes->cookies);
        *handshakes = (struct hot__handshakes){0};
}
