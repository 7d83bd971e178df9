/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_DESCRIPTIONS_H
#define HOT_INSPECT_DESCRIPTIONS_H

/*
 * Which rows of a snapshot are one open file description.
 */

#include "snapshot.h"

/*
 * Number the descriptions of the rows with descriptors. Where the kernel does not let us compare, rows that may share one keep the number 0, and there is a
 * gap. Returns 0 or -ENOMEM.
 */
int hot__descriptions_number(struct hot_snapshot *snapshot);

#endif
