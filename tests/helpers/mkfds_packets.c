/* SPDX-License-Identifier: MIT */
/*
 * Makers of sockets below or beside TCP and UDP.
 */
#include "mkfds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_alg.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

static int open_socket(int family, int type, int protocol)
{
        return made(socket(family, type | SOCK_CLOEXEC, protocol));
}

static int make_netlink(void)
{
        return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int bind_netlink(int protocol)
{
        struct sockaddr_nl address = {.nl_family = AF_NETLINK};
        int fd = open_socket(AF_NETLINK, SOCK_RAW, protocol);

        if (fd >= 0 && bind(fd, (void *)&address, sizeof(address)) < 0)
                return -errno;
        return fd;
}

static int make_netlink_bound(void)
{
        return bind_netlink(NETLINK_ROUTE);
}

static int make_netlink_events(void)
{
        return bind_netlink(NETLINK_KOBJECT_UEVENT);
}

static int make_raw(void)
{
        return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int make_raw_connected(void)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_UDP);

        if (fd >= 0 && connect(fd, (void *)&address, sizeof(address)) < 0)
                return -errno;
        return fd;
}

static int make_raw6(void)
{
        return open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

/* Needs no privilege where net.ipv4.ping_group_range says so. */
static int make_ping(void)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

        if (fd >= 0 && bind(fd, (void *)&address, sizeof(address)) < 0)
                return -errno;
        return fd;
}

static int make_packet(void)
{
        return open_socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
}

static int make_packet_cooked(void)
{
        return open_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
}

static int make_crypto(void)
{
        return open_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static int make_vsock(void)
{
        return open_socket(AF_VSOCK, SOCK_STREAM, 0);
}

const struct maker makers_of_packets[] = {
        {"netlink", make_netlink},
        {"netlink-bound", make_netlink_bound},
        {"netlink-events", make_netlink_events},
        {"raw", make_raw},
        {"raw-connected", make_raw_connected},
        {"raw6", make_raw6},
        {"ping", make_ping},
        {"packet", make_packet},
        {"packet-cooked", make_packet_cooked},
        {"crypto", make_crypto},
        {"vsock", make_vsock},
        {NULL, NULL},
};
