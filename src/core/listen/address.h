/* SPDX-License-Identifier: MIT */
#ifndef HOT_ADDRESS_H
#define HOT_ADDRESS_H

/*
 * Addresses as text: parse and print. Pure: nothing is resolved, nothing touches the network.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "settings.h"

/* Room for any place in text, with the terminating zero: every byte of a UNIX name may be a \xNN. */
#define HOT__ADDRESS_MAX 448

/* The same with every setting. */
#define HOT__ADDRESS_FULL_MAX 960

enum hot__address_kind {
        HOT__ADDRESS_TCP = 1,
        HOT__ADDRESS_UDP,
        HOT__ADDRESS_UNIX,
};

struct hot__address {
        enum hot__address_kind kind;
        char host[256];   /* "" means all addresses; without the brackets of IPv6 */
        char service[33]; /* a number or a service name */
        char path[109]; /* UNIX; starts with '@' for an abstract name (107 bytes), else with '/' */
        struct hot__settings settings;
};

/*
 * Parse what hot_listen() takes. What it accepts is normalised already: hosts in lower case, literals as
 * inet_ntop(3) writes them, no leading zeros, no double slashes. In UNIX names \xNN stands for a byte. What follows a '?' are
 * settings.
 * Returns 0 or -EINVAL; @ret is untouched on failure.
 */
int hot__address_parse(const char *text, struct hot__address *ret);

/*
 * Print in canonical form: two texts that mean the same print the same ("tcp://:9999?backlog=64",
 * "unix:/x"). Returns 0 or -ENOSPC.
 */
int hot__address_format(const struct hot__address *address, char *buffer, size_t size);

/*
 * Print where it is, without the settings that change with a release: two addresses print the same if
 * only one socket (or one group) can be bound there. A device is part of the place.
 */
int hot__address_format_place(const struct hot__address *address, char *buffer, size_t size);

/*
 * Print a socket's address and type (SOCK_STREAM, SOCK_DGRAM) likewise. A wildcard address prints as what
 * it is ("tcp://[::]:80"), a scope as its number ("[fe80::1%2]"), an unbound UNIX socket as "unix:".
 * Returns 0, -ENOSPC, -EINVAL (@len is too short for the family) or -EAFNOSUPPORT.
 */
int hot__address_format_sockaddr(const struct sockaddr *sa, socklen_t len, int type, char *buffer,
                                 size_t size);

#endif
