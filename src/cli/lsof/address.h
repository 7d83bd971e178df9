/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_ADDRESS_H
#define HOT_LSOF_ADDRESS_H

/*
 * Reading one Internet address: [4|6][protocol][@host][:port[-port],service,…].
 */

#include "internet.h"

/* Add what @text says; a host with several addresses, or a list of ports, is several. Returns 0, or -1. */
int lsof_address_read(struct lsof_internet *internet, const char *text);

#endif
