/* SPDX-License-Identifier: MIT */
/*
 * The name may lead elsewhere by now, or be one of another mount namespace: then only the kernel's word counts.
 */
#include "mapped.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_SLOTS 64 /* a power of two, as any number of slots; half of them are empty */

static bool is_it(const struct hot__mapped_file *file, const struct hot__map *map)
{
        return file->inode == map->inode && file->device == map->device &&
               strcmp(file->path, map->path) == 0;
}

static struct hot__mapped_file **slot_of(const struct hot__mapped *mapped,
                                         const struct hot__map *map)
{
        size_t at = (map->inode + map->device) & (mapped->n_slots - 1);

        while (mapped->slots[at] && !is_it(mapped->slots[at], map))
                at = (at + 1) & (mapped->n_slots - 1);
        return &mapped->slots[at];
}

static bool grow(struct hot__mapped *mapped)
{
        struct hot__mapped larger = {
                .n = mapped->n, .n_slots = mapped->n_slots ? mapped->n_slots * 2 : FIRST_SLOTS};

        larger.slots = calloc(larger.n_slots, sizeof(struct hot__mapped_file *));
        if (!larger.slots)
                return false;
        for (size_t i = 0; i < mapped->n_slots; i++)
                if (mapped->slots[i]) {
                        struct hot__mapped_file *file = mapped->slots[i];
                        struct hot__map map = {file->device, file->inode, file->path};

                        *slot_of(&larger, &map) = file;
                }
        free(mapped->slots);
        *mapped = larger;
        return true;
}

static void look(struct hot__mapped_file *file)
{
        struct stat st;

        if (stat(file->path, &st) < 0 || st.st_dev != file->device || st.st_ino != file->inode)
                return;
        file->mode = st.st_mode;
        file->links = st.st_nlink;
        file->size = (uint64_t)st.st_size;
        file->raw_device = st.st_rdev;
}

static struct hot__mapped_file *make(struct hot__arena *arena, const struct hot__map *map)
{
        struct hot__mapped_file *file = hot__arena_alloc(arena, sizeof(*file));

        if (!file)
                return NULL;
        file->path = hot__arena_copy(arena, map->path, strlen(map->path));
        if (!file->path)
                return NULL;
        file->device = map->device;
        file->inode = map->inode;
        look(file);
        return file;
}

const struct hot__mapped_file *
hot__mapped_find(struct hot__mapped *mapped, struct hot__arena *arena, const struct hot__map *map)
{
        struct hot__mapped_file **slot;

        if (mapped->n * 2 >= mapped->n_slots && !grow(mapped))
                return NULL;
        slot = slot_of(mapped, map);
        if (*slot)
                return *slot;
        *slot = make(arena, map);
        mapped->n += *slot != NULL;
        return *slot;
}

void hot__mapped_done(struct hot__mapped *mapped)
{
        free(mapped->slots);
        *mapped = (struct hot__mapped){0};
}
