/* SPDX-License-Identifier: MIT */
/*
 * What concerns a process as a whole: its program, its limit, and whether it collects descriptors.
 */
#include "findings.h"

static void check_program(struct hot__check *check, const struct hot_inspect *inspect)
{
        char who[HOT__WHO_MAX];

        if (inspect->public.program_deleted)
                hot__check_add(check, HOT_FINDING_PROGRAM_DELETED, HOT_FINDING_WARNING, inspect, -1,
                               "%s runs %s: that file has been replaced or removed, and a restart "
                               "brings in another one",
                               hot__check_who(inspect, who), inspect->public.program);
}

static void check_limit(struct hot__check *check, const struct hot_inspect *inspect)
{
        const struct hot_inspect_process *process = &inspect->public;
        uint64_t open = process->n_open ? process->n_open : inspect->n_rows - inspect->n_files;
        char who[HOT__WHO_MAX];

        if (process->limit == 0 || process->limit == UINT64_MAX ||
            open < process->limit / 100 * check->policy.limit_percent +
                            process->limit % 100 * check->policy.limit_percent / 100)
                return;
        hot__check_add(check, HOT_FINDING_NEAR_LIMIT, HOT_FINDING_WARNING, inspect, -1,
                       "%s has %llu descriptors open, and may have %llu",
                       hot__check_who(inspect, who), (unsigned long long)open,
                       (unsigned long long)process->limit);
}

/* Connections come and go; all else of a server should be as many after a restart as before. */
static size_t count_lasting(const struct hot_inspect *inspect)
{
        size_t n = 0;

        for (size_t i = inspect->n_files; i < inspect->n_rows; i++)
                n += !*inspect->rows[i].public.peer;
        return n;
}

static bool shares_listener(const struct hot_inspect *a, const struct hot_inspect *b)
{
        for (size_t i = 0; i < a->n_rows; i++)
                for (size_t k = 0; a->rows[i].public.listening && k < b->n_rows; k++)
                        if (b->rows[k].public.listening &&
                            a->rows[i].public.inode == b->rows[k].public.inode)
                                return true;
        return false;
}

/* The process itself in the earlier snapshot; else of the generation before it one that serves the same. */
static const struct hot_inspect *find_predecessor(const struct hot__check *check,
                                                  const struct hot_inspect *inspect)
{
        const struct hot_inspect *found = hot__check_same_process(check->before, inspect);

        if (found || inspect->public.server == 0)
                return found;
        for (size_t i = 0; i < check->before->n_processes; i++) {
                const struct hot_inspect *other = check->before->processes[i];

                if (other->public.server != 0 &&
                    other->public.generation < inspect->public.generation &&
                    shares_listener(inspect, other))
                        found = other;
        }
        return found;
}

static void check_growth(struct hot__check *check, const struct hot_inspect *inspect)
{
        const struct hot_inspect *earlier;
        size_t now, then;
        char who[HOT__WHO_MAX];

        if (!check->before || inspect->public.error < 0)
                return;
        earlier = find_predecessor(check, inspect);
        if (!earlier || earlier->public.error < 0)
                return;
        now = count_lasting(inspect);
        then = count_lasting(earlier);
        if (now < then + check->policy.growth)
                return;
        hot__check_add(check, HOT_FINDING_GROWTH, HOT_FINDING_WARNING, inspect, -1,
                       "%s has %zu descriptors that are no connections; %s had %zu",
                       hot__check_who(inspect, who), now,
                       earlier->public.pid == inspect->public.pid ? "before it" : "its predecessor",
                       then);
}

void hot__check_processes(struct hot__check *check)
{
        for (size_t i = 0; i < check->snapshot->n_processes; i++) {
                const struct hot_inspect *inspect = check->snapshot->processes[i];

                if (!hot__check_wants(check, inspect))
                        continue;
                check_program(check, inspect);
                check_limit(check, inspect);
                check_growth(check, inspect);
        }
}
