/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_NAME_H
#define HOT_LSOF_NAME_H

/*
 * The column NAME: a file's name, a socket's addresses, a note, a state.
 */

#include <stdio.h>

#include "request.h"
#include "row.h"

/* Print it, without a newline. In a field output the state is a field of its own. */
void lsof_name_print(struct lsof_request *request, FILE *out, const struct lsof_row *row);

#endif
