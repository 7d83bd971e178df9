/* SPDX-License-Identifier: MIT */
#include "target.h"

#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static int resolve_unix(const struct hot__address *address, struct hot__target *ret)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        size_t length = strlen(address->path);

        if (length > sizeof(un.sun_path) ||
            (length == sizeof(un.sun_path) && *address->path != '@'))
                return -EINVAL;
        memcpy(un.sun_path, address->path, length);
        if (un.sun_path[0] == '@')
                un.sun_path[0] = '\0';
        else
                length++;
        memset(ret, 0, sizeof(*ret));
        memcpy(&ret->address, &un, sizeof(un));
        ret->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        memcpy(ret->host, "localhost", sizeof("localhost"));
        return 0;
}

static int resolve_tcp(const struct hot__address *address, struct hot__target *ret)
{
        const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        const char *host = address->host[0] ? address->host : NULL,
                   *shown = host ? host : "localhost";
        struct addrinfo *found;
        int r;

        r = getaddrinfo(host, address->service, &hints, &found);
        if (r == EAI_MEMORY)
                return -ENOMEM;
        if (r != 0)
                return -ENXIO;
        memset(ret, 0, sizeof(*ret));
        memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
        ret->address_len = found->ai_addrlen;
        freeaddrinfo(found);
        snprintf(ret->host, sizeof(ret->host), strchr(shown, ':') ? "[%s]:%s" : "%s:%s", shown,
                 address->service);
        return 0;
}

int hot__target_resolve(const char *text, struct hot__target *ret)
{
        struct hot__address address;
        int r;

        if (strncmp(text, "tcp:", 4) == 0 && strncmp(text, "tcp://", 6) != 0)
                text += 4;
        r = hot__address_parse(text, &address);
        if (r < 0)
                return r;
        switch (address.kind) {
        case HOT__ADDRESS_UNIX:
                return resolve_unix(&address, ret);
        case HOT__ADDRESS_TCP:
                return resolve_tcp(&address, ret);
        case HOT__ADDRESS_UDP:
        default:
                return -EPROTOTYPE;
        }
}
