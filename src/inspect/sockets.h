/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_SOCKETS_H
#define HOT_INSPECT_SOCKETS_H

/*
 * What the sockets of a snapshot are: for each row that is a socket of some kind its addresses and state.
 */

#include "snapshot.h"

/*
 * Describe the rows that are sockets: all that the kernel knows of with HOT_INSPECT_ADDRESSES, listeners
 * with HOT_INSPECT_LISTENERS. What could not be asked is a gap. Returns 0 or -ENOMEM.
 */
int hot__sockets_describe(struct hot_snapshot *snapshot, unsigned int details);

/* A row for each listener of this network namespace, with the number -1. Returns 0 or a negative errno. */
int hot__sockets_list(struct hot_inspect *inspect);

#endif
