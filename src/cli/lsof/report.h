/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_REPORT_H
#define HOT_LSOF_REPORT_H

/*
 * What was asked for and not found.
 */

#include <stdio.h>

#include "request.h"

/*
 * Returns the exit status: 0, or 1 if anything that was asked for was not found, which -V has said on
 * @out. -d and -U ask for nothing that could be missed.
 */
int lsof_report(struct lsof_request *request, FILE *out);

#endif
