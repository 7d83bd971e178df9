/* SPDX-License-Identifier: MIT */
/*
 * A socket in words: its addresses and its state.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "address.h"
#include "decimal.h"
#include "socket.h"

static void format_v4(const struct sockaddr_in *v4, char *text)
{
        unsigned char bytes[4];

        memcpy(bytes, &v4->sin_addr, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++) {
                text = hot__decimal(text, bytes[i]);
                *text++ = i + 1 < sizeof(bytes) ? '.' : ':';
        }
        hot__decimal(text, ntohs(v4->sin_port));
}

static void format_v6(const struct sockaddr_in6 *v6, char text[HOT__SOCKET_TEXT_MAX])
{
        *text++ = '[';
        inet_ntop(AF_INET6, &v6->sin6_addr, text, INET6_ADDRSTRLEN);
        text = stpcpy(text + strlen(text), "]:");
        hot__decimal(text, ntohs(v6->sin6_port));
}

void hot__socket_format(const struct sockaddr_storage *address, socklen_t len,
                        char text[HOT__SOCKET_TEXT_MAX])
{
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        text[0] = '\0';
        if (len == 0)
                return;
        switch (address->ss_family) {
        case AF_INET:
                memcpy(&v4, address, sizeof(v4));
                format_v4(&v4, text);
                break;
        case AF_INET6:
                memcpy(&v6, address, sizeof(v6));
                format_v6(&v6, text);
                break;
        case AF_UNIX:
                if (hot__address_format_sockaddr((const struct sockaddr *)address, len, 0, text,
                                                 HOT__SOCKET_TEXT_MAX) == 0)
                        memmove(text, text + strlen("unix:"), strlen(text + strlen("unix:")) + 1);
                break;
        }
}

/*
 * A socket without a connection is told only if it is bound (HOT__SOCKET_BOUND asks for it), under the state
 * that it really has: CLOSE. With a peer it had a connection, which is gone.
 */
static const char *tcp_state(int state, bool has_peer)
{
        static const char *const names[] = {
                "",          "ESTABLISHED", "SYN_SENT", "SYN_RECV",   "FIN_WAIT1",
                "FIN_WAIT2", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT", "LAST_ACK",
                "LISTEN",    "CLOSING",     "SYN_RECV", "BOUND",
        };

        if (state == HOT__SOCKET_CLOSE && !has_peer)
                return "BOUND";
        return state >= 0 && (size_t)state < sizeof(names) / sizeof(*names) ? names[state] : "";
}

/* What is no TCP socket borrows TCP's numbers for three states. */
static const char *other_state(int state)
{
        switch (state) {
        case HOT__SOCKET_ESTABLISHED:
                return "CONNECTED";
        case HOT__SOCKET_LISTEN:
                return "LISTEN";
        case HOT__SOCKET_CLOSE:
                return "UNCONNECTED";
        }
        return "";
}

static const char *to_text(const struct sockaddr_storage *address, socklen_t len,
                           struct hot__arena *arena)
{
        char text[HOT__SOCKET_TEXT_MAX];

        if (len == 0)
                return "";
        hot__socket_format(address, len, text);
        return hot__arena_copy(arena, text, strlen(text));
}

int hot__socket_describe(const struct hot__socket *socket, struct hot__row *row,
                         struct hot__arena *arena)
{
        struct hot_inspect_fd *public = &row->public;
        const char *local = to_text(&socket->local, socket->local_len, arena);
        const char *peer = to_text(&socket->peer, socket->peer_len, arena);

        if (!local || !peer)
                return -ENOMEM;
        public->local = local;
        public->peer = peer;
        public->kind = socket->kind;
        public->type = socket->type;
        public->family = socket->family;
        public->protocol = socket->protocol;
        public->cookie = socket->cookie;
        public->drops = socket->drops;
        public->v6only = socket->v6only;
        public->state = socket->kind == HOT_INSPECT_TCP
                                ? tcp_state(socket->state, socket->peer_len > 0)
                                : other_state(socket->state);
        public->peer_inode = socket->peer_inode;
        public->pending_inode = socket->pending_inode;
        public->listening = socket->state == HOT__SOCKET_LISTEN;
        public->receive_queue = socket->receive_queue;
        public->send_queue = socket->send_queue;
        return 0;
}
