/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_FINDINGS_H
#define HOT_INSPECT_FINDINGS_H

/*
 * A list of findings, and what each check works with.
 */

#include <stdbool.h>

#include "snapshot.h"

struct hot_findings {
        struct hot_finding *items; /* owned */
        size_t n;
        struct hot__arena arena; /* of their sentences */
};

struct hot__check {
        const struct hot_snapshot *snapshot; /* borrowed, as what follows */
        const struct hot_snapshot *before;   /* or NULL */
        struct hot_check_policy policy;      /* with its defaults */
        struct hot_findings *findings;
        int error; /* the first thing that went wrong with the check itself */
};

/* May findings be about this process? */
bool hot__check_wants(const struct hot__check *check, const struct hot_inspect *inspect);

/* Add a finding about descriptor @fd (or -1) of a process, with a sentence. */
__attribute__((format(printf, 6, 7))) void hot__check_add(struct hot__check *check, int code,
                                                          int severity,
                                                          const struct hot_inspect *inspect, int fd,
                                                          const char *format, ...);

/* "generation 2 (pid 812)", or "pid 812 (cat)" for a process of no server. */
#define HOT__WHO_MAX 128
const char *hot__check_who(const struct hot_inspect *inspect, char text[HOT__WHO_MAX]);

/* How a row's file is called in a sentence: its address, its name, or its kind. */
const char *hot__check_name(const struct hot_inspect_fd *row);

/* The highest generation of a server. */
uint64_t hot__check_newest(const struct hot_snapshot *snapshot, unsigned int server);

/* The process of a snapshot with that pid, if it has not been another one meanwhile; or NULL. */
const struct hot_inspect *hot__check_same_process(const struct hot_snapshot *snapshot,
                                                  const struct hot_inspect *inspect);

/* The checks, each a noun's. What stops them is in check->error. */
void hot__check_listeners(struct hot__check *check);
void hot__check_descriptors(struct hot__check *check);
void hot__check_locks(struct hot__check *check);
void hot__check_processes(struct hot__check *check);

#endif
