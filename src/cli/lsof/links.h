/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_LINKS_H
#define HOT_LSOF_LINKS_H

/*
 * A path with every symbolic link in it replaced by where it leads; ".", ".." and a relative beginning
 * stay, so that names are shown as they were typed.
 */

#include <stdbool.h>

/* Returns the path, the caller's to free(3), or NULL after having said what is wrong (unless @quiet). */
char *lsof_links_follow(const char *path, bool quiet);

#endif
