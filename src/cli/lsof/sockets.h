/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_SOCKETS_H
#define HOT_LSOF_SOCKETS_H

/*
 * What lsof shows of sockets beside TCP's and UDP's is the text of the tables in /proc/net, by inode: the
 * kernel's number of a UNIX socket, the hexadecimal addresses of a raw one. Each table is read when a
 * socket of its kind is looked up for the first time, for each network namespace.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum lsof_socket_kind {
        LSOF_SOCKET_UNIX,
        LSOF_SOCKET_NETLINK,
        LSOF_SOCKET_PACKET,
        LSOF_SOCKET_RAW,
        LSOF_SOCKET_RAW6,
        LSOF_SOCKET_ICMP,
        LSOF_SOCKET_KINDS,
};

struct lsof_socket {
        uint64_t inode;
        int kind;
        unsigned int type;     /* UNIX, packet: SOCK_STREAM, … */
        unsigned int protocol; /* netlink, packet */
        unsigned int flags;    /* UNIX: the kernel's: whether it accepts connections */
        unsigned int state;    /* UNIX: the kernel's enum socket_state */
        char number[20];       /* UNIX: "0000000031f2b3b1" */
        char *local; /* owned: UNIX: its name, "" if it has none; others: in hexadecimal */
        char *peer;  /* owned, others, likewise */
        char *word;  /* owned: raw: its state, in hexadecimal */
};

struct lsof_socket_table {
        uint64_t netns; /* 0: ours */
        int kind;
        struct lsof_socket *sockets; /* owned, by inode */
        size_t n;
};

struct lsof_sockets {
        struct lsof_socket_table *tables; /* owned */
        size_t n;
};

/* Forget everything. */
void lsof_sockets_done(struct lsof_sockets *sockets);

/*
 * The socket of a kind with an inode, in our network namespace or, if @netns is not 0, that of the process @pid.
 * NULL if the table does not have it.
 */
const struct lsof_socket *lsof_sockets_find(struct lsof_sockets *sockets, int kind, uint64_t inode,
                                            uint64_t netns, pid_t pid);

#endif
