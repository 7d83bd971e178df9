/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_FINDINGS_H
#define HOT_VERIFY_FINDINGS_H

/*
 * Findings: what the evidence means, each with its class, what was seen, why, and how to mend it. Pure but
 * for the kernel being asked whether two descriptors are one.
 *
 * Classes of failed requests are those of the outcomes, and queue_lost for resets whose cause is known.
 * What is left behind has classes of its own: both_generations, leak, zombie, left_behind, no_effect, down.
 * Forced reconnects are "reconnects".
 */

#include "evidence.h"

void findings_gather(struct proof_evidence *evidence);

/* What became of the restarts, in numbers. */
struct findings_restarts {
        size_t effective;
        uint64_t shortest, median,
                longest; /* from trigger to first answer, ns; 0 if none is known */
};
void findings_restarts(const struct proof_evidence *evidence, struct findings_restarts *ret);

#endif
