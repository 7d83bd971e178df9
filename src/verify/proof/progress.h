/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PROGRESS_H
#define HOT_VERIFY_PROGRESS_H

/*
 * Progress on a terminal: one line on standard error that is drawn over and over, with a bar of the
 * restarts, how many requests were answered and how many failed, and a strip of the slowest answers of the
 * last seconds. Nothing where standard error is no terminal.
 */

#include <stdbool.h>
#include <stdint.h>

struct collector;
struct proof_evidence;

struct progress {
        bool shown;
        uint64_t next;
};

void progress_begin(struct progress *progress, bool quiet);

/* Draw it, if it is time to. */
void progress_draw(struct progress *progress, const struct proof_evidence *evidence,
                   struct collector *collector);

/* Take it away. */
void progress_end(struct progress *progress);

#endif
