/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_MARKER_H
#define HOT_LSOF_MARKER_H

#include <stdbool.h>

enum { LSOF_MARKER_MAX = 1024 };

/*
 * The line between two listings: the time, in a strftime(3) format of the user's. Returns false if that
 * gives nothing.
 */
bool lsof_marker_format(const char *format, char text[LSOF_MARKER_MAX]);

#endif
