/* SPDX-License-Identifier: MIT */
/*
 * A socket's columns. TCP and UDP have their inode where others have a device, and their protocol for an
 * inode; a UNIX socket the kernel's number for it; what no table knows says at least its protocol, by way
 * of an extended attribute that sockets have.
 */
#include "make.h"

#include <arpa/inet.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "decimal.h"
#include "memory.h"
#include "protocols.h"

enum { NAME_MAX_LEN = 256 };

/* The kernel's flag of a UNIX socket that accepts connections, __SO_ACCEPTCON. */
#define ACCEPTS 0x10000U

/* "127.0.0.1:80", "[::1]:80"; an IPv4 address of an IPv6 socket is one of IPv4. */
static void read_end(const char *text, struct lsof_endpoint *end)
{
        char host[INET6_ADDRSTRLEN];
        const char *colon = strrchr(text, ':');
        struct in6_addr v6;

        if (!colon)
                return;
        end->port = atoi(colon + 1);
        if (*text != '[') {
                if (colon - text >= (ptrdiff_t)sizeof(host))
                        return;
                *(char *)mempcpy(host, text, (size_t)(colon - text)) = '\0';
                end->family = inet_pton(AF_INET, host, end->address) == 1 ? AF_INET : 0;
                return;
        }
        snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - 2, text + 1);
        if (inet_pton(AF_INET6, host, &v6) != 1)
                return;
        end->family = AF_INET6;
        memcpy(end->address, &v6, sizeof(v6));
}

static bool is_mapped(const struct lsof_endpoint *end)
{
        struct in6_addr v6;

        memcpy(&v6, end->address, sizeof(v6));
        return end->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6);
}

static void to_v4(struct lsof_endpoint *end)
{
        if (end->family != AF_INET6)
                return;
        end->family = AF_INET;
        memmove(end->address, end->address + 12, 4);
}

/* If one end is IPv4's, so are both, whatever the other says. */
static void read_ends(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        read_end(file->local, &row->local);
        read_end(file->peer, &row->peer);
        if (!is_mapped(&row->local) && !is_mapped(&row->peer))
                return;
        to_v4(&row->local);
        to_v4(&row->peer);
}

static int tcp_state(const char *name)
{
        for (int i = 0; i < LSOF_STATES; i++)
                if (strcmp(name, lsof_states_name(i)) == 0)
                        return i;
        return -1;
}

static void set_state(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        if (file->kind == HOT_INSPECT_UDP) {
                row->state_kind = LSOF_STATE_UDP;
                row->state_number = tcp_state(*file->peer ? "ESTABLISHED" : "CLOSE");
        } else {
                row->state_kind = LSOF_STATE_TCP;
                row->state_number = tcp_state(file->state);
                row->state = *file->state ? file->state : NULL;
        }
        row->receive_queue = file->receive_queue;
        row->send_queue = file->listening ? 0 : file->send_queue;
}

static const char *protocol_name(const struct hot_inspect_fd *file)
{
        if (file->kind == HOT_INSPECT_TCP)
                return "TCP";
        return file->protocol == IPPROTO_UDPLITE ? "UDPLITE" : "UDP";
}

static bool wants_family(const struct lsof_internet *internet, int family)
{
        return internet->any &&
               (internet->any_family == 0 || internet->any_family == (family == AF_INET ? 4 : 6));
}

static void select_internet(struct lsof_request *request, const struct hot_inspect_fd *file,
                            struct lsof_row *row)
{
        struct lsof_internet *internet = &request->internet;
        bool local, peer;

        row->excluded = !lsof_states_match(&request->states, row->state_number);
        if (row->excluded)
                return;
        if (wants_family(internet, file->family))
                row->selected |= LSOF_BY_INTERNET;
        peer = lsof_internet_match(internet, row->protocol, &row->peer);
        local = lsof_internet_match(internet, row->protocol, &row->local);
        if (peer || local)
                row->selected |= LSOF_BY_ADDRESS;
}

static void set_internet(struct lsof_maker *maker, const struct hot_inspect_fd *file,
                         struct lsof_row *row)
{
        strcpy(row->type, file->family == AF_INET ? "IPv4" : "IPv6");
        strcpy(row->protocol, protocol_name(file));
        row->node = LSOF_NODE_PROTOCOL;
        hot__decimal(row->device_text, file->inode);
        read_ends(file, row);
        set_state(file, row);
        select_internet(maker->request, file, row);
}

static const char *unix_state(const struct lsof_socket *socket)
{
        if (socket->flags == ACCEPTS)
                return "LISTEN";
        switch (socket->state) {
        case SS_UNCONNECTED:
                return "UNCONNECTED";
        case SS_CONNECTING:
                return "CONNECTING";
        case SS_CONNECTED:
                return "CONNECTED";
        case SS_DISCONNECTING:
                return "DISCONNECTING";
        }
        return "UNKNOWN";
}

static void set_unix(struct lsof_maker *maker, const struct lsof_socket *socket,
                     struct lsof_row *row)
{
        struct lsof_request *request = maker->request;
        char name[NAME_MAX_LEN];

        strcpy(row->type, "unix");
        snprintf(row->device_text, sizeof(row->device_text), "0x%.16s", socket->number);
        snprintf(name, sizeof(name), "%s%stype=%s", socket->local, *socket->local ? " " : "",
                 lsof_socket_type_name(socket->type));
        row->name = lsof_copy(name);
        row->state_kind = LSOF_STATE_UNIX;
        row->state = unix_state(socket);
        if (request->unix_sockets)
                row->selected |= LSOF_BY_UNIX;
        if (*socket->local && lsof_files_match_name(&request->files, socket->local))
                row->selected |= LSOF_BY_NAME;
}

static void set_netlink(const struct lsof_socket *socket, struct lsof_row *row)
{
        const char *protocol = lsof_netlink_name(socket->protocol);
        char name[NAME_MAX_LEN];

        strcpy(row->type, "netlink");
        snprintf(name, sizeof(name), "unknown protocol: %u", socket->protocol);
        row->name = lsof_copy(protocol ? protocol : name);
}

static void set_packet(const struct hot_inspect_fd *file, const struct lsof_socket *socket,
                       struct lsof_row *row)
{
        char name[NAME_MAX_LEN];

        strcpy(row->type, "pack");
        row->node = LSOF_NODE_PROTOCOL;
        lsof_packet_name(socket->protocol, row->protocol);
        snprintf(row->device_text, sizeof(row->device_text), "%llu",
                 (unsigned long long)file->inode);
        snprintf(name, sizeof(name), "type=%s%s", lsof_is_socket_type(socket->type) ? "SOCK_" : "",
                 lsof_socket_type_name(socket->type));
        row->name = lsof_copy(name);
}

static void set_raw(const struct lsof_socket *socket, struct lsof_row *row)
{
        char name[NAME_MAX_LEN];

        if (socket->kind == LSOF_SOCKET_ICMP) {
                strcpy(row->type, "icmp");
                snprintf(name, sizeof(name), "%s->%s", socket->local, socket->peer);
        } else {
                strcpy(row->type, socket->kind == LSOF_SOCKET_RAW ? "raw" : "raw6");
                snprintf(name, sizeof(name), "%s->%s st=%s", socket->local, socket->peer,
                         socket->word);
        }
        row->name = lsof_copy(name);
}

/* By its protocol's name, or NULL if it has none: one in a file system has not. */
static void set_other(const struct hot_inspect_fd *file, const char *protocol, struct lsof_row *row)
{
        char name[NAME_MAX_LEN + 16];

        strcpy(row->type, "sock");
        row->has_device = true;
        row->device = file->device;
        snprintf(name, sizeof(name), "protocol: %s", protocol ? protocol : "");
        row->name = lsof_copy(protocol ? name : "can't identify protocol");
}

/* The process' network namespace, if it is another one than ours; else 0. */
static uint64_t foreign_netns(struct lsof_maker *maker, pid_t pid)
{
        struct stat ours, its;
        char path[32];

        if (maker->netns_pid == pid)
                return maker->netns;
        snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        maker->netns_pid = pid;
        maker->netns = 0;
        if (stat("/proc/self/ns/net", &ours) == 0 && stat(path, &its) == 0 &&
            its.st_ino != ours.st_ino)
                maker->netns = its.st_ino;
        return maker->netns;
}

/* The protocol's name, which the socket has for an attribute. Returns NULL if it cannot be had. */
static const char *read_protocol(pid_t pid, int fd, char protocol[NAME_MAX_LEN])
{
        char path[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        n = getxattr(path, "system.sockprotoname", protocol, NAME_MAX_LEN - 1);
        if (n < 0)
                return NULL;
        protocol[n] = '\0';
        return protocol;
}

/* May the table of that kind have a socket of this protocol? One without a name may be in any. */
static bool may_have(int kind, const char *protocol)
{
        static const char *const names[LSOF_SOCKET_KINDS] = {
                [LSOF_SOCKET_UNIX] = "UNIX",     [LSOF_SOCKET_NETLINK] = "NETLINK",
                [LSOF_SOCKET_PACKET] = "PACKET", [LSOF_SOCKET_RAW] = "RAW",
                [LSOF_SOCKET_RAW6] = "RAW",      [LSOF_SOCKET_ICMP] = "PING",
        };

        return !protocol || strncmp(protocol, names[kind], strlen(names[kind])) == 0;
}

static const struct lsof_socket *find(struct lsof_maker *maker, pid_t pid, uint64_t inode,
                                      const char *protocol)
{
        const struct lsof_socket *socket = NULL;
        uint64_t netns;

        for (int kind = 0; !socket && kind < LSOF_SOCKET_KINDS; kind++) {
                if (!may_have(kind, protocol))
                        continue;
                socket = lsof_sockets_find(&maker->sockets, kind, inode, 0, pid);
                if (!socket && (netns = foreign_netns(maker, pid)) != 0)
                        socket = lsof_sockets_find(&maker->sockets, kind, inode, netns, pid);
        }
        return socket;
}

void lsof_make_socket(struct lsof_maker *maker, const struct hot_inspect_process *process,
                      const struct hot_inspect_fd *file, struct lsof_row *row)
{
        char name[NAME_MAX_LEN];
        const char *protocol = "UNIX";
        const struct lsof_socket *socket;

        row->inode = file->inode;
        row->node = LSOF_NODE_INODE;
        if (file->kind == HOT_INSPECT_TCP || file->kind == HOT_INSPECT_UDP) {
                row->name = lsof_copy("");
                set_internet(maker, file, row);
                return;
        }
        if (file->kind != HOT_INSPECT_UNIX)
                protocol = read_protocol(process->pid, file->fd, name);
        socket = find(maker, process->pid, file->inode, protocol);
        if (!socket)
                set_other(file, protocol, row);
        else if (socket->kind == LSOF_SOCKET_UNIX)
                set_unix(maker, socket, row);
        else if (socket->kind == LSOF_SOCKET_NETLINK)
                set_netlink(socket, row);
        else if (socket->kind == LSOF_SOCKET_PACKET)
                set_packet(file, socket, row);
        else
                set_raw(socket, row);
}
