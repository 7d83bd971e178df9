/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_SERVERS_H
#define HOT_CLI_SERVERS_H

/*
 * Every server of a user, for those who name none.
 */

#include "talk.h"

#include <stddef.h>

/*
 * Talk to every server of the effective user, in the order of their pids. Those that do not answer are
 * complained about on stderr. Returns how many, or a negative errno; *ret goes to servers_close().
 */
int servers_find(int patience_ms, struct talk **ret);

void servers_close(struct talk *talks, size_t n);

#endif
