/* SPDX-License-Identifier: MIT */
/*
 * All checks over one snapshot. A check claims only what the snapshot shows: what could not be read is no
 * finding and proves no absence, which the snapshot's gaps say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"

enum {
        DEFAULT_GROWTH = 10,
        DEFAULT_LIMIT_PERCENT = 90,
};

uint64_t hot__check_newest(const struct hot_snapshot *snapshot, unsigned int server)
{
        uint64_t newest = 0;

        for (size_t i = 0; i < snapshot->n_processes; i++) {
                const struct hot_inspect_process *process = &snapshot->processes[i]->public;

                if (process->server == server && process->generation > newest)
                        newest = process->generation;
        }
        return newest;
}

const struct hot_inspect *hot__check_same_process(const struct hot_snapshot *snapshot,
                                                  const struct hot_inspect *inspect)
{
        const struct hot_inspect *found = hot_snapshot_find(snapshot, inspect->public.pid);

        return found && found->public.start == inspect->public.start ? found : NULL;
}

static int compare_findings(const void *a, const void *b)
{
        const struct hot_finding *x = a, *y = b;

        if (x->severity != y->severity)
                return y->severity - x->severity;
        if (x->code != y->code)
                return x->code - y->code;
        return x->pid != y->pid ? x->pid - y->pid : x->fd - y->fd;
}

static int take_policy(const struct hot_check_policy *policy, struct hot_check_policy *ret)
{
        struct hot_check_policy taken = {.size = sizeof(taken)};

        if (policy && (policy->size < sizeof(policy->size) || policy->size > sizeof(taken)))
                return -EINVAL;
        if (policy)
                memcpy(&taken, policy, policy->size);
        if (taken.growth == 0)
                taken.growth = DEFAULT_GROWTH;
        if (taken.limit_percent == 0)
                taken.limit_percent = DEFAULT_LIMIT_PERCENT;
        *ret = taken;
        return 0;
}

int hot_snapshot_check(const struct hot_snapshot *snapshot, const struct hot_snapshot *before,
                       const struct hot_check_policy *policy, struct hot_findings **ret_findings)
{
        struct hot__check check = {.snapshot = snapshot, .before = before};
        int r = take_policy(policy, &check.policy);

        if (r < 0)
                return r;
        check.findings = calloc(1, sizeof(*check.findings));
        if (!check.findings)
                return -ENOMEM;
        hot__check_listeners(&check);
        hot__check_descriptors(&check);
        hot__check_locks(&check);
        hot__check_processes(&check);
        if (check.error < 0) {
                hot_findings_free(check.findings);
                return check.error;
        }
        if (check.findings->n > 1)
                qsort(check.findings->items, check.findings->n, sizeof(struct hot_finding),
                      compare_findings);
        *ret_findings = check.findings;
        return 0;
}
