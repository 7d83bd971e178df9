/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_MAPS_H
#define HOT_INSPECT_MAPS_H

/*
 * The files that are mapped into a process' memory, from the text of /proc/PID/maps. Pure.
 */

#include <stdint.h>

/* One file; its path is borrowed from the text, and may end in " (deleted)". */
struct hot__map {
        uint64_t device, inode;
        const char *path;
};

/*
 * The next line of *@text that is about a file, which moves to behind it; the text is taken apart. Returns 1,
 * or 0 at the end. A file that is mapped in pieces comes once for each piece.
 */
int hot__maps_next(char **text, struct hot__map *ret);

/* Does the kernel's name for a file say that it has none any more? A file may be named so, too. */
int hot__maps_is_deleted(const char *target);

#endif
