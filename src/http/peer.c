/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "peer.h"

void hot__peer_set(struct hot__peer *peer, const struct sockaddr_storage *name)
{
        *peer = (struct hot__peer){.family = (uint8_t)name->ss_family};
        if (name->ss_family == AF_INET) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)name;

                memcpy(peer->address, &in->sin_addr, sizeof(in->sin_addr));
                peer->port = ntohs(in->sin_port);
        } else if (name->ss_family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)name;

                memcpy(peer->address, &in6->sin6_addr, sizeof(in6->sin6_addr));
                peer->port = ntohs(in6->sin6_port);
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
