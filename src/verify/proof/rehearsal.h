/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_REHEARSAL_H
#define HOT_VERIFY_REHEARSAL_H

/*
 * The rehearsal: before anything is restarted, a few requests of each kind show what the server's answers
 * are like, so that later only what a restart changes is counted. A kind of traffic that the server does
 * not know at all is set aside, with the reason; one that it merely fails now and then is not.
 */

#include "evidence.h"
#include "target.h"

/*
 * Choose the profiles by the options and the server's catalog, try them, and fill in the evidence's
 * profiles, skips and how generations are told apart. Returns 0, -EINVAL for a list of profiles that is
 * not understood, or a negative errno if the server does not answer at all.
 */
int rehearsal_run(struct proof_evidence *evidence, const struct hot__target *target,
                  uint64_t deadline);

/* The path that the simplest requests ask for. */
const char *rehearsal_path(const struct proof_evidence *evidence);

#endif
