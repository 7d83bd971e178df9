/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_SELECTION_H
#define HOT_VERIFY_SELECTION_H

/*
 * The selection: which kinds of traffic there are to be, with which numbers and which paths, by the options
 * and by what the server names itself. What is left out is listed with the reason.
 */

#include "catalog.h"
#include "evidence.h"

/* Is it a list of profiles? NULL is one. Returns 0 or -EINVAL. */
int selection_check(const char *list);

/*
 * Fill in the evidence's profiles and skips. @paths is what the server named; the options' paths replace it.
 * Returns 0, -ENOTSUP if no profile is left, or -EINVAL if one is not understood.
 */
int selection_make(struct proof_evidence *evidence, struct catalog *paths);

/* The path that a profile asks for. Returns 0 or -EINVAL: too long. */
int selection_set_path(struct hot__profile *profile, const char *path);

/* Leave a kind of traffic out. */
__attribute__((format(printf, 3, 4))) void
selection_skip(struct proof_evidence *evidence, const char *name, const char *format, ...);

#endif
