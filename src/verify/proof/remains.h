/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_REMAINS_H
#define HOT_VERIFY_REMAINS_H

/*
 * Remains: what is there at the end and should not be. Descriptors that no generation closed, zombies, and
 * processes of older generations.
 */

#include "evidence.h"

/* Add what is found to the evidence's findings. */
void remains_find(struct proof_evidence *evidence);

#endif
