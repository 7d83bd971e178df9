/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_MAPPED_H
#define HOT_INSPECT_MAPPED_H

/*
 * The files that processes have mapped, looked at once for all of them: a hundred processes share their libraries.
 */

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "maps.h"

struct hot__mapped_file {
        const char *path; /* in the arena */
        uint64_t device, inode;
        unsigned int mode; /* st_mode of what has that name now, if it is the same file; else 0 */
        uint64_t links, size, raw_device;
};

struct hot__mapped {
        struct hot__mapped_file **slots; /* owned; the files are the arena's */
        size_t n, n_slots;
};

/* All zeroes is an empty one. Returns a file that lasts as long as the arena, or NULL if there is no memory. */
const struct hot__mapped_file *
hot__mapped_find(struct hot__mapped *mapped, struct hot__arena *arena, const struct hot__map *map);

void hot__mapped_done(struct hot__mapped *mapped);

#endif
