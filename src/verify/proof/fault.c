/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "proc.h"
#include "snare.h"
#include "watcher.h"

static const struct {
        const char *name;
        enum proof_fault fault;
        double highest; /* of its value; 0: it has none */
        const char *description;
} faults[] = {
        {"crash-before-ready", PROOF_FAULT_CRASH_BEFORE_READY, 0,
         "each new process was killed as soon as it was there"},
        {"hang", PROOF_FAULT_HANG, 0, "each new process was stopped as soon as it was there"},
        {"crash-after", PROOF_FAULT_CRASH_AFTER, 3600,
         "each new process was killed some time after its first answer"},
        {"kill-old", PROOF_FAULT_KILL_OLD, 0,
         "each old process was killed when the new one had answered"},
        {"kill-new", PROOF_FAULT_KILL_NEW, 0,
         "each new process was killed when it had answered for the first time"},
        {"double-trigger", PROOF_FAULT_DOUBLE_TRIGGER, 0, "every trigger came twice"},
        {"fd-limit", PROOF_FAULT_FD_LIMIT, 1e9, "the server's descriptor limit was lowered"},
};

#define N_FAULTS (sizeof(faults) / sizeof(*faults))

int fault_parse(const char *text, enum proof_fault *ret, double *ret_value)
{
        size_t length = strcspn(text, "=");
        const char *value = text[length] == '=' ? text + length + 1 : NULL;

        for (size_t i = 0; i < N_FAULTS; i++) {
                double number = 0;
                char *end = NULL;

                if (strlen(faults[i].name) != length || strncmp(faults[i].name, text, length) != 0)
                        continue;
                if ((value != NULL) != (faults[i].highest > 0))
                        return -EINVAL;
                if (value)
                        number = strtod(value, &end);
                if (value && (end == value || *end || !isfinite(number) || number < 0 ||
                              number > faults[i].highest))
                        return -EINVAL;
                *ret = faults[i].fault;
                *ret_value = number;
                return 0;
        }
        return -EINVAL;
}

const char *fault_describe(enum proof_fault fault)
{
        for (size_t i = 0; i < N_FAULTS; i++)
                if (faults[i].fault == fault)
                        return faults[i].description;
        return "";
}

bool fault_is_fatal(enum proof_fault fault)
{
        return fault == PROOF_FAULT_CRASH_BEFORE_READY || fault == PROOF_FAULT_HANG;
}

/*
 * Where the kernel does not let us trace, new processes are hurt when they are seen. A child of vfork(2) has
 * its parent stand still until it has executed: to stop it before would be to stop the old one. Its stack is
 * still its parent's then.
 */
static bool has_executed(const struct member *member)
{
        struct proc_stat child, parent;

        return proc_read_stat(member->pid, &child) < 0 ||
               proc_read_stat(member->parent, &parent) < 0 || child.stack == 0 ||
               child.stack != parent.stack;
}

static void hurt_whom_we_see(struct watcher *watcher, int signal)
{
        const struct family *family = watcher->family;

        for (; watcher->n_known < family->n; watcher->n_known++) {
                const struct member *member = &family->members[watcher->n_known];

                if (member->epoch == 0 || member->gone)
                        continue;
                if (!has_executed(member))
                        return;
                kill(member->pid, signal);
        }
}

void fault_prepare(struct watcher *watcher)
{
        pid_t pid;

        if (!fault_is_fatal(watcher->evidence->options->fault))
                return;
        pid = watcher_serving(watcher);
        if (pid <= 0 || pid == watcher->snared)
                return;
        if (snare_set(pid) == 0)
                watcher->snared = pid;
}

static void hurt_the_new(struct watcher *watcher, int signal)
{
        if (watcher->snared != 0)
                (void)snare_look(watcher->snared, signal);
        else
                hurt_whom_we_see(watcher, signal);
}

void fault_look(struct watcher *watcher, uint64_t now)
{
        pid_t victim = 0;

        switch (watcher->evidence->options->fault) {
        case PROOF_FAULT_CRASH_BEFORE_READY:
                hurt_the_new(watcher, SIGKILL);
                break;
        case PROOF_FAULT_HANG:
                hurt_the_new(watcher, SIGSTOP);
                break;
        default:
                break;
        }
        pthread_mutex_lock(&watcher->lock);
        if (watcher->kill_at != 0 && now >= watcher->kill_at) {
                victim = watcher->victim;
                watcher->kill_at = 0;
        }
        pthread_mutex_unlock(&watcher->lock);
        if (victim != 0 && family_find(watcher->family, victim))
                kill(victim, SIGKILL);
}

void fault_effect(struct watcher *watcher, pid_t pid, uint64_t now)
{
        const struct proof_options *options = watcher->evidence->options;

        switch (options->fault) {
        case PROOF_FAULT_CRASH_AFTER:
                watcher->victim = pid;
                watcher->kill_at = now + (uint64_t)(options->fault_value * (double)PROOF_SECOND);
                break;
        case PROOF_FAULT_KILL_NEW:
                watcher->victim = pid;
                watcher->kill_at = now;
                break;
        case PROOF_FAULT_KILL_OLD:
                watcher->kill_at = now; /* the victim is who was sent the trigger */
                break;
        default:
                break;
        }
}

bool fault_is_urgent(struct watcher *watcher)
{
        bool urgent;

        if (!fault_is_fatal(watcher->evidence->options->fault))
                return false;
        pthread_mutex_lock(&watcher->lock);
        urgent = watcher->pending_since != 0 || watcher->snared != 0;
        pthread_mutex_unlock(&watcher->lock);
        return urgent;
}

int fault_limit(pid_t pid, double value)
{
        const struct rlimit limit = {(rlim_t)value, (rlim_t)value};

        return prlimit(pid, RLIMIT_NOFILE, &limit, NULL) < 0 ? -errno : 0;
}
