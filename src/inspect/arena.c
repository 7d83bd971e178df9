/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)32 * 1024)

struct hot__arena_block {
        struct hot__arena_block *next;
        size_t used, size; /* bytes of memory[] */
        _Alignas(max_align_t) char memory[];
};

/* What does not fit a block gets one of its own. */
static struct hot__arena_block *add_block(struct hot__arena *arena, size_t size)
{
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct hot__arena_block *block = calloc(1, sizeof(*block) + room);

        if (!block)
                return NULL;
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
        return block;
}

static void *take(struct hot__arena *arena, size_t size, size_t alignment)
{
        struct hot__arena_block *block = arena->blocks;
        size_t at = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;

        if (!block || at > block->size || size > block->size - at) {
                block = add_block(arena, size);
                at = 0;
        }
        if (!block)
                return NULL;
        block->used = at + size;
        return block->memory + at;
}

void *hot__arena_alloc(struct hot__arena *arena, size_t size)
{
        return take(arena, size, _Alignof(max_align_t));
}

char *hot__arena_copy(struct hot__arena *arena, const char *text, size_t len)
{
        char *copy = take(arena, len + 1, 1);

        if (copy)
                memcpy(copy, text, len); /* the zero behind it is there already */
        return copy;
}

void hot__arena_done(struct hot__arena *arena)
{
        struct hot__arena_block *block = arena->blocks, *next;

        for (; block; block = next) {
                next = block->next;
                free(block);
        }
        arena->blocks = NULL;
}
