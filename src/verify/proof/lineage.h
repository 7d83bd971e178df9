/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_LINEAGE_H
#define HOT_VERIFY_LINEAGE_H

/*
 * The generations that have answered, in the order of their first answers, whatever tells them apart: what
 * the server calls itself, or in which epoch the process that answered was born. Pure.
 *
 * It also judges whether two of them accept at the same time: an answer is out of turn if its connection
 * was begun more than so long after a newer generation had answered for the first time, and after the
 * restart command had ended.
 *
 * A generation that has died while an older one goes on is withdrawn: that was a roll back. It is newer than
 * nobody then, and what it called itself may be the name of the next one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LINEAGE_PIDS 8

struct lineage_generation {
        uint64_t key;
        pid_t pids[LINEAGE_PIDS]; /* those that answered, the first so many */
        size_t n_pids;
        uint64_t first, last; /* when its answers came; 0: none yet */
        uint64_t answers;
        uint64_t out_of_turn;
        bool withdrawn;
        uint64_t worst; /* how long after the newer one's first answer, at most; ns */
};

struct lineage {
        struct lineage_generation *list;
        size_t n, room;
        uint64_t overlap;       /* ns that are allowed */
        uint64_t command_ended; /* UINT64_MAX while the restart command runs */
};

void lineage_done(struct lineage *lineage);

/*
 * An answer by @key (process @pid; 0: unknown) came at @now on a connection that was begun at @connect.
 * *ret_index is the generation. Returns 1 if it is a new one, 0 if not, or -ENOMEM.
 */
int lineage_note(struct lineage *lineage, uint64_t key, pid_t pid, uint64_t connect, uint64_t now,
                 size_t *ret_index);

/* The last one that is not withdrawn, or NULL. */
const struct lineage_generation *lineage_newest(const struct lineage *lineage);

/*
 * The newest one if an answer by @key on a connection that was begun at @connect is by an older one although
 * the newest had answered by then: it is gone, or out of turn is what the older one is. NULL if not.
 */
struct lineage_generation *lineage_doubted(const struct lineage *lineage, uint64_t key, pid_t pid,
                                           uint64_t connect);

/* Answers out of turn, of all. */
uint64_t lineage_out_of_turn(const struct lineage *lineage);

#endif
