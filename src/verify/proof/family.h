/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_FAMILY_H
#define HOT_VERIFY_FAMILY_H

/*
 * The server as processes: those that were started or named, their descendants, and those that were seen to
 * answer for it. Each belongs to the epoch in which it was born: epoch 0 is before the first trigger, a
 * trigger begins the next. That tells generations apart without the server's help.
 *
 * A pid is one process only together with its start time: both are compared.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct member {
        pid_t pid, parent;
        unsigned long long start;
        char name[16];
        char state;
        bool root; /* looked at although it may be nobody's child here */
        bool gone; /* it has ended */
        size_t epoch;
        uint64_t first_seen, last_seen;
        uint64_t zombie_since; /* 0: it is none, or one that is ours to reap */
};

struct family {
        struct member *members; /* in the order in which they were seen */
        size_t n, room;
        size_t epoch;
        pid_t ours;       /* this process: what it has as a child is reaped at once */
        bool all_of_ours; /* every child of this process belongs to the family */
};

void family_init(struct family *family);
void family_done(struct family *family);

/* Look at a process and what descends from it from now on. Returns 0 or a negative errno. */
int family_add(struct family *family, pid_t pid);

/* Look who is there now. Returns 0 or -ENOMEM. */
int family_look(struct family *family);

/* The living member with this pid, or NULL. */
const struct member *family_find(const struct family *family, pid_t pid);

/* How many live; zombies do not. */
size_t family_count(const struct family *family);

/* The process group that a living member is in; 0: there is none. */
pid_t family_group(const struct family *family);

/* The highest ancestor of @pid in the family that was born in the same epoch; @pid itself if there is none. */
pid_t family_head(const struct family *family, pid_t pid);

#endif
