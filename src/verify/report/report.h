/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_REPORT_H
#define HOT_VERIFY_REPORT_H

/*
 * Reports: one proof's evidence, told in four ways. They read it and judge nothing.
 */

#include <stdio.h>

#include "evidence.h"

/* For a reader at a terminal. Colour only on a terminal, and not where NO_COLOR is set. */
void report_text(FILE *out, const struct proof_evidence *evidence);

/* One JSON object, see hotstart-verify(1). Returns 0 or -ENOMEM. */
int report_json(FILE *out, const struct proof_evidence *evidence);

/* For CI systems: a test case for each thing that can go wrong. */
void report_junit(FILE *out, const struct proof_evidence *evidence);

/* One page that needs nothing else. */
void report_html(FILE *out, const struct proof_evidence *evidence);

#endif
