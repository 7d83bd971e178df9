/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_ENDPOINTS_H
#define HOT_LSOF_ENDPOINTS_H

/*
 * Who has the other end (-E): of a pipe, a message queue, an eventfd, a pseudo-terminal, a UNIX socket, a
 * connection within the machine. "4711,cat,3r" is added to a row's note for each that does. With +E those
 * are listed, too.
 */

#include <hotstart/inspect.h>

#include "listing.h"

/* Where a row can have another end, and which. */
void lsof_endpoints_set(const struct hot_inspect_fd *file, struct lsof_row *row);

/*
 * Complete the rows that are to be listed, which are told by lsof_select_wants(); with +E make others so.
 * All rows of all processes must be there.
 */
void lsof_endpoints_join(const struct lsof_request *request, struct lsof_listing *listing);

#endif
