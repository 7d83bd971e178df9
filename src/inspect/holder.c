/* SPDX-License-Identifier: MIT */
/*
 * Which process holds an address: first the socket that does, then a process that has it open.
 *
 * An address is also held by a socket that merely overlaps: 0.0.0.0:80 is in the way of 127.0.0.1:80, and
 * [::]:80 of both unless it is restricted to IPv6. A UNIX path is held by the socket that is bound to the
 * file, whatever name it was bound under (ours are bound under another and renamed).
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <hotstart/inspect.h>

#include "address.h"
#include "proc.h"
#include "socket.h"
#include "table.h"

/* How well a socket fits what is asked for. */
enum fit { FIT_NONE, FIT_OVERLAP, FIT_EXACT };

struct search {
        struct hot__address address;
        struct addrinfo *resolved; /* TCP and UDP: owned */
        struct stat path;          /* UNIX with a path: the file, st_ino 0 if there is none */
        enum fit fit;              /* the best so far */
        uint64_t inode;            /* its socket */
};

/* An internet address in one form for both families. */
struct place {
        struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
        in_port_t port;
        bool v4;
        bool any;
};

static struct place place_v4(const struct in_addr *address, in_port_t port)
{
        struct place place = {.port = port, .v4 = true, .any = address->s_addr == 0};

        place.address.s6_addr[10] = place.address.s6_addr[11] = 0xff;
        memcpy(&place.address.s6_addr[12], address, sizeof(*address));
        return place;
}

static struct place place_of(const void *sockaddr, int family)
{
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        if (family == AF_INET) {
                memcpy(&v4, sockaddr, sizeof(v4));
                return place_v4(&v4.sin_addr, v4.sin_port);
        }
        memcpy(&v6, sockaddr, sizeof(v6));
        return (struct place){
                .address = v6.sin6_addr,
                .port = v6.sin6_port,
                .v4 = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr),
                .any = IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr),
        };
}

static enum fit fit_place(const struct place *asked, const struct hot__socket *socket)
{
        struct place held = place_of(&socket->local, socket->local.ss_family);

        if (held.port != asked->port)
                return FIT_NONE;
        if (memcmp(&held.address, &asked->address, sizeof(held.address)) == 0)
                return FIT_EXACT;
        /* IPv4 meets IPv6 only at a socket for all addresses that is not restricted to IPv6. */
        if (held.v4 != asked->v4 && ((held.v4 ? !asked->any : !held.any) || socket->v6only))
                return FIT_NONE;
        return held.any || asked->any ? FIT_OVERLAP : FIT_NONE;
}

static enum fit fit_internet(const struct search *search, const struct hot__socket *socket)
{
        enum fit best = FIT_NONE, fit;
        struct place asked;

        if (socket->local_len == 0)
                return FIT_NONE;
        for (const struct addrinfo *ai = search->resolved; ai; ai = ai->ai_next) {
                asked = place_of(ai->ai_addr, ai->ai_family);
                fit = fit_place(&asked, socket);
                if (fit > best)
                        best = fit;
        }
        return best;
}

static enum fit fit_unix(const struct search *search, const struct hot__socket *socket)
{
        const char *path = search->address.path;
        size_t len = strlen(path);
        struct sockaddr_un name;

        if (socket->local_len == 0)
                return FIT_NONE;
        if (path[0] != '@')
                return search->path.st_ino != 0 && socket->path_inode == search->path.st_ino &&
                                       socket->path_device == search->path.st_dev
                               ? FIT_EXACT
                               : FIT_NONE;
        memcpy(&name, &socket->local, sizeof(name));
        if (socket->local_len != offsetof(struct sockaddr_un, sun_path) + len ||
            name.sun_path[0] != '\0')
                return FIT_NONE;
        return memcmp(name.sun_path + 1, path + 1, len - 1) == 0 ? FIT_EXACT : FIT_NONE;
}

static int consider(const struct hot__socket *socket, void *data)
{
        struct search *search = data;
        enum fit fit = socket->kind == HOT_INSPECT_UNIX ? fit_unix(search, socket)
                                                        : fit_internet(search, socket);

        if (fit > search->fit) {
                search->fit = fit;
                search->inode = socket->inode;
        }
        return 0;
}

static int resolve(struct search *search)
{
        const struct hot__address *address = &search->address;
        struct addrinfo hints = {
                .ai_flags = AI_PASSIVE,
                .ai_family = AF_UNSPEC,
                .ai_socktype = address->kind == HOT__ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM,
        };
        int r = getaddrinfo(address->host[0] ? address->host : NULL, address->service, &hints,
                            &search->resolved);

        if (r == EAI_SYSTEM)
                return -errno;
        return r == EAI_MEMORY ? -ENOMEM : r != 0 ? -ENXIO : 0;
}

/*
 * In three goes, so that a listener comes before a socket that is only bound: each asks the kernel for
 * some states. An accepted UNIX connection carries its listener's name, so connections never count.
 */
static int find_socket(struct search *search)
{
        int r;

        switch (search->address.kind) {
        case HOT__ADDRESS_TCP:
                r = hot__socket_dump(HOT_INSPECT_TCP, 1U << HOT__SOCKET_LISTEN, consider, search);
                if (r < 0 || search->fit > FIT_NONE)
                        return r;
                return hot__socket_dump(HOT_INSPECT_TCP, 1U << HOT__SOCKET_BOUND, consider, search);
        case HOT__ADDRESS_UDP:
                return hot__socket_dump(HOT_INSPECT_UDP, HOT__SOCKET_ANY_STATE, consider, search);
        case HOT__ADDRESS_UNIX:
                if (search->address.path[0] != '@' && stat(search->address.path, &search->path) < 0)
                        return -errno;
                r = hot__socket_dump(HOT_INSPECT_UNIX, 1U << HOT__SOCKET_LISTEN, consider, search);
                if (r < 0 || search->fit > FIT_NONE)
                        return r;
                return hot__socket_dump(HOT_INSPECT_UNIX, 1U << HOT__SOCKET_CLOSE, consider,
                                        search);
        }
        return -EINVAL;
}

static bool has_socket(const struct hot__proc *process, const char *target)
{
        struct hot__table table;
        char seen[PATH_MAX];
        bool found = false;
        int fd;

        if (hot__table_open(process, NULL, NULL, &table) < 0)
                return false;
        while (!found && hot__table_next(&table, &fd) > 0)
                found = hot__table_target(&table, fd, seen) == 0 && strcmp(seen, target) == 0;
        hot__table_done(&table);
        return found;
}

/* A process' name goes into messages: it may hold what a terminal obeys. */
static void copy_name(const char *from, char *name, size_t size)
{
        size_t i;

        if (size == 0)
                return;
        for (i = 0; i + 1 < size && from[i]; i++)
                name[i] = isprint((unsigned char)from[i]) ? from[i] : '?';
        name[i] = '\0';
}

static int find_process(uint64_t inode, pid_t *ret_pid, char *name, size_t name_size)
{
        struct hot__proc process;
        char target[32];
        pid_t *pids;
        size_t n;
        int r = hot_inspect_processes(&pids, &n);

        if (r < 0)
                return r;
        snprintf(target, sizeof(target), "socket:[%llu]", (unsigned long long)inode);
        r = -ENOENT;
        for (size_t i = 0; i < n && r == -ENOENT; i++) {
                if (hot__proc_open(pids[i], &process) < 0)
                        continue;
                if (has_socket(&process, target)) {
                        *ret_pid = process.pid;
                        if (name)
                                copy_name(process.name, name, name_size);
                        r = 0;
                }
                hot__proc_done(&process);
        }
        free(pids);
        return r;
}

int hot_inspect_holder(const char *address, pid_t *ret_pid, char *name, size_t name_size)
{
        struct search search = {.fit = FIT_NONE};
        int r = hot__address_parse(address, &search.address);

        if (r < 0)
                return r;
        if (search.address.kind != HOT__ADDRESS_UNIX) {
                r = resolve(&search);
                if (r < 0)
                        return r;
        }
        r = find_socket(&search);
        if (search.resolved)
                freeaddrinfo(search.resolved);
        if (r < 0)
                return r;
        return search.inode ? find_process(search.inode, ret_pid, name, name_size) : -ENOENT;
}
