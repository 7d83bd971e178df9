/* SPDX-License-Identifier: MIT */
#include "lineage.h"

#include <errno.h>
#include <stdlib.h>

void lineage_done(struct lineage *lineage)
{
        free(lineage->list);
        *lineage = (struct lineage){0};
}

static bool has_pid(const struct lineage_generation *generation, pid_t pid)
{
        for (size_t i = 0; i < generation->n_pids; i++)
                if (generation->pids[i] == pid)
                        return true;
        return false;
}

/* The last answers of one that is withdrawn may still be on their way. */
static struct lineage_generation *find(const struct lineage *lineage, uint64_t key, pid_t pid)
{
        for (size_t i = lineage->n; i > 0; i--) {
                struct lineage_generation *generation = &lineage->list[i - 1];

                if (generation->key == key && (!generation->withdrawn || has_pid(generation, pid)))
                        return generation;
        }
        return NULL;
}

static struct lineage_generation *append(struct lineage *lineage, uint64_t key, uint64_t now)
{
        struct lineage_generation *larger;

        if (lineage->n == lineage->room) {
                lineage->room = lineage->room ? lineage->room * 2 : 16;
                larger = reallocarray(lineage->list, lineage->room, sizeof(*larger));
                if (!larger)
                        return NULL;
                lineage->list = larger;
        }
        lineage->list[lineage->n] = (struct lineage_generation){.key = key, .first = now};
        return &lineage->list[lineage->n++];
}

static void note_pid(struct lineage_generation *generation, pid_t pid)
{
        if (pid == 0 || has_pid(generation, pid))
                return;
        if (generation->n_pids < LINEAGE_PIDS)
                generation->pids[generation->n_pids++] = pid;
}

const struct lineage_generation *lineage_newest(const struct lineage *lineage)
{
        for (size_t i = lineage->n; i > 0; i--)
                if (!lineage->list[i - 1].withdrawn)
                        return &lineage->list[i - 1];
        return NULL;
}

struct lineage_generation *lineage_doubted(const struct lineage *lineage, uint64_t key, pid_t pid,
                                           uint64_t connect)
{
        const struct lineage_generation *generation = find(lineage, key, pid);
        const struct lineage_generation *newest = lineage_newest(lineage);

        if (!generation || !newest || generation >= newest || connect <= newest->first)
                return NULL;
        return &lineage->list[newest - lineage->list];
}

/* The list is in the order of first answers: the next one is the earliest of the newer ones. */
static void judge(const struct lineage *lineage, size_t index, uint64_t connect)
{
        uint64_t newer, since;
        size_t next = index + 1;

        while (next < lineage->n && lineage->list[next].withdrawn)
                next++;
        if (lineage->list[index].withdrawn || next >= lineage->n)
                return;
        newer = lineage->list[next].first;
        since = newer > lineage->command_ended ? newer : lineage->command_ended;
        if (since == UINT64_MAX || connect <= since || connect - since <= lineage->overlap)
                return;
        lineage->list[index].out_of_turn++;
        if (connect - newer > lineage->list[index].worst)
                lineage->list[index].worst = connect - newer;
}

int lineage_note(struct lineage *lineage, uint64_t key, pid_t pid, uint64_t connect, uint64_t now,
                 size_t *ret_index)
{
        struct lineage_generation *generation = find(lineage, key, pid);
        int is_new = !generation;

        if (is_new)
                generation = append(lineage, key, now);
        if (!generation)
                return -ENOMEM;
        generation->last = now;
        generation->answers++;
        note_pid(generation, pid);
        *ret_index = (size_t)(generation - lineage->list);
        judge(lineage, *ret_index, connect);
        return is_new;
}

uint64_t lineage_out_of_turn(const struct lineage *lineage)
{
        uint64_t n = 0;

        for (size_t i = 0; i < lineage->n; i++)
                n += lineage->list[i].out_of_turn;
        return n;
}
