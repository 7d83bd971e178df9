/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "peer.h"

void hot__peer_get(struct hot__peer *peer, int fd)
{
        union {
                struct sockaddr any;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
                struct sockaddr_storage storage;
        } name = {0};
        socklen_t len = sizeof(name);

        *peer = (struct hot__peer){0};
        if (getpeername(fd, &name.any, &len) < 0)
                return;
        peer->family = (uint8_t)name.any.sa_family;
        if (name.any.sa_family == AF_INET) {
                memcpy(peer->address, &name.in.sin_addr, sizeof(name.in.sin_addr));
                peer->port = ntohs(name.in.sin_port);
        } else if (name.any.sa_family == AF_INET6) {
                memcpy(peer->address, &name.in6.sin6_addr, sizeof(name.in6.sin6_addr));
                peer->port = ntohs(name.in6.sin6_port);
        }
}

const char *hot__peer_string(const struct hot__peer *peer, char *buffer, size_t size)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        const void *address = peer->address;
        int family = peer->family;

        if (family == AF_INET6 && !memcmp(peer->address, mapped, sizeof(mapped))) {
                family = AF_INET;
                address = peer->address + sizeof(mapped);
        }
        if ((family == AF_INET || family == AF_INET6) &&
            inet_ntop(family, address, buffer, (socklen_t)size))
                return buffer;
        snprintf(buffer, size, "%s", family == AF_UNIX ? "unix" : "-");
        return buffer;
}
