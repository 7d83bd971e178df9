/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "findings.h"
#include "remains.h"
#include "table.h"

static json_t *number(uint64_t value)
{
        return json_integer((json_int_t)value);
}

/* Milliseconds, to a thousandth. */
static json_t *milliseconds(uint64_t ns)
{
        return json_real((double)(ns / 1000) / 1000.0);
}

/* A text that the kernel or a program made: what is no UTF-8 is replaced. */
static json_t *text(const char *value)
{
        json_t *string = json_string(value);
        char copy[1300];
        size_t i;

        if (string)
                return string;
        for (i = 0; value[i] && i < sizeof(copy) - 1; i++)
                copy[i] = value[i] > 0 ? value[i] : '?';
        copy[i] = '\0';
        return json_string(copy);
}

static void put_outcomes(json_t *requests, const struct hot__tally_profile *row)
{
        json_t *failed = json_object();

        json_object_set_new(requests, "sent", number(hot__tally_sent(row)));
        json_object_set_new(requests, "ok", number(row->outcomes[HOT__OUTCOME_OK]));
        json_object_set_new(requests, "unserved", number(row->outcomes[HOT__OUTCOME_UNSERVED]));
        json_object_set_new(requests, "failed_total", number(hot__tally_failed(row)));
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++)
                if (hot__outcome_is_failure((enum hot__outcome)i))
                        json_object_set_new(failed, hot__outcome_name(i), number(row->outcomes[i]));
        json_object_set_new(requests, "failed", failed);
}

static json_t *reconnects(const struct hot__tally_profile *row)
{
        json_t *kinds = json_object();

        for (int i = 0; i < HOT__RECONNECT_COUNT; i++)
                json_object_set_new(kinds, hot__reconnect_name(i), number(row->reconnects[i]));
        return kinds;
}

static json_t *latency(const struct hot__histogram *histogram)
{
        json_t *object = json_object();

        json_object_set_new(object, "count", number(histogram->count));
        json_object_set_new(object, "min_ms", milliseconds(histogram->lowest));
        json_object_set_new(object, "p50_ms", milliseconds(hot__histogram_at(histogram, 500)));
        json_object_set_new(object, "p90_ms", milliseconds(hot__histogram_at(histogram, 900)));
        json_object_set_new(object, "p99_ms", milliseconds(hot__histogram_at(histogram, 990)));
        json_object_set_new(object, "p999_ms", milliseconds(hot__histogram_at(histogram, 999)));
        json_object_set_new(object, "max_ms", milliseconds(histogram->highest));
        return object;
}

/* What the bodies of a profile's answers were like, where nothing else said what they must be. */
static const char *bodies_word(const struct bodies *bodies)
{
        if (bodies->vary || bodies->n == 0)
                return "vary";
        return bodies->groups < 2 ? "by generation" : "the same";
}

static json_t *profiles(const struct proof_evidence *evidence)
{
        json_t *list = json_array();

        for (size_t i = 0; i < evidence->n_profiles; i++) {
                const struct hot__profile *profile = &evidence->profiles[i];
                json_t *object = json_object(), *requests = json_object();
                const struct bodies *bodies;

                json_object_set_new(object, "name", text(profile->name));
                json_object_set_new(object, "clients", number(profile->clients));
                json_object_set_new(object, "path", text(profile->path));
                put_outcomes(requests, &evidence->rows[i]);
                json_object_set_new(object, "requests", requests);
                json_object_set_new(object, "reconnects", reconnects(&evidence->rows[i]));
                json_object_set_new(object, "bytes", number(evidence->rows[i].bytes));
                bodies = proof_bodies(evidence, i);
                if (bodies)
                        json_object_set_new(object, "bodies", text(bodies_word(bodies)));
                json_object_set_new(object, "latency_steady", latency(&evidence->steady[i]));
                json_object_set_new(object, "latency_around_restarts",
                                    latency(&evidence->around[i]));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *skipped(const struct proof_evidence *evidence)
{
        json_t *list = json_array();

        for (size_t i = 0; i < evidence->n_skips; i++) {
                json_t *object = json_object();

                json_object_set_new(object, "name", text(evidence->skips[i].name));
                json_object_set_new(object, "reason", text(evidence->skips[i].reason));
                json_array_append_new(list, object);
        }
        return list;
}

/* Moments count from the beginning of the traffic. */
static json_t *moment(const struct proof_evidence *evidence, uint64_t at)
{
        return at > evidence->began ? milliseconds(at - evidence->began) : json_integer(0);
}

static json_t *restart_details(const struct proof_evidence *evidence)
{
        json_t *list = json_array();

        for (size_t i = 0; i < evidence->n_restarts; i++) {
                const struct proof_restart *restart = &evidence->restarts[i];
                json_t *object = json_object();

                json_object_set_new(object, "at_ms", moment(evidence, restart->at));
                json_object_set_new(object, "first_answer_ms",
                                    restart->effect ? milliseconds(restart->effect - restart->at)
                                                    : json_null());
                json_object_set_new(object, "pid",
                                    restart->pid ? number((uint64_t)restart->pid) : json_null());
                json_object_set_new(object, "failed", number(restart->failed));
                json_object_set_new(object, "reconnects", number(restart->reconnects));
                json_object_set_new(object, "longest_gap_ms", milliseconds(restart->gap));
                json_object_set_new(object, "listener_replaced", json_boolean(restart->rebound));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *generations(const struct proof_evidence *evidence)
{
        json_t *list = json_array();

        for (size_t i = 0; i < evidence->lineage.n; i++) {
                const struct lineage_generation *generation = &evidence->lineage.list[i];
                json_t *object = json_object(), *pids = json_array();

                json_object_set_new(object, "generation", number(i + 1));
                json_object_set_new(object, "pid",
                                    generation->n_pids ? number((uint64_t)generation->pids[0])
                                                       : json_null());
                for (size_t k = 0; k < generation->n_pids; k++)
                        json_array_append_new(pids, number((uint64_t)generation->pids[k]));
                json_object_set_new(object, "pids", pids);
                json_object_set_new(object, "answers", number(generation->answers));
                json_object_set_new(object, "out_of_turn", number(generation->out_of_turn));
                json_object_set_new(object, "first_ms", moment(evidence, generation->first));
                json_object_set_new(object, "last_ms", moment(evidence, generation->last));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *findings(const struct proof_evidence *evidence)
{
        static const char *const severities[] = {"note", "reconnect", "suffered"};
        json_t *list = json_array();

        for (size_t i = 0; i < evidence->n_findings; i++) {
                const struct proof_finding *finding = &evidence->findings[i];
                json_t *object = json_object();

                json_object_set_new(object, "class", text(finding->class));
                json_object_set_new(object, "severity", text(severities[finding->severity]));
                json_object_set_new(object, "count", number(finding->count));
                json_object_set_new(object, "text", text(finding->text));
                json_object_set_new(object, "mend", text(finding->mend));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *descriptors(const struct hot_inspect *process)
{
        const struct hot_inspect_fd *fd;
        json_t *list = json_array();

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                json_t *object = json_object();

                json_object_set_new(object, "fd", json_integer(fd->fd));
                json_object_set_new(object, "kind", text(hot_inspect_kind_name(fd->kind)));
                json_object_set_new(object, "target", text(fd->target));
                json_object_set_new(object, "cloexec", json_boolean(fd->cloexec));
                json_object_set_new(object, "listening", json_boolean(fd->listening));
                json_object_set_new(object, "inode", number(fd->inode));
                json_object_set_new(object, "local", text(fd->local));
                json_object_set_new(object, "peer", text(fd->peer));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *table(const struct proof_table *table)
{
        json_t *list = json_array();

        for (size_t i = 0; i < table->n; i++) {
                json_t *object = json_object();

                json_object_set_new(object, "pid",
                                    json_integer(hot_inspect_pid(table->processes[i])));
                json_object_set_new(object, "name", text(hot_inspect_name(table->processes[i])));
                json_object_set_new(object, "born_after_restart", number(table->epochs[i]));
                json_object_set_new(object, "descriptors", descriptors(table->processes[i]));
                json_array_append_new(list, object);
        }
        return list;
}

static json_t *audit(const struct proof_evidence *evidence)
{
        json_t *object = json_object(), *queue = json_object(), *memory = json_object();

        json_object_set_new(queue, "longest", number(evidence->queue_peak));
        json_object_set_new(queue, "room", number(evidence->queue_room));
        json_object_set_new(memory, "before_kib", number(evidence->before.memory));
        json_object_set_new(memory, "highest_kib", number(evidence->memory_peak));
        json_object_set_new(memory, "after_kib", number(evidence->after.memory));
        json_object_set_new(object, "listener_queue", queue);
        json_object_set_new(object, "memory", memory);
        json_object_set_new(object, "before", table(&evidence->before));
        json_object_set_new(object, "during", table(&evidence->during));
        json_object_set_new(object, "after", table(&evidence->after));
        return object;
}

static json_t *switch_times(const struct proof_evidence *evidence)
{
        struct findings_restarts times;
        json_t *object = json_object();

        findings_restarts(evidence, &times);
        json_object_set_new(object, "effective", number(times.effective));
        json_object_set_new(object, "min_ms", milliseconds(times.shortest));
        json_object_set_new(object, "median_ms", milliseconds(times.median));
        json_object_set_new(object, "max_ms", milliseconds(times.longest));
        return object;
}

int report_json(FILE *out, const struct proof_evidence *evidence)
{
        struct hot__tally_profile sum;
        json_t *root = json_object(), *requests = json_object();
        int r;

        proof_sum(evidence, &sum);
        put_outcomes(requests, &sum);
        json_object_set_new(requests, "unfinished", number(evidence->unfinished));
        json_object_set_new(root, "verdict",
                            json_string(proof_verdict(evidence) == 0 ? "clean" : "suffered"));
        json_object_set_new(root, "target", text(evidence->address));
        json_object_set_new(root, "restarts", number(evidence->n_restarts));
        json_object_set_new(root, "requests", requests);
        json_object_set_new(root, "reconnects", reconnects(&sum));
        json_object_set_new(root, "generations", generations(evidence));
        json_object_set_new(root, "findings", findings(evidence));
        json_object_set_new(root, "first_answer", switch_times(evidence));
        json_object_set_new(root, "longest_gap_ms", milliseconds(evidence->gap));
        json_object_set_new(root, "longest_gap_at_ms", moment(evidence, evidence->gap_at));
        json_object_set_new(root, "duration_ms", moment(evidence, evidence->ended));
        json_object_set_new(root, "fault",
                            evidence->fault[0] ? text(evidence->fault) : json_null());
        json_object_set_new(root, "restart_details", restart_details(evidence));
        json_object_set_new(root, "profiles", profiles(evidence));
        json_object_set_new(root, "skipped", skipped(evidence));
        json_object_set_new(root, "audit", audit(evidence));
        r = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
        putc('\n', out);
        json_decref(root);
        return r < 0 ? -ENOMEM : 0;
}
