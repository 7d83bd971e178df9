/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CHART_H
#define HOT_VERIFY_CHART_H

/*
 * Charts: what happened when, and how the latencies are spread, as SVG inside of a page. Colours are the
 * page's, by class: g0 to g5 for generations in turn, failure, restart, steady, around.
 */

#include <stdio.h>

#include "evidence.h"

void chart_timeline(FILE *out, const struct proof_evidence *evidence);

/* One profile's latencies: away from restarts, and around them. */
void chart_histogram(FILE *out, const struct hot__histogram *steady,
                     const struct hot__histogram *around);

#endif
