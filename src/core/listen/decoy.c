/* SPDX-License-Identifier: MIT */
/*
 * Newer kernels let only CAP_NET_ADMIN attach a filter to a TCP socket (-EPERM), since a filter can find out sequence
 * numbers. The program of a SO_REUSEPORT group is free for everybody; but it can only choose a member, not drop.
 *
 * IP_MINTTL drops what has come over too many routers. A SYN to a listener with 255 is as good as always dropped:
 * only who sends with 255 and is on the same link is not. It would do without a decoy, if the connections of a
 * listener did not inherit it, and lose what their clients send before somebody resets it.
 *
 * The mark is an IP_MINTTL of 1, which every packet has, on the listener itself. Its connections inherit that too, and
 * nobody will notice. IP_MINTTL of an IPv6 socket is for its IPv4 packets; IPV6_MINHOPCOUNT is for the others.
 */
#include "decoy.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fd.h"
#include "listener.h"
#include "steer.h"

#define MARK    1
#define NOT_SET 0
#define DEAF    255

/* linux/in6.h has it, and cannot be included beside netinet/in.h. */
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

static int min_ttl_of(int fd)
{
        int value = -1;
        socklen_t len = sizeof(value);

        return getsockopt(fd, IPPROTO_IP, IP_MINTTL, &value, &len) < 0 ? -errno : value;
}

static int set_min_ttl(int fd, int value)
{
        return setsockopt(fd, IPPROTO_IP, IP_MINTTL, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int be_deaf(int fd)
{
        int family = 0, all = DEAF, r;
        socklen_t len = sizeof(family);

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0)
                return -errno;
        r = set_min_ttl(fd, DEAF);
        if (r == 0 && family == AF_INET6 &&
            setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &all, sizeof(all)) < 0)
                r = -errno;
        return r;
}

bool hot__decoy_is_set(int fd)
{
        return min_ttl_of(fd) == MARK;
}

int hot__decoy_mark(int fd)
{
        int value = min_ttl_of(fd);

        if (value < 0 || value == MARK)
                return value < 0 ? value : 0;
        return value == NOT_SET ? set_min_ttl(fd, MARK) : -EBUSY; /* somebody uses it */
}

bool hot__decoy_forget(int fd)
{
        return hot__decoy_is_set(fd) && set_min_ttl(fd, NOT_SET) == 0;
}

static int bind_decoy(int fd, const struct hot__settings *settings, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int decoy = -EBADF;
        struct hot__address address = {.kind = HOT__ADDRESS_TCP, .settings = *settings};
        int r;

        address.settings.given |= 1U << HOT__SETTING_REUSEPORT;
        r = hot__listener_bind_member(fd, &address, &decoy);
        if (r < 0)
                return r;
        /* A service manager's device, say, that no setting tells: no packet would come to it. */
        if (!hot__listener_is_beside(fd, decoy))
                return -EADDRNOTAVAIL;
        *ret_fd = hot__fd_take(&decoy);
        return 0;
}

int hot__decoy_set(int fd, const struct hot__settings *settings, unsigned int n, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int decoy = -EBADF;
        int r;

        if (min_ttl_of(fd) != NOT_SET)
                return -EBUSY;
        r = bind_decoy(fd, settings, &decoy);
        if (r == 0)
                r = be_deaf(decoy);
        if (r == 0 && listen(decoy, 1) < 0)
                r = -errno;
        if (r == 0)
                r = hot__steer_to(fd, n);
        if (r == 0)
                r = hot__decoy_mark(fd);
        if (r == 0)
                *ret_fd = hot__fd_take(&decoy);
        return r;
}
