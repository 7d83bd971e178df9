/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_COLUMNS_H
#define HOT_LSOF_COLUMNS_H

/*
 * A listing in columns, each as wide as what is widest in it, one blank between them.
 */

#include <stdio.h>

#include "listing.h"
#include "request.h"

void lsof_columns_print(struct lsof_request *request, FILE *out,
                        const struct lsof_listing *listing);

#endif
