/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_ACCEPTORS_H
#define EXPERIMENT_ACCEPTORS_H

/*
 * Who holds the listener, and who accepts: in which process does an epoll watch it? Looked at again and
 * again around a restart.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <hotstart/inspect.h>

#include "timeline.h"

/* What one process does with the listener. */
struct holding {
        int fd;       /* the lowest number it has there; -1: none */
        bool set;     /* a descriptor for it has FD_CLOEXEC */
        bool clear;   /* one has it not */
        bool watched; /* an epoll of this process watches it */
};

struct change {
        uint64_t when;
        pid_t pid;
        struct holding holding;
};

#define CHANGES_MAX 32

struct acceptors {
        uint64_t listener;                         /* its inode */
        pid_t old, new;                            /* 0 while there is no new one */
        struct holding old_holding, new_holding;   /* at the last look */
        unsigned int n_old, n_new, n_none, n_both; /* how often the listener was watched by whom */
        uint64_t last;                             /* the moment of the last look */
        uint64_t old_left;   /* when the old one was first seen not to watch it any more; else 0 */
        uint64_t new_came;   /* when the new one was first seen to watch it; else 0 */
        uint64_t resolution; /* the longest time between two looks, until the new one came */
        unsigned int old_set, old_clear; /* how often its FD_CLOEXEC was seen so */
        unsigned int new_set, new_clear;
        struct change changes[CHANGES_MAX];
        size_t n_changes;
};

void acceptors_init(struct acceptors *ret, uint64_t listener, pid_t old);

/* Look once. Processes that are not there, or not yet, accept nothing. */
void acceptors_look(struct acceptors *acceptors);

/* Note every change that was seen. */
void acceptors_tell(const struct acceptors *acceptors, struct timeline *timeline);

#endif
