/* SPDX-License-Identifier: MIT */
#ifndef HOT_DOCTOR_PATIENT_H
#define HOT_DOCTOR_PATIENT_H

/*
 * The patient: a process, read once from /proc. What may not be seen is empty, and the checks that need it
 * say nothing.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <hotstart/inspect.h>

struct patient {
        pid_t pid;
        char exe[PATH_MAX], cwd[PATH_MAX], root[PATH_MAX];
        bool exe_deleted, cwd_deleted;
        char argv0[PATH_MAX];
        char *environment; /* owned: strings, each terminated; NULL if it is not for us to see */
        size_t environment_size;
        uint64_t ignored, blocked, caught; /* signals, the lowest bit is 1 */
        uint64_t capabilities;
        uid_t uid;
        int seccomp, no_new_privs;
        uint64_t resident_kib;
        unsigned int cpus; /* it may run on; 0: unknown */
        struct rlimit files;
        struct hot_inspect *descriptors; /* owned; NULL if they are not for us to see */
        char cgroup[PATH_MAX];           /* of the unified hierarchy; "" if none */
};

/*
 * Returns 0, -ESRCH, -ECHILD (it has ended, and nobody has waited for it), -ENOTSUP (it is a thread of the kernel),
 * -EACCES (not for us to see) or another negative errno. Ownership: patient_done().
 */
int patient_read(struct patient *ret, pid_t pid);
void patient_done(struct patient *patient);

/* The value of a variable in its environment, or NULL. Lent. */
const char *patient_variable(const struct patient *patient, const char *name);

bool patient_has_signal(uint64_t set, int signal);

#endif
