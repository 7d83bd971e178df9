/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "causes.h"
#include "fault.h"
#include "remains.h"

__attribute__((format(printf, 2, 3))) static void say(struct proof_finding *finding,
                                                      const char *format, ...)
{
        size_t used = strlen(finding->text);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->text + used, sizeof(finding->text) - used, format, arguments);
        va_end(arguments);
}

/* ---- one cause, one class ---- */

static bool was_refused_about(const struct proof_evidence *evidence, uint64_t at)
{
        const uint64_t before = 20 * PROOF_MILLISECOND, after = 100 * PROOF_MILLISECOND;

        for (size_t i = 0; i < evidence->n_failures; i++) {
                const struct proof_failure *failure = &evidence->failures[i];

                if (failure->outcome == HOT__OUTCOME_REFUSED && failure->end + before > at &&
                    failure->end < at + after)
                        return true;
        }
        return false;
}

/*
 * When a listener is closed and nobody listens for a while, most clients are refused; those whose handshake
 * was over are reset. Nobody took either: that is one fault, and it is counted once.
 */
static void fold_resets(struct proof_evidence *evidence)
{
        for (size_t i = 0; i < evidence->n_failures; i++) {
                struct proof_failure *failure = &evidence->failures[i];
                struct hot__tally_profile *row = &evidence->rows[failure->profile];

                if (failure->outcome != HOT__OUTCOME_RESET || failure->restart == SIZE_MAX ||
                    (evidence->is_local && !evidence->restarts[failure->restart].rebound) ||
                    !was_refused_about(evidence, failure->end))
                        continue;
                failure->outcome = HOT__OUTCOME_REFUSED;
                row->outcomes[HOT__OUTCOME_RESET]--;
                row->outcomes[HOT__OUTCOME_REFUSED]++;
        }
}

/* ---- bodies ---- */

static void list_failure(struct proof_evidence *evidence, const struct bodies_moment *moment)
{
        if (moment->restart != SIZE_MAX)
                evidence->restarts[moment->restart].failed++;
        if (evidence->n_failures < PROOF_FAILURES_MAX)
                evidence->failures[evidence->n_failures++] = (struct proof_failure){
                        .profile = moment->profile,
                        .outcome = HOT__OUTCOME_WRONG_BYTES,
                        .due = moment->due,
                        .end = moment->end,
                        .restart = moment->restart,
                };
}

/* Only now it is known which bodies were the right ones. */
static void judge_bodies(struct proof_evidence *evidence, const struct bodies *bodies)
{
        for (size_t i = 0; i < bodies->n; i++) {
                const struct body *body = &bodies->list[i];

                if (!bodies_is_wrong(bodies, i))
                        continue;
                for (size_t k = 0; k < evidence->n_profiles; k++) {
                        evidence->rows[k].outcomes[HOT__OUTCOME_OK] -= body->counts[k];
                        evidence->rows[k].outcomes[HOT__OUTCOME_WRONG_BYTES] += body->counts[k];
                }
                for (size_t k = 0; k < body->n_moments; k++)
                        list_failure(evidence, &body->moments[k]);
        }
}

static int compare_ends(const void *a, const void *b)
{
        const struct proof_failure *x = a, *y = b;

        return (x->end > y->end) - (x->end < y->end);
}

/* Where two generations answer at once, a body that depends on who answers looks like a wrong one. */
static void judge_all_bodies(struct proof_evidence *evidence)
{
        if (lineage_out_of_turn(&evidence->lineage) > 0)
                return;
        for (size_t i = 0; i < evidence->n_profiles; i++)
                judge_bodies(evidence, &evidence->bodies[i]);
        qsort(evidence->failures, evidence->n_failures, sizeof(*evidence->failures), compare_ends);
}

/* ---- requests ---- */

struct spread {
        size_t restarts;         /* in how many it happened */
        uint64_t first, last;    /* after the trigger, ns */
        uint64_t before, listed; /* without any restart; of all */
        bool rebound;            /* every one after a listener had been replaced */
};

static void measure(const struct proof_evidence *evidence, enum hot__outcome outcome,
                    struct spread *ret)
{
        size_t seen = SIZE_MAX;

        *ret = (struct spread){.first = UINT64_MAX, .rebound = true};
        for (size_t i = 0; i < evidence->n_failures; i++) {
                const struct proof_failure *failure = &evidence->failures[i];
                uint64_t after;

                if (failure->outcome != outcome)
                        continue;
                ret->listed++;
                if (failure->restart == SIZE_MAX) {
                        ret->before++;
                        ret->rebound = false;
                        continue;
                }
                after = failure->end - evidence->restarts[failure->restart].at;
                if (failure->end < evidence->restarts[failure->restart].at)
                        after = 0;
                ret->first = after < ret->first ? after : ret->first;
                ret->last = after > ret->last ? after : ret->last;
                ret->rebound &= evidence->restarts[failure->restart].rebound;
                ret->restarts += failure->restart != seen;
                seen = failure->restart;
        }
        ret->rebound &= ret->listed > 0;
}

static void name_profiles(const struct proof_evidence *evidence, enum hot__outcome outcome,
                          struct proof_finding *finding)
{
        const char *separator = "";

        say(finding, " (");
        for (size_t i = 0; i < evidence->n_profiles; i++) {
                uint64_t n = evidence->rows[i].outcomes[outcome];

                if (n == 0)
                        continue;
                say(finding, "%s%s: %" PRIu64, separator,
                    causes_profile(evidence->profiles[i].name), n);
                separator = ", ";
        }
        say(finding, ")");
}

static void say_when(const struct proof_evidence *evidence, const struct spread *spread,
                     struct proof_finding *finding)
{
        if (spread->restarts > 0)
                say(finding, ", in %zu of %zu restarts, from %.1f to %.1f ms after the trigger",
                    spread->restarts, evidence->n_restarts,
                    (double)spread->first / (double)PROOF_MILLISECOND,
                    (double)spread->last / (double)PROOF_MILLISECOND);
        if (spread->before > 0)
                say(finding, ", %" PRIu64 " before the first restart: that is the server as it is",
                    spread->before);
        say(finding, ". ");
}

static struct proof_finding *add(struct proof_evidence *evidence, const char *class,
                                 enum proof_severity severity, uint64_t count)
{
        struct proof_finding *finding;

        if (evidence->n_findings == PROOF_FINDINGS_MAX)
                return NULL;
        finding = &evidence->findings[evidence->n_findings++];
        *finding = (struct proof_finding){.severity = severity, .count = count};
        snprintf(finding->class, sizeof(finding->class), "%s", class);
        return finding;
}

/* "2 requests were cut", "1 request was cut". */
static void say_what(struct proof_finding *finding, uint64_t n, const char *what)
{
        static const char plural[] = "were ";

        if (n == 1 && strncmp(what, plural, strlen(plural)) == 0)
                say(finding, "1 request was %s", what + strlen(plural));
        else
                say(finding, "%" PRIu64 " request%s %s", n, n == 1 ? "" : "s", what);
}

static void find_failures(struct proof_evidence *evidence)
{
        struct hot__tally_profile sum;

        proof_sum(evidence, &sum);
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++) {
                enum hot__outcome outcome = (enum hot__outcome)i;
                const struct cause *cause;
                struct proof_finding *finding;
                struct spread spread;

                if (!hot__outcome_is_failure(outcome) || sum.outcomes[i] == 0)
                        continue;
                measure(evidence, outcome, &spread);
                cause = causes_of(outcome, spread.rebound);
                finding = add(evidence, cause->class, PROOF_SUFFERED, sum.outcomes[i]);
                if (!finding)
                        return;
                say_what(finding, sum.outcomes[i], cause->what);
                name_profiles(evidence, outcome, finding);
                say_when(evidence, &spread, finding);
                say(finding, "%s", cause->why);
                snprintf(finding->mend, sizeof(finding->mend), "%s", cause->mend);
        }
}

static void find_reconnects(struct proof_evidence *evidence)
{
        struct proof_finding *finding;
        struct hot__tally_profile sum;
        const char *separator = "";
        uint64_t all;

        proof_sum(evidence, &sum);
        all = proof_reconnects(&sum);
        if (all == 0)
                return;
        finding = add(evidence, "reconnects", PROOF_RECONNECT, all);
        if (!finding)
                return;
        say(finding, "%" PRIu64 " time%s a client could not keep its connection (", all,
            all == 1 ? "" : "s");
        for (int i = 0; i < HOT__RECONNECT_COUNT; i++) {
                if (sum.reconnects[i] == 0)
                        continue;
                say(finding, "%s%s: %" PRIu64, separator, causes_reconnect(i), sum.reconnects[i]);
                separator = ", ";
        }
        say(finding, "). No request failed by that alone, but each costs a handshake, and whoever "
                     "closes without a word risks the request that is on its way.");
}

/* ---- restarts ---- */

static int compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

void findings_restarts(const struct proof_evidence *evidence, struct findings_restarts *ret)
{
        uint64_t *times = calloc(evidence->n_restarts + 1, sizeof(*times));
        size_t n = 0;

        *ret = (struct findings_restarts){0};
        for (size_t i = 0; times && i < evidence->n_restarts; i++)
                if (evidence->restarts[i].effect != 0)
                        times[n++] = evidence->restarts[i].effect - evidence->restarts[i].at;
        if (n > 0) {
                qsort(times, n, sizeof(*times), compare);
                *ret = (struct findings_restarts){n, times[0], times[n / 2], times[n - 1]};
        }
        free(times);
}

static void find_restarts(struct proof_evidence *evidence)
{
        enum proof_severity severity = PROOF_SUFFERED;
        struct proof_finding *finding;
        size_t silent = 0, quiet = 0;

        for (size_t i = 0; i < evidence->n_restarts; i++) {
                const struct proof_restart *restart = &evidence->restarts[i];

                silent += restart->effect == 0;
                quiet += restart->effect == 0 && restart->failed == 0 && restart->reconnects == 0;
        }
        if (!evidence->identified) {
                finding = add(evidence, "unknown_effect", PROOF_NOTE, evidence->n_restarts);
                if (finding)
                        say(finding, "Which process answers is not known here, so it is not known "
                                     "either whether the restarts took effect. A header X-Pid or "
                                     "X-Generation would tell, or --identify body.");
                return;
        }
        /* Who is gone restarts no more: that is told as such. */
        if (silent == 0 || evidence->down)
                return;
        if (fault_is_fatal(evidence->options->fault) ||
            evidence->options->fault == PROOF_FAULT_FD_LIMIT)
                severity = PROOF_NOTE;
        /* Connections were lost each time, so something was restarted: in the same process. */
        if (quiet == 0 && evidence->lineage.n <= 1)
                severity = PROOF_NOTE;
        finding =
                add(evidence, severity == PROOF_NOTE ? "in_place" : "no_effect", severity, silent);
        if (!finding)
                return;
        if (evidence->fault[0] && severity == PROOF_NOTE) {
                snprintf(finding->class, sizeof(finding->class), "rolled_back");
                say(finding,
                    "%zu of %zu restarts brought no new generation, as they were made to "
                    "(%s): the old one went on.",
                    silent, evidence->n_restarts, evidence->fault);
        } else if (severity == PROOF_NOTE) {
                say(finding, "No new process answered after any restart: the server restarts "
                             "within its process.");
        } else {
                say(finding,
                    "%zu of %zu restarts had no effect that could be seen: no new process "
                    "answered. A server that refuses a restart while another is under way "
                    "does that, and one that does not know the trigger.",
                    silent, evidence->n_restarts);
        }
}

static void find_commands(struct proof_evidence *evidence)
{
        struct proof_finding *finding;
        size_t failed = 0;
        int last = 0;

        for (size_t i = 0; i < evidence->n_restarts; i++)
                if (evidence->restarts[i].command_status != 0) {
                        last = evidence->restarts[i].command_status;
                        failed++;
                }
        if (failed == 0)
                return;
        finding = add(evidence, "trigger_failed", PROOF_SUFFERED, failed);
        if (!finding)
                return;
        if (last == PROOF_COMMAND_UNSENT)
                say(finding,
                    "%zu of %zu times the trigger could not be sent: no process to send it "
                    "to was there.",
                    failed, evidence->n_restarts);
        else if (last == PROOF_COMMAND_HANGS)
                say(finding,
                    "%zu of %zu times the restart command had not ended when the next one was "
                    "due, and was killed.",
                    failed, evidence->n_restarts);
        else if (WIFSIGNALED(last))
                say(finding, "%zu of %zu times the restart command was killed by signal %d.",
                    failed, evidence->n_restarts, WTERMSIG(last));
        else
                say(finding, "%zu of %zu times the restart command failed (status %d).", failed,
                    evidence->n_restarts, WEXITSTATUS(last));
}

static void find_both(struct proof_evidence *evidence)
{
        uint64_t n = lineage_out_of_turn(&evidence->lineage), worst = 0;
        struct proof_finding *finding;

        for (size_t i = 0; i < evidence->lineage.n; i++)
                if (evidence->lineage.list[i].worst > worst)
                        worst = evidence->lineage.list[i].worst;
        if (n == 0)
                return;
        finding = add(evidence, "both_generations", PROOF_SUFFERED, n);
        if (!finding)
                return;
        say(finding,
            "%" PRIu64
            " answers came from an older generation on connections that were begun after "
            "a newer one had answered, up to %.0f ms later: two generations accept at the same "
            "time, so a client may see the new release and then the old one again.",
            n, (double)worst / (double)PROOF_MILLISECOND);
        snprintf(finding->mend, sizeof(finding->mend),
                 "The old generation stops accepting before the new one starts; the kernel's queue "
                 "bridges the gap.");
}

/* New generations that answered and died, while the old one was there to go on. */
static void find_withdrawn(struct proof_evidence *evidence)
{
        struct proof_finding *finding;
        uint64_t n = 0;

        for (size_t i = 0; i < evidence->lineage.n; i++)
                n += evidence->lineage.list[i].withdrawn;
        if (n == 0)
                return;
        finding = add(evidence, "rolled_back", evidence->fault[0] ? PROOF_NOTE : PROOF_SUFFERED, n);
        if (finding)
                say(finding,
                    "%" PRIu64 " time%s the new generation died after it had answered, and the old "
                    "one went on%s%s%s.",
                    n, n == 1 ? "" : "s", evidence->fault[0] ? " (" : "", evidence->fault,
                    evidence->fault[0] ? ")" : "");
}

static void find_starter(struct proof_evidence *evidence)
{
        struct proof_finding *finding;

        if (!evidence->starter)
                return;
        finding = add(evidence, "overlap", PROOF_NOTE, evidence->n_restarts);
        if (finding)
                say(finding,
                    "Server::Starter runs this server: it stops the old worker only when "
                    "the new one has lived for a second, so both answer meanwhile. Up to "
                    "%.1f s of that are not counted.",
                    (double)evidence->lineage.overlap / (double)PROOF_SECOND);
}

static void find_unfinished(struct proof_evidence *evidence)
{
        struct proof_finding *finding;

        if (evidence->unfinished == 0)
                return;
        finding = add(evidence, "unfinished", PROOF_NOTE, evidence->unfinished);
        if (finding)
                say(finding,
                    "%" PRIu64 " requests were still under way when the time was over; "
                    "nothing is known of them.",
                    evidence->unfinished);
}

void findings_gather(struct proof_evidence *evidence)
{
        struct proof_finding *finding;

        fold_resets(evidence);
        judge_all_bodies(evidence);
        find_failures(evidence);
        find_both(evidence);
        find_withdrawn(evidence);
        find_restarts(evidence);
        find_commands(evidence);
        remains_find(evidence);
        if (evidence->down) {
                finding = add(evidence, "down", PROOF_SUFFERED, 1);
                if (finding)
                        say(finding, "At the end nobody listened at %s any more.",
                            evidence->address);
        }
        find_reconnects(evidence);
        find_starter(evidence);
        find_unfinished(evidence);
}
