/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_PROTOCOLS_H
#define HOT_LSOF_PROTOCOLS_H

#include <stdbool.h>

#include "internet.h"

/*
 * The kernel's numbers of protocols and of kinds of sockets, in lsof's words. (Pure.)
 */

/* SOCK_STREAM is "STREAM"; "unknown" for what is none. */
const char *lsof_socket_type_name(unsigned int type);

bool lsof_is_socket_type(unsigned int type);

/* Of netlink: "ROUTE"; NULL for what has no name. */
const char *lsof_netlink_name(unsigned int protocol);

/* Of a packet socket: "IPV6", cut to what its column holds; the number for what has no name. */
void lsof_packet_name(unsigned int protocol, char name[LSOF_PROTOCOL_MAX]);

#endif
