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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

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
                snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
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
        snprintf(row->device_text, sizeof(row->device_text), "%llu",
                 (unsigned long long)file->inode);
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

/* By its protocol's name, which the socket has for an attribute; a name in a file system has none. */
static void set_other(const struct hot_inspect_process *process, const struct hot_inspect_fd *file,
                      struct lsof_row *row)
{
        char path[64], protocol[NAME_MAX_LEN] = "", name[NAME_MAX_LEN + 16];
        ssize_t n;

        strcpy(row->type, "sock");
        row->has_device = true;
        row->device = file->device;
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", process->pid, file->fd);
        n = getxattr(path, "system.sockprotoname", protocol, sizeof(protocol) - 1);
        snprintf(name, sizeof(name), "protocol: %s", protocol);
        row->name = lsof_copy(n < 0 ? "can't identify protocol" : name);
}

/* The process' network namespace, if it is another one than ours; else 0. */
static uint64_t foreign_netns(pid_t pid)
{
        struct stat ours, its;
        char path[32];

        snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        if (stat("/proc/self/ns/net", &ours) < 0 || stat(path, &its) < 0)
                return 0;
        return its.st_ino == ours.st_ino ? 0 : its.st_ino;
}

void lsof_make_socket(struct lsof_maker *maker, const struct hot_inspect_process *process,
                      const struct hot_inspect_fd *file, struct lsof_row *row)
{
        const struct lsof_socket *socket;
        uint64_t netns;

        row->inode = file->inode;
        row->node = LSOF_NODE_INODE;
        if (file->kind == HOT_INSPECT_TCP || file->kind == HOT_INSPECT_UDP) {
                row->name = lsof_copy("");
                set_internet(maker, file, row);
                return;
        }
        socket = lsof_sockets_find(&maker->sockets, file->inode, 0, process->pid);
        if (!socket && (netns = foreign_netns(process->pid)) != 0)
                socket = lsof_sockets_find(&maker->sockets, file->inode, netns, process->pid);
        if (!socket)
                set_other(process, file, row);
        else if (socket->kind == LSOF_SOCKET_UNIX)
                set_unix(maker, socket, row);
        else if (socket->kind == LSOF_SOCKET_NETLINK)
                set_netlink(socket, row);
        else if (socket->kind == LSOF_SOCKET_PACKET)
                set_packet(file, socket, row);
        else
                set_raw(socket, row);
}
