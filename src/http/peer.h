/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PEER_H
#define HOT_HTTP_PEER_H

/* Who is at the other end of a connection, in as little memory as an idle one should cost. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct hot__peer {
        uint8_t address[16];
        uint16_t port;  /* host byte order */
        uint8_t family; /* AF_INET, AF_INET6, AF_UNIX, or 0: not known */
};

/* @name: as the kernel gives it. AF_UNSPEC: not known. */
void hot__peer_set(struct hot__peer *peer, const struct sockaddr_storage *name);

/* One that goes by a name of the network is TCP: what a read leaves out of a stream of another family is not known. */
static inline bool hot__peer_is_tcp(const struct hot__peer *peer)
{
        return peer->family == AF_INET || peer->family == AF_INET6;
}

/* "192.0.2.1", "2001:db8::1", "unix", or "-". An IPv4 address in IPv6's clothes is shown without them. */
const char *hot__peer_string(const struct hot__peer *peer, char *buffer, size_t size);

#endif
