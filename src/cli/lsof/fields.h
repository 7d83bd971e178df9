/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_FIELDS_H
#define HOT_LSOF_FIELDS_H

/*
 * A listing for programs: a field a line, named by its first letter; those of a process, then those of each
 * of its files.
 */

#include <stdio.h>

#include "listing.h"
#include "request.h"

/* One letter of -F's value. Returns 0, or -1 for a letter that is none. */
int lsof_fields_choose(struct lsof_request *request, char letter);

/* -F without a value: all that there is. */
void lsof_fields_choose_all(struct lsof_request *request);

/* Which letters there are. */
void lsof_fields_help(FILE *out);

void lsof_fields_print(struct lsof_request *request, FILE *out, const struct lsof_listing *listing);

#endif
