/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_SELECT_H
#define HOT_LSOF_SELECT_H

/*
 * Which processes and which of their files a request asks for.
 *
 * What is excluded (^) is so before anything else. Of several things that are asked for any one is enough;
 * with -a all are needed. What a process is asked for by counts for each of its files.
 */

#include <hotstart/inspect.h>

#include <stdbool.h>

#include "request.h"
#include "row.h"

/*
 * Is a process, or any of its files, asked for? @ret_selected: what asks for the whole process. What is
 * asked for is found by this.
 */
bool lsof_select_process(struct lsof_request *request, const struct hot_inspect_process *process,
                         unsigned int *ret_selected);

/* Complete what asks for a row: @selected, that of its process, and -d. */
void lsof_select_row(const struct lsof_request *request, unsigned int selected,
                     struct lsof_row *row);

/* Is the row to be listed? */
bool lsof_select_wants(const struct lsof_request *request, const struct lsof_row *row);

/* Can files that -d does not ask for be left out before anything is known of them? */
bool lsof_select_numbers_first(const struct lsof_request *request);

/* Are only the sockets of a process with this selection of interest? */
bool lsof_select_sockets_only(const struct lsof_request *request, unsigned int selected);

/* Are listeners all that can be listed, so that the kernel need be asked for nothing else? */
bool lsof_select_listeners_only(const struct lsof_request *request);

#endif
