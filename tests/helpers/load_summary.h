/* SPDX-License-Identifier: MIT */
#ifndef LOAD_SUMMARY_H
#define LOAD_SUMMARY_H

/*
 * The load program's last line: everything the run saw, as one JSON object.
 */

#include <stdio.h>

#include "load.h"

void load_summary_print(FILE *out, const struct hot__tally *tally,
                        const struct hot__profile *profiles);

#endif
