/* SPDX-License-Identifier: MIT */
#ifndef HOT_PRIVILEGE_H
#define HOT_PRIVILEGE_H

/*
 * What a process may do: its ids, capabilities, root directory, and the switches that no exec turns back
 * (no_new_privs, seccomp, securebits).
 *
 * A new generation is a child: it begins with what the old one has left. A server that was started as root
 * and has become somebody else since would start its successor as somebody who may not do what the program
 * does first. So what was there at the start is compared with what is there at a restart, and a difference
 * is refused with its reason, unless the host has said that it is meant.
 *
 * Per thread in the kernel: what counts is the thread that spawns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HOT__ID_REAL, HOT__ID_EFFECTIVE, HOT__ID_SAVED, HOT__N_IDS };

struct hot__privilege {
        uid_t uid[HOT__N_IDS];
        gid_t gid[HOT__N_IDS];
        gid_t *groups; /* owned, ascending */
        size_t n_groups;
        /* Bit n is capability n. The effective set is none of it: exec does not look at it. */
        uint64_t permitted, inheritable, ambient, bounding;
        unsigned int securebits;
        bool no_new_privs;
        unsigned int seccomp_mode;
        unsigned int seccomp_filters; /* 0 before Linux 5.11, whatever there are */
        dev_t root_dev;
        ino_t root_ino;
};

/* Take down the calling thread's. Returns 0 or a negative errno. */
int hot__privilege_capture(struct hot__privilege *ret);

void hot__privilege_done(struct hot__privilege *privilege);

/*
 * What has changed since @start, in words without a newline: "user ids are 33 33 33, and were 0 0 0 at the
 * start". The first difference of several. Pure. Returns whether there is any; @words is "" if not.
 */
bool hot__privilege_differs(const struct hot__privilege *start, const struct hot__privilege *now,
                            char *words, size_t size);

/* What execve(2) looks at in a program's file. */
struct hot__privilege_file {
        uid_t uid; /* owner */
        gid_t gid;
        bool set_uid, set_gid; /* and the file system lets them count */
        bool has_capabilities; /* likewise */
        uint64_t permitted, inheritable;
};

/* Ask the kernel about @path. Returns 0 or a negative errno. */
int hot__privilege_file_read(const char *path, struct hot__privilege_file *ret);

/*
 * Would a process that executes @file from here ignore what it inherits, since it gets other ids, or lack
 * what this one may do? The words and the result are as those of hot__privilege_differs(). Pure.
 */
bool hot__privilege_is_lost_by(const struct hot__privilege *now,
                               const struct hot__privilege_file *file, char *words, size_t size);

#endif
