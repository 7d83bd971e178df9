/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_FLAGS_H
#define HOT_LSOF_FLAGS_H

#include <stdbool.h>

enum { LSOF_FLAGS_MAX = 128 };

/* open(2)'s flags: "W,AP,LG", or "0x8401;0x0". (Pure.) */
void lsof_flags_format(unsigned int flags, bool hexadecimal, char text[LSOF_FLAGS_MAX]);

#endif
