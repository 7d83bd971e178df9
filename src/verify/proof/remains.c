/* SPDX-License-Identifier: MIT */
#include "remains.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

#define NAMED_MAX 3 /* descriptors that are named one by one */

/* What two generations hold for each other while one is on probation: a channel, a pidfd, a pipe. */
#define PROBATION_SHARE 4

__attribute__((format(printf, 2, 3))) static void say(struct proof_finding *finding,
                                                      const char *format, ...)
{
        size_t used = strlen(finding->text);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->text + used, sizeof(finding->text) - used, format, arguments);
        va_end(arguments);
}

static struct proof_finding *add(struct proof_evidence *evidence, const char *class, uint64_t count)
{
        struct proof_finding *finding;

        if (evidence->n_findings == PROOF_FINDINGS_MAX)
                return NULL;
        finding = &evidence->findings[evidence->n_findings++];
        *finding = (struct proof_finding){.severity = PROOF_SUFFERED, .count = count};
        snprintf(finding->class, sizeof(finding->class), "%s", class);
        return finding;
}

/* ---- descriptors ---- */

/*
 * How much a table has to grow to be a leak. What is opened once, at first use, grows it once: a leak grows
 * it with the restarts, by half of their number at the least.
 */
static size_t threshold(const struct proof_evidence *evidence)
{
        size_t effective = evidence->lineage.n > 1 ? evidence->lineage.n - 1 : 0;
        size_t share = evidence->on_probation ? PROBATION_SHARE : 0;

        if (effective == 0)
                effective = evidence->n_restarts;
        if (effective <= 1)
                return 1 + share;
        return (effective < 4 ? effective : (effective + 1) / 2) + share;
}

static void name_new(const struct hot_inspect *before, const struct hot_inspect *after,
                     struct proof_finding *finding)
{
        const struct hot_inspect_fd *fd;
        char text[400];
        size_t named = 0, more = 0;

        for (size_t i = 0; (fd = hot_inspect_at(after, i)); i++) {
                if (!table_is_new(before, after, i))
                        continue;
                if (named == NAMED_MAX) {
                        more++;
                        continue;
                }
                table_explain(after, fd, text, sizeof(text));
                say(finding, "%s%s", named++ > 0 ? "; " : "", text);
        }
        if (more > 0)
                say(finding, "; and %zu more like that", more);
        say(finding, ".");
}

/*
 * After a single restart there is nothing to tell a leak from what is opened once; but a second copy of a
 * listener is one.
 */
static bool is_leak(const struct proof_evidence *evidence, const struct hot_inspect *before,
                    const struct hot_inspect *after)
{
        const struct hot_inspect_fd *fd;
        size_t was = table_size(before), is = table_size(after);

        if (is < was + threshold(evidence))
                return false;
        if (threshold(evidence) > 1)
                return true;
        for (size_t i = 0; (fd = hot_inspect_at(after, i)); i++)
                if (fd->listening && table_is_new(before, after, i))
                        return true;
        return false;
}

/* Returns whether this process' table has grown too much. */
static bool find_leak_of(struct proof_evidence *evidence, const struct hot_inspect *after)
{
        const struct hot_inspect *before =
                table_counterpart(&evidence->before, &evidence->after, after);
        size_t was, is;
        struct proof_finding *finding;

        if (!before)
                return false;
        was = table_size(before);
        is = table_size(after);
        if (!is_leak(evidence, before, after))
                return false;
        finding = add(evidence, "leak", is - was);
        if (!finding)
                return true;
        say(finding,
            "%s (pid %d) has %zu descriptors at rest, and had %zu (pid %d) before the "
            "first of %zu restarts: ",
            hot_inspect_name(after), hot_inspect_pid(after), is, was, hot_inspect_pid(before),
            evidence->n_restarts);
        name_new(before, after, finding);
        snprintf(finding->mend, sizeof(finding->mend),
                 "Give every descriptor FD_CLOEXEC when it is made, clear it in the child only, on "
                 "exactly those that it is to have, and close in the old process what was for the "
                 "child.");
        return true;
}

static uint64_t n_outcomes(const struct proof_evidence *evidence, enum hot__outcome outcome)
{
        struct hot__tally_profile sum;

        proof_sum(evidence, &sum);
        return sum.outcomes[outcome];
}

/* Connections of clients that left long ago. */
static bool find_connections(struct proof_evidence *evidence, const struct hot_inspect *after)
{
        const struct hot_inspect *before =
                table_counterpart(&evidence->before, &evidence->after, after);
        size_t was = before ? table_connections(before) : 0, is = table_connections(after);
        struct proof_finding *finding;

        if (is < was + threshold(evidence) || !before ||
            hot_inspect_pid(after) == evidence->on_probation)
                return false;
        /* Requests that were never answered are told as such: their connections are the same fault. */
        if (evidence->unfinished + n_outcomes(evidence, HOT__OUTCOME_TIMEOUT) >= is - was)
                return false;
        finding = add(evidence, "leak", is - was);
        if (finding)
                say(finding,
                    "%s (pid %d) still has %zu connections although every client has "
                    "left: they were never closed.",
                    hot_inspect_name(after), hot_inspect_pid(after), is);
        return true;
}

/* One process is enough: its siblings have the same fault. */
static void find_leaks(struct proof_evidence *evidence)
{
        for (size_t i = 0; i < evidence->after.n; i++)
                if (find_leak_of(evidence, evidence->after.processes[i]))
                        break;
        for (size_t i = 0; i < evidence->after.n; i++)
                if (find_connections(evidence, evidence->after.processes[i]))
                        break;
}

/* ---- processes ---- */

/* One whose parent is none of the server's is not the server's to wait for. */
static bool is_zombie(const struct family *family, const struct member *member)
{
        return !member->gone && member->zombie_since != 0 && family_find(family, member->parent);
}

static void find_zombies(struct proof_evidence *evidence)
{
        const struct family *family = &evidence->family;
        const struct member *one = NULL;
        struct proof_finding *finding;
        size_t n = 0;

        for (size_t i = 0; i < family->n; i++)
                if (is_zombie(family, &family->members[i])) {
                        one = &family->members[i];
                        n++;
                }
        if (n == 0)
                return;
        finding = add(evidence, "zombie", n);
        if (!finding)
                return;
        say(finding,
            "%zu process%s ended and %s never waited for: %s (pid %d) is a zombie of "
            "process %d.",
            n, n == 1 ? "" : "es", n == 1 ? "was" : "were", one->name, one->pid, one->parent);
        snprintf(finding->mend, sizeof(finding->mend),
                 "Hold a pidfd of every child and waitid(P_PIDFD) for it when it is readable.");
}

static bool has_answered(const struct lineage_generation *generation, pid_t pid)
{
        for (size_t i = 0; i < generation->n_pids; i++)
                if (generation->pids[i] == pid)
                        return true;
        return false;
}

/* Did it answer for an older generation, and for no newer one? */
static bool is_outdated(const struct lineage *lineage, pid_t pid)
{
        bool older = false;

        for (size_t i = 0; i < lineage->n; i++) {
                if (!has_answered(&lineage->list[i], pid))
                        continue;
                if (&lineage->list[i] == lineage_newest(lineage))
                        return false;
                older = true;
        }
        return older;
}

static void find_processes(struct proof_evidence *evidence)
{
        const struct family *family = &evidence->family;
        struct proof_finding *finding = NULL;
        size_t n = 0;

        for (size_t i = 0; i < family->n; i++) {
                const struct member *member = &family->members[i];

                if (member->gone || member->state == 'Z' || member->pid == evidence->on_probation ||
                    !is_outdated(&evidence->lineage, member->pid))
                        continue;
                if (n++ == 0)
                        finding = add(evidence, "left_behind", 0);
                if (finding && n <= NAMED_MAX)
                        say(finding, "%sProcess %d (%s) of an older generation is still there.",
                            n > 1 ? " " : "", member->pid, member->name);
        }
        if (!finding)
                return;
        finding->count = n;
        say(finding, " No client has a connection to it any more: there is nothing to drain.");
}

static void find_probation(struct proof_evidence *evidence)
{
        struct proof_finding *finding;

        if (evidence->on_probation == 0)
                return;
        finding = add(evidence, "probation", 1);
        if (!finding)
                return;
        finding->severity = PROOF_NOTE;
        say(finding,
            "Process %d of an older generation is still on probation, longer than could be waited "
            "for: "
            "it keeps its listeners and copies of the connections that it has handed over until "
            "then. "
            "Whether it leaves has not been seen.",
            evidence->on_probation);
}

static bool has_finding(const struct proof_evidence *evidence, const char *class)
{
        for (size_t i = 0; i < evidence->n_findings; i++)
                if (strcmp(evidence->findings[i].class, class) == 0)
                        return true;
        return false;
}

void remains_find(struct proof_evidence *evidence)
{
        if (!evidence->is_local || evidence->down)
                return;
        find_leaks(evidence);
        find_zombies(evidence);
        find_probation(evidence);
        /* Who goes on accepting, or hangs with a request, is still there: that is one fault, not two. */
        if (!has_finding(evidence, "both_generations") &&
            n_outcomes(evidence, HOT__OUTCOME_TIMEOUT) == 0 &&
            evidence->options->fault == PROOF_FAULT_NONE)
                find_processes(evidence);
}
