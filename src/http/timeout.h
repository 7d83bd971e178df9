/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TIMEOUT_H
#define HOT_HTTP_TIMEOUT_H

/* What a connection does when what it waited for has not come in time: each kind of deadline has its answer. */

#include "connection.h"

/* The connection may be gone after it. */
void hot__timeout_reached(struct hot__connection *connection);

#endif
