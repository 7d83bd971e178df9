/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_INTERNET_H
#define HOT_LSOF_INTERNET_H

/*
 * The Internet addresses that -i asks for: [4|6][tcp|udp|udplite][@host][:ports]. A socket matches with
 * either of its ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { LSOF_PROTOCOL_MAX = 8 };

struct lsof_endpoint {
        int family; /* AF_INET (of an IPv6 socket that speaks IPv4 too), AF_INET6; 0: none */
        unsigned char address[16];
        int port;
};

struct lsof_address {
        struct lsof_endpoint host;        /* family 0: both; address all zero: any; port unused */
        char protocol[LSOF_PROTOCOL_MAX]; /* lower case; "": any */
        int first_port, last_port;        /* -1: any */
        const char *text;                 /* borrowed of the command line */
        bool found;
};

struct lsof_internet {
        struct lsof_address *addresses; /* owned */
        size_t n;
        bool any;       /* -i without an address */
        int any_family; /* of that: 4, 6, or 0 for both */
        bool any_found;
};

/* -i without a value. */
void lsof_internet_add_any(struct lsof_internet *internet);

/* -i with one. Returns 0, or -1 after having said what is wrong. */
int lsof_internet_add(struct lsof_internet *internet, const char *text);

/* Is this end of a socket asked for by its address? Then that is found. @protocol is "TCP", … */
bool lsof_internet_match(struct lsof_internet *internet, const char *protocol,
                         const struct lsof_endpoint *end);

/* Of the same address asked for twice each is found if one is. */
void lsof_internet_settle(struct lsof_internet *internet);

#endif
