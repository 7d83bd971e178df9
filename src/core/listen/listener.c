/* SPDX-License-Identifier: MIT */
/*
 * Listeners: bind new ones, and ask the kernel what inherited ones are.
 *
 * Names are resolved without AI_ADDRCONFIG, which would drop addresses that bind (loopback, on a machine
 * with no other): the kernel is asked instead, and an address or a family that it does not have
 * (EADDRNOTAVAIL, EAFNOSUPPORT) makes us try the next one. Any other error ends the search: with
 * localhost at [::1] taken, a quiet 127.0.0.1 would give one name two servers.
 *
 * "[::]:PORT", written out, is left to net.ipv6.bindv6only, as everybody else does; ":PORT" is not. Both
 * obey a v6only of the address.
 */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "access.h"
#include "fd.h"
#include "hotstart.h"
#include "tuning.h"
#include "unixpath.h"

union any_sockaddr {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
};

static int get_int(int fd, int option, int *ret)
{
        socklen_t len = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, option, ret, &len) < 0 ? -errno : 0;
}

/* A socket's own address, cut to what it can be. */
static int get_name(int fd, union any_sockaddr *ret, socklen_t *ret_len)
{
        socklen_t len = sizeof(*ret);

        memset(ret, 0, sizeof(*ret));
        if (getsockname(fd, &ret->sa, &len) < 0)
                return -errno;
        *ret_len = len < sizeof(*ret) ? len : (socklen_t)sizeof(*ret);
        return 0;
}

static bool is_connected(int fd)
{
        union any_sockaddr peer;
        socklen_t len = sizeof(peer);

        return getpeername(fd, &peer.sa, &len) == 0;
}

static bool is_bound(int fd)
{
        union any_sockaddr name;
        socklen_t len;

        if (get_name(fd, &name, &len) < 0)
                return false;
        switch (name.sa.sa_family) {
        case AF_INET:
                return name.in.sin_port != 0;
        case AF_INET6:
                return name.in6.sin6_port != 0;
        default:
                return len > offsetof(struct sockaddr_un, sun_path);
        }
}

int hot__listener_verify(int fd)
{
        int domain = 0, type = 0, listens = 0, r;

        r = get_int(fd, SO_DOMAIN, &domain);
        if (r == 0)
                r = get_int(fd, SO_TYPE, &type);
        if (r == 0)
                r = get_int(fd, SO_ACCEPTCONN, &listens);
        if (r < 0)
                return r;
        if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)
                return -EAFNOSUPPORT;
        if (type == SOCK_DGRAM)
                return is_bound(fd) && !is_connected(fd) ? 0 : -EDESTADDRREQ;
        return (type == SOCK_STREAM || type == SOCK_SEQPACKET) && listens ? 0 : -EDESTADDRREQ;
}

static int type_of(const struct hot__address *address)
{
        return address->kind == HOT__ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

static int resolver_error(int error)
{
        switch (error) {
        case EAI_MEMORY:
                return -ENOMEM;
        case EAI_SYSTEM:
                return errno ? -errno : -ENXIO;
        default:
                return -ENXIO;
        }
}

static void free_addresses(struct addrinfo **list)
{
        if (*list)
                freeaddrinfo(*list);
}

/* A slim system may have no /etc/services; the two names that a web server needs are always known. */
static const char *port_of(const char *service)
{
        if (strcmp(service, "http") == 0)
                return "80";
        return strcmp(service, "https") == 0 ? "443" : service;
}

/* Where @address is; an empty host gives the wildcards. Given to the caller, who frees it. */
static int resolve(const struct hot__address *address, int family, struct addrinfo **ret)
{
        const struct addrinfo hints = {
                .ai_family = family, .ai_socktype = type_of(address), .ai_flags = AI_PASSIVE};
        const char *host = address->host[0] ? address->host : NULL;
        int r;

        errno = 0;
        r = getaddrinfo(host, port_of(address->service), &hints, ret);
        return r == 0 ? 0 : resolver_error(r);
}

enum v6only {
        V6ONLY_DEFAULT,
        V6ONLY_OFF,
        V6ONLY_ON,
};

static int set_options(int fd, const struct addrinfo *ai, enum v6only v6only,
                       const struct hot__settings *settings)
{
        const int on = 1, only = v6only == V6ONLY_ON;

        /* For UDP it would let a second process take the datagrams of the first. */
        if (ai->ai_socktype == SOCK_STREAM &&
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return -errno;
        if (v6only != V6ONLY_DEFAULT &&
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
                return -errno;
        return hot__tuning_before_bind(fd, settings);
}

static int new_socket(int family, int type, int *ret_fd)
{
        int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static int bind_one(const struct addrinfo *ai, enum v6only v6only,
                    const struct hot__settings *settings, bool listening, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        int r = new_socket(ai->ai_family, ai->ai_socktype, &fd);

        if (r == 0)
                r = set_options(fd, ai, v6only, settings);
        if (r < 0)
                return r;
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
                return -errno;
        r = hot__tuning_before_listen(fd, settings);
        if (r < 0)
                return r;
        if (listening && ai->ai_socktype == SOCK_STREAM &&
            listen(fd, hot__tuning_backlog(settings)) < 0)
                return -errno;
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

static bool is_missing(int error)
{
        return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL;
}

static int bind_family(const struct hot__address *address, int family, enum v6only v6only,
                       int *ret_fd)
{
        CLEANUP(free_addresses) struct addrinfo *list = NULL;
        int r = resolve(address, family, &list);

        if (r < 0)
                return r;
        r = -EADDRNOTAVAIL;
        for (const struct addrinfo *ai = list; ai && is_missing(r); ai = ai->ai_next)
                r = bind_one(ai, v6only, &address->settings, true, ret_fd);
        return r;
}

static int bind_inet(const struct hot__address *address, int *ret_fd)
{
        int r;

        if (address->host[0])
                return bind_family(address, AF_UNSPEC, V6ONLY_DEFAULT, ret_fd);
        r = bind_family(address, AF_INET6, V6ONLY_OFF, ret_fd);
        return is_missing(r) ? bind_family(address, AF_INET, V6ONLY_DEFAULT, ret_fd) : r;
}

static socklen_t set_abstract(struct sockaddr_un *un, const char *path)
{
        size_t n = strlen(path);

        memset(un, 0, sizeof(*un));
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path + 1, path + 1, n - 1);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int bind_abstract(const struct hot__address *address, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct sockaddr_un un;
        socklen_t len = set_abstract(&un, address->path);
        int r = new_socket(AF_UNIX, SOCK_STREAM, &fd);

        if (r == 0)
                r = hot__tuning_before_bind(fd, &address->settings);
        if (r < 0)
                return r;
        if (bind(fd, (const struct sockaddr *)&un, len) < 0 ||
            listen(fd, hot__tuning_backlog(&address->settings)) < 0)
                return -errno;
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

static int bind_path(const struct hot__address *address, int *ret_fd)
{
        struct hot__access access;
        int r = hot__access_find(&address->settings, &access);

        if (r < 0)
                return r;
        return hot__unixpath_listen(address->path, &access, hot__tuning_backlog(&address->settings),
                                    ret_fd);
}

int hot__listener_bind(const struct hot__address *address, int *ret_fd)
{
        if (address->kind != HOT__ADDRESS_UNIX)
                return bind_inet(address, ret_fd);
        if (address->path[0] == '@')
                return bind_abstract(address, ret_fd);
        return bind_path(address, ret_fd);
}

/* An IPv6 member is for both families exactly if the first is. */
static enum v6only v6only_of(int fd, int family)
{
        socklen_t len = sizeof(int);
        int value = 1;

        if (family != AF_INET6 || getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len) < 0)
                return V6ONLY_DEFAULT;
        return value ? V6ONLY_ON : V6ONLY_OFF;
}

int hot__listener_bind_member(int first, const struct hot__address *address, int *ret_fd)
{
        union any_sockaddr name;
        struct addrinfo where = {.ai_addr = &name.sa};
        const int on = 1;
        socklen_t len;
        int r = get_name(first, &name, &len);

        if (r < 0)
                return r;
        where.ai_family = name.sa.sa_family;
        where.ai_socktype = type_of(address);
        where.ai_addrlen = len;
        /* The kernel wants it of both. By itself it changes nothing for who accepts from the first. */
        if (setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
                return -errno;
        return bind_one(&where, v6only_of(first, where.ai_family), &address->settings, false,
                        ret_fd);
}

static bool are_alike(int fd, int other, int option)
{
        int a = 0, b = 0;

        return get_int(fd, option, &a) == 0 && get_int(other, option, &b) == 0 && a == b;
}

bool hot__listener_may_be_member(int fd)
{
        int reuseport = 0;

        return get_int(fd, SO_REUSEPORT, &reuseport) == 0 && reuseport;
}

bool hot__listener_is_beside(int fd, int other)
{
        union any_sockaddr name, beside;
        socklen_t len, beside_len;

        if (get_name(fd, &name, &len) < 0 || get_name(other, &beside, &beside_len) < 0)
                return false;
        return name.sa.sa_family != AF_UNIX && len == beside_len &&
               memcmp(&name, &beside, len) == 0 && are_alike(fd, other, SO_TYPE) &&
               are_alike(fd, other, SO_BINDTOIFINDEX);
}

bool hot__listener_is_silent(int fd)
{
        int type = 0, listens = 1;

        return get_int(fd, SO_TYPE, &type) == 0 && type != SOCK_DGRAM &&
               get_int(fd, SO_ACCEPTCONN, &listens) == 0 && !listens;
}

int hot__listener_apply(int fd, const struct hot__address *address, bool activated)
{
        int r = hot__tuning_apply(fd, &address->settings, activated), path = 0;
        struct hot__access access;

        if (address->kind != HOT__ADDRESS_UNIX || address->path[0] != '/')
                return r;
        if (hot__unixpath_is_of(address->path, fd)) {
                path = hot__access_find(&address->settings, &access);
                if (path == 0)
                        path = hot__access_grant(address->path, &access);
        }
        return r < 0 ? r : path;
}

static bool is_at_unix(int fd, const union any_sockaddr *name, socklen_t len, const char *path)
{
        struct sockaddr_un un;

        if (name->sa.sa_family != AF_UNIX)
                return false;
        if (path[0] != '@')
                return hot__unixpath_is_of(path, fd);
        return len == set_abstract(&un, path) && memcmp(&name->un, &un, len) == 0;
}

static bool is_same_place(const union any_sockaddr *name, const struct addrinfo *ai)
{
        union any_sockaddr asked;

        if (name->sa.sa_family != ai->ai_family || ai->ai_addrlen > sizeof(asked))
                return false;
        memset(&asked, 0, sizeof(asked));
        memcpy(&asked, ai->ai_addr, ai->ai_addrlen);
        if (ai->ai_family == AF_INET)
                return name->in.sin_port == asked.in.sin_port &&
                       name->in.sin_addr.s_addr == asked.in.sin_addr.s_addr;
        return name->in6.sin6_port == asked.in6.sin6_port &&
               name->in6.sin6_scope_id == asked.in6.sin6_scope_id &&
               memcmp(&name->in6.sin6_addr, &asked.in6.sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool is_at_inet(int fd, const union any_sockaddr *name, const struct hot__address *address)
{
        CLEANUP(free_addresses) struct addrinfo *list = NULL;
        int type;

        if (name->sa.sa_family != AF_INET && name->sa.sa_family != AF_INET6)
                return false;
        if (get_int(fd, SO_TYPE, &type) < 0 || type != type_of(address))
                return false;
        if (resolve(address, AF_UNSPEC, &list) < 0)
                return false;
        for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
                if (is_same_place(name, ai))
                        return true;
        return false;
}

bool hot__listener_is_at(int fd, const struct hot__address *address)
{
        union any_sockaddr name;
        socklen_t len;

        if (get_name(fd, &name, &len) < 0)
                return false;
        if (address->kind == HOT__ADDRESS_UNIX)
                return is_at_unix(fd, &name, len, address->path);
        return is_at_inet(fd, &name, address);
}

static int format_path(const char *path, char *buffer, size_t size)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        size_t n = strlen(path);

        if (n >= sizeof(un.sun_path))
                return -ENAMETOOLONG;
        memcpy(un.sun_path, path, n);
        return hot__address_format_sockaddr((const struct sockaddr *)&un,
                                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n),
                                            SOCK_STREAM, buffer, size);
}

int hot__listener_format(int fd, const char *path_hint, char *buffer, size_t size)
{
        union any_sockaddr name;
        char path[sizeof(name.un.sun_path)];
        socklen_t len;
        int type, r;

        r = get_int(fd, SO_TYPE, &type);
        if (r == 0)
                r = get_name(fd, &name, &len);
        if (r < 0)
                return r;
        if (name.sa.sa_family == AF_UNIX && path_hint && hot__unixpath_is_of(path_hint, fd))
                return format_path(path_hint, buffer, size);
        if (name.sa.sa_family == AF_UNIX && (hot__unixpath_find(fd, path, sizeof(path)) == 0 ||
                                             hot__unixpath_meant(fd, path, sizeof(path)) == 0))
                return format_path(path, buffer, size);
        return hot__address_format_sockaddr(&name.sa, len, type, buffer, size);
}

int hot_listener_address(int fd, char *buffer, size_t size)
{
        return hot__listener_format(fd, NULL, buffer, size);
}
