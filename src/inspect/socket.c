/* SPDX-License-Identifier: MIT */
/*
 * Why sock_diag(7) and not the text of /proc/net/tcp: it filters by state in the kernel (asking for
 * listeners costs 50 microseconds whatever the number of connections), it gives names as bytes, and it
 * alone knows the peer of a UNIX socket, the file that one is bound to, and how long an accept queue is. It
 * needs no privilege.
 *
 * A dump is one request and a stream of messages, one a socket, until NLMSG_DONE. A netlink message is
 * never split over two reads as long as the buffer holds the largest datagram that the kernel makes for a
 * dump (32 KiB).
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"

#define DATAGRAM_MAX 32768

struct request {
        struct nlmsghdr header;
        union {
                struct inet_diag_req_v2 inet;
                struct inet_diag_req both; /* TCP of both families, in the request's older form */
                struct unix_diag_req unix_;
        } body;
};

/* Turns one message into a socket. Returns 0 or -EINVAL. */
typedef int parse_fn(const struct nlmsghdr *message, struct hot__socket *ret);

static const void *payload(const struct nlmsghdr *message)
{
        return (const char *)message + NLMSG_HDRLEN;
}

/* The attribute @type that stands behind @skip bytes of payload, or NULL. */
static const struct rtattr *find_attribute(const struct nlmsghdr *message, size_t skip,
                                           unsigned short type)
{
        size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(skip);
        const struct rtattr *attribute;

        while (offset + sizeof(*attribute) <= message->nlmsg_len) {
                attribute = (const void *)((const char *)message + offset);
                if (attribute->rta_len < sizeof(*attribute) ||
                    attribute->rta_len > message->nlmsg_len - offset)
                        return NULL;
                if (attribute->rta_type == type)
                        return attribute;
                offset += RTA_ALIGN(attribute->rta_len);
        }
        return NULL;
}

/* Copy an attribute that is at least @size bytes long. */
static bool get_attribute(const struct nlmsghdr *message, size_t skip, unsigned short type,
                          void *ret, size_t size)
{
        const struct rtattr *attribute = find_attribute(message, skip, type);

        if (!attribute || attribute->rta_len < RTA_LENGTH(size))
                return false;
        memcpy(ret, (const char *)attribute + RTA_LENGTH(0), size);
        return true;
}

/* One end of an internet socket, if it has a port. */
static socklen_t set_inet(struct sockaddr_storage *ret, int family, const __be32 address[4],
                          __be16 port)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};

        if (port == 0)
                return 0;
        if (family == AF_INET) {
                memcpy(&v4.sin_addr, address, sizeof(v4.sin_addr));
                memcpy(ret, &v4, sizeof(v4));
                return sizeof(v4);
        }
        memcpy(&v6.sin6_addr, address, sizeof(v6.sin6_addr));
        memcpy(ret, &v6, sizeof(v6));
        return sizeof(v6);
}

static uint64_t cookie_of(const uint32_t halves[2])
{
        return halves[0] | (uint64_t)halves[1] << 32;
}

static int parse_inet(const struct nlmsghdr *message, struct hot__socket *ret)
{
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        struct inet_diag_msg diag;
        uint8_t v6only = 0;

        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(diag)))
                return -EINVAL;
        memcpy(&diag, payload(message), sizeof(diag));
        ret->state = diag.idiag_state;
        ret->family = diag.idiag_family;
        ret->inode = diag.idiag_inode;
        ret->cookie = cookie_of(diag.id.idiag_cookie);
        ret->receive_queue = diag.idiag_rqueue;
        ret->send_queue = diag.idiag_wqueue;
        ret->local_len =
                set_inet(&ret->local, diag.idiag_family, diag.id.idiag_src, diag.id.idiag_sport);
        ret->peer_len =
                set_inet(&ret->peer, diag.idiag_family, diag.id.idiag_dst, diag.id.idiag_dport);
        if (get_attribute(message, sizeof(diag), INET_DIAG_SKV6ONLY, &v6only, sizeof(v6only)))
                ret->v6only = v6only;
        if (ret->state == HOT__SOCKET_LISTEN &&
            get_attribute(message, sizeof(diag), INET_DIAG_SKMEMINFO, memory, sizeof(memory)))
                ret->drops = memory[SK_MEMINFO_DROPS];
        return 0;
}

static void parse_unix_name(const struct nlmsghdr *message, struct hot__socket *ret)
{
        const struct rtattr *name =
                find_attribute(message, sizeof(struct unix_diag_msg), UNIX_DIAG_NAME);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t len = name ? name->rta_len - RTA_LENGTH(0) : 0;

        if (len == 0 || len > sizeof(address.sun_path))
                return;
        memcpy(address.sun_path, (const char *)name + RTA_LENGTH(0), len);
        memcpy(&ret->local, &address, sizeof(address));
        ret->local_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int parse_unix(const struct nlmsghdr *message, struct hot__socket *ret)
{
        struct unix_diag_msg diag;
        struct unix_diag_rqlen queue;
        struct unix_diag_vfs file;
        uint32_t peer, pending;

        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(diag)))
                return -EINVAL;
        memcpy(&diag, payload(message), sizeof(diag));
        ret->type = diag.udiag_type;
        ret->family = AF_UNIX;
        ret->cookie = cookie_of(diag.udiag_cookie);
        ret->state = diag.udiag_state;
        ret->inode = diag.udiag_ino;
        parse_unix_name(message, ret);
        if (get_attribute(message, sizeof(diag), UNIX_DIAG_PEER, &peer, sizeof(peer)))
                ret->peer_inode = peer;
        if (get_attribute(message, sizeof(diag), UNIX_DIAG_ICONS, &pending, sizeof(pending)))
                ret->pending_inode = pending;
        if (get_attribute(message, sizeof(diag), UNIX_DIAG_RQLEN, &queue, sizeof(queue))) {
                ret->receive_queue = queue.udiag_rqueue;
                ret->send_queue = queue.udiag_wqueue;
        }
        if (get_attribute(message, sizeof(diag), UNIX_DIAG_VFS, &file, sizeof(file))) {
                /* The kernel's own device number: 12 bits of major, 20 of minor. */
                ret->path_device = makedev(file.udiag_vfs_dev >> 20, file.udiag_vfs_dev & 0xfffff);
                ret->path_inode = file.udiag_vfs_ino;
        }
        return 0;
}

/* What one dump is about, beside the request. */
struct dump {
        int source; /* borrowed: a netlink socket */
        int kind, type, protocol;
        parse_fn *parse;
        hot__socket_fn *fn;
        void *data;
        struct hot__datagrams *kept; /* borrowed: where messages go instead of to @fn; or NULL */
};

/* A family or protocol that this kernel has not, or whose diagnosis is not loaded, has no sockets. */
static bool is_unsupported(int error)
{
        return error == ENOENT || error == EOPNOTSUPP || error == EAFNOSUPPORT ||
               error == EPROTONOSUPPORT || error == EINVAL;
}

/* Returns 1 after the last message, 0 before it, or a negative errno. */
static int take_message(const struct dump *dump, const struct nlmsghdr *message)
{
        struct hot__socket socket = {
                .kind = dump->kind, .type = dump->type, .protocol = dump->protocol};
        struct nlmsgerr error;
        int r;

        if (message->nlmsg_type == NLMSG_DONE)
                return 1;
        if (message->nlmsg_type == NLMSG_ERROR) {
                if (message->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
                        return -EPROTO;
                memcpy(&error, payload(message), sizeof(error));
                return is_unsupported(-error.error) ? 1 : error.error;
        }
        r = dump->parse(message, &socket);
        return r < 0 ? r : dump->fn(&socket, dump->data);
}

/* A machine with more connections than that has a hundred bytes for each of half a million. */
#define KEPT_MAX ((size_t)64 << 20)

/* Messages are aligned in a datagram, and so they stay: its length is, but for the last one's. */
static int keep(struct hot__datagrams *kept, const char *bytes, size_t len)
{
        size_t need = kept->len + NLMSG_ALIGN(len), room = kept->room ? kept->room : DATAGRAM_MAX;
        char *larger;

        if (need > KEPT_MAX)
                return -E2BIG;
        while (room < need)
                room *= 2;
        if (room != kept->room) {
                larger = realloc(kept->bytes, room);
                if (!larger)
                        return -ENOMEM;
                kept->bytes = larger;
                kept->room = room;
        }
        memcpy(kept->bytes + kept->len, bytes, len);
        kept->len = need;
        return 0;
}

static int keep_message(const struct dump *dump, const struct nlmsghdr *message)
{
        struct nlmsgerr error;

        if (message->nlmsg_type == NLMSG_DONE)
                return 1;
        if (message->nlmsg_type != NLMSG_ERROR)
                return keep(dump->kept, (const char *)message, message->nlmsg_len);
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
                return -EPROTO;
        memcpy(&error, payload(message), sizeof(error));
        return error.error;
}

/* Every message of one datagram. Returns as take_message(). */
static int take_datagram(const struct dump *dump, const char *bytes, size_t len)
{
        const struct nlmsghdr *message;
        int r = 0;

        for (size_t at = 0; r == 0 && at + sizeof(*message) <= len;
             at += NLMSG_ALIGN(message->nlmsg_len)) {
                message = (const void *)(bytes + at);
                if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > len - at)
                        return -EPROTO;
                r = dump->kept ? keep_message(dump, message) : take_message(dump, message);
        }
        return r;
}

int hot__socket_source(void)
{
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

        return fd < 0 ? -errno : fd;
}

static int run(struct request *request, size_t body_len, const struct dump *dump)
{
        _Alignas(struct nlmsghdr) char bytes[DATAGRAM_MAX];
        ssize_t n;
        int r = 0;

        request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_len);
        request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        if (request->header.nlmsg_type == 0)
                request->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
        if (send(dump->source, request, request->header.nlmsg_len, 0) < 0)
                return -errno;
        while (r == 0) {
                n = recv(dump->source, bytes, sizeof(bytes), 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                r = take_datagram(dump, bytes, (size_t)n);
        }
        return r > 0 ? 0 : r;
}

static int dump_inet(int family, uint32_t states, const struct dump *dump)
{
        struct request request = {
                .body.inet =
                        {
                                .sdiag_family = (uint8_t)family,
                                .sdiag_protocol = (uint8_t)dump->protocol,
                                .idiag_states = states,
                        },
        };

        /* Drops are asked of listeners only: it is one more attribute for each socket. */
        if (states == 1U << HOT__SOCKET_LISTEN)
                request.body.inet.idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1);
        return run(&request, sizeof(request.body.inet), dump);
}

static int dump_both(uint32_t states, const struct dump *dump)
{
        int r = dump_inet(AF_INET, states, dump);

        return r < 0 ? r : dump_inet(AF_INET6, states, dump);
}

/*
 * The kernel walks its table of connections once for each request of the newer form, which asks for one
 * family. The older form has none, and asks for both.
 */
static int dump_connections(uint32_t states, const struct dump *dump)
{
        struct request request = {
                .header.nlmsg_type = TCPDIAG_GETSOCK,
                .body.both = {.idiag_family = AF_INET, .idiag_states = states},
        };

        return run(&request, sizeof(request.body.both), dump);
}

static int dump_unix(uint32_t states, const struct dump *dump)
{
        struct request request = {
                .body.unix_ =
                        {
                                .sdiag_family = AF_UNIX,
                                .udiag_states = states,
                                .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER |
                                              UDIAG_SHOW_RQLEN | UDIAG_SHOW_ICONS,
                        },
        };

        return run(&request, sizeof(request.body.unix_), dump);
}

int hot__socket_dump_from(int source, int kind, uint32_t states, hot__socket_fn *fn, void *data)
{
        struct dump dump = {
                .source = source, .kind = kind, .parse = parse_inet, .fn = fn, .data = data};
        int r;

        switch (kind) {
        case HOT_INSPECT_TCP:
                dump.type = SOCK_STREAM;
                dump.protocol = IPPROTO_TCP;
                return states & 1U << HOT__SOCKET_ESTABLISHED ? dump_connections(states, &dump)
                                                              : dump_both(states, &dump);
        case HOT_INSPECT_UDP:
                dump.type = SOCK_DGRAM;
                dump.protocol = IPPROTO_UDP;
                r = dump_both(states, &dump);
                dump.protocol = IPPROTO_UDPLITE;
                return r < 0 ? r : dump_both(states, &dump);
        case HOT_INSPECT_UNIX:
                dump.parse = parse_unix;
                return dump_unix(states, &dump);
        }
        return -EINVAL;
}

int hot__socket_keep_connections(int source, struct hot__datagrams *datagrams)
{
        struct dump dump = {.source = source, .kept = datagrams};

        return dump_connections(HOT__SOCKET_CONNECTIONS, &dump);
}

int hot__socket_tell_connections(const struct hot__datagrams *datagrams, hot__socket_fn *fn,
                                 void *data)
{
        struct dump dump = {
                .kind = HOT_INSPECT_TCP,
                .type = SOCK_STREAM,
                .protocol = IPPROTO_TCP,
                .parse = parse_inet,
                .fn = fn,
                .data = data,
        };
        int r = take_datagram(&dump, datagrams->bytes, datagrams->len);

        return r < 0 ? r : 0;
}

void hot__datagrams_done(struct hot__datagrams *datagrams)
{
        free(datagrams->bytes);
        *datagrams = (struct hot__datagrams){0};
}

int hot__socket_dump(int kind, uint32_t states, hot__socket_fn *fn, void *data)
{
        CLEANUP(hot__fd_closep) int source = hot__socket_source();

        if (source < 0)
                return is_unsupported(-source) ? 0 : source;
        return hot__socket_dump_from(source, kind, states, fn, data);
}
