/* SPDX-License-Identifier: MIT */
#include "collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* What happens so long after a restart, or after the first answer of the new one, is around it. */
#define AROUND (500 * PROOF_MILLISECOND)

#define STRIP_STEP (100 * PROOF_MILLISECOND)

static struct proof_restart *last_restart(const struct collector *collector)
{
        struct proof_evidence *evidence = collector->evidence;

        return evidence->n_restarts > 0 ? &evidence->restarts[evidence->n_restarts - 1] : NULL;
}

static bool is_around(const struct collector *collector, uint64_t due, uint64_t end)
{
        const struct proof_restart *restart = last_restart(collector);

        return restart && end >= restart->at &&
               (end < collector->restart_open_until || due < collector->restart_open_until);
}

/* Who answered: the key of its generation, by what it said. 0: it did not say. */
static uint64_t key_of(const struct collector *collector, const struct hot__generation *generation)
{
        switch (collector->evidence->identify) {
        case PROOF_IDENTIFY_PID:
                return watcher_key(collector->watcher, generation->pid);
        case PROOF_IDENTIFY_BODY:
                return generation->body_hash;
        case PROOF_IDENTIFY_HEADERS:
        case PROOF_IDENTIFY_AUTO:
        case PROOF_IDENTIFY_KERNEL:
        default:
                return generation->number;
        }
}

static size_t note_generation(struct collector *collector, const struct hot__record *record)
{
        const struct hot__generation *generation =
                hot__generations_get(collector->generations, record->answered_by);
        size_t index = SIZE_MAX;
        int r;

        if (collector->evidence->identify == PROOF_IDENTIFY_KERNEL || !generation)
                return watcher_newest(collector->watcher);
        r = watcher_note(collector->watcher, key_of(collector, generation), generation->pid,
                         record->connect, record->first_byte, &index);
        if (r < 0)
                collector->error = r;
        return index;
}

static void note_gap(struct collector *collector, uint64_t now)
{
        struct proof_evidence *evidence = collector->evidence;
        struct proof_restart *restart = last_restart(collector);
        uint64_t gap = collector->last_ok > 0 ? now - collector->last_ok : 0;

        if (gap > evidence->gap) {
                evidence->gap = gap;
                evidence->gap_at = now;
        }
        if (restart && gap > restart->gap && is_around(collector, now, now))
                restart->gap = gap;
        collector->last_ok = now;
}

static int append_dot(struct proof_evidence *evidence, const struct proof_dot *dot)
{
        struct proof_dot *larger;

        if (evidence->n_dots == evidence->room_dots) {
                evidence->room_dots = evidence->room_dots ? evidence->room_dots * 2 : 1024;
                larger = reallocarray(evidence->dots, evidence->room_dots, sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                evidence->dots = larger;
        }
        evidence->dots[evidence->n_dots++] = *dot;
        return 0;
}

/* Of each profile the slowest answer of each bucket is drawn: what was bad stays visible. */
static void note_dot(struct collector *collector, const struct hot__record *record,
                     size_t generation)
{
        struct proof_dot *current = &collector->current[record->profile];
        uint64_t bucket = collector->bucket > 0 ? collector->bucket : 1;
        struct proof_dot dot = {
                .at = record->end,
                .latency = record->end - record->due,
                .profile = record->profile,
                .generation = generation,
        };

        if (current->at != 0 &&
            (current->at / bucket != dot.at / bucket || current->generation != generation)) {
                if (append_dot(collector->evidence, current) < 0)
                        collector->error = -ENOMEM;
                *current = dot;
        } else if (current->at == 0 || dot.latency > current->latency) {
                *current = dot;
        }
}

static void note_strip(struct collector *collector, uint64_t now, uint64_t latency)
{
        uint64_t step = now / STRIP_STEP;

        while (collector->strip_at < step) {
                if (step - collector->strip_at > STRIP_CELLS)
                        collector->strip_at = step - STRIP_CELLS;
                memmove(collector->strip, collector->strip + 1,
                        sizeof(collector->strip) - sizeof(*collector->strip));
                collector->strip[STRIP_CELLS - 1] = 0;
                collector->strip_at++;
        }
        if (latency > collector->strip[STRIP_CELLS - 1])
                collector->strip[STRIP_CELLS - 1] = latency;
}

static void note_body(struct collector *collector, const struct hot__record *record)
{
        const struct proof_evidence *evidence = collector->evidence;
        struct bodies *bodies = collector->bodies[record->profile];
        const struct bodies_moment moment = {
                .profile = record->profile,
                .due = record->due,
                .end = record->end,
                .restart = evidence->n_restarts > 0 ? evidence->n_restarts - 1 : SIZE_MAX,
        };

        if (bodies && bodies_note(bodies, record->hash, record->bytes, collector->group,
                                  record->connect >= collector->group_since, &moment) < 0)
                collector->error = -ENOMEM;
}

static void note_ok(struct collector *collector, const struct hot__record *record)
{
        struct proof_evidence *evidence = collector->evidence;
        uint64_t latency = record->end - record->due;

        collector->ok++;
        hot__histogram_add(is_around(collector, record->due, record->end)
                                   ? &evidence->around[record->profile]
                                   : &evidence->steady[record->profile],
                           latency);
        note_gap(collector, record->end);
        note_body(collector, record);
        note_dot(collector, record, note_generation(collector, record));
        /* A slow response is meant to be slow. */
        if (!evidence->profiles[record->profile].patient)
                note_strip(collector, record->end, latency);
}

static void note_failure(struct collector *collector, const struct hot__record *record)
{
        struct proof_evidence *evidence = collector->evidence;
        struct proof_restart *restart = last_restart(collector);

        collector->failed++;
        if (restart)
                restart->failed++;
        if (evidence->n_failures == PROOF_FAILURES_MAX)
                return;
        evidence->failures[evidence->n_failures++] = (struct proof_failure){
                .profile = record->profile,
                .outcome = record->outcome,
                .due = record->due,
                .end = record->end,
                .restart = evidence->n_restarts > 0 ? evidence->n_restarts - 1 : SIZE_MAX,
        };
}

static void on_record(void *data, const struct hot__record *record)
{
        struct collector *collector = data;

        if (hot__outcome_is_failure(record->outcome))
                note_failure(collector, record);
        else if (record->outcome == HOT__OUTCOME_OK)
                note_ok(collector, record);
}

static void on_reconnect(void *data, size_t profile, enum hot__reconnect kind)
{
        struct proof_restart *restart = last_restart(data);

        (void)profile, (void)kind;
        if (restart)
                restart->reconnects++;
}

struct hot__observer collector_observer(struct collector *collector)
{
        return (struct hot__observer){
                .record = on_record, .reconnect = on_reconnect, .data = collector};
}

void collector_restart(struct collector *collector, uint64_t now)
{
        collector->restart_open_until = now + AROUND;
        /* Where no effect can be seen, each restart is taken to have one. */
        if (collector->seen_effect)
                return;
        collector->group = collector->evidence->n_restarts;
        collector->group_since = now + AROUND;
}

void collector_effect(struct collector *collector, uint64_t now, uint64_t until)
{
        if (until > collector->restart_open_until)
                collector->restart_open_until = until;
        collector->seen_effect = true;
        collector->group++;
        collector->group_since = now;
}

void collector_prepare(struct collector *collector)
{
        struct proof_evidence *evidence = collector->evidence;

        for (size_t i = 0; i < evidence->n_profiles; i++) {
                const struct bodies *bodies = proof_bodies(evidence, i);

                collector->bodies[i] = bodies ? &evidence->bodies[bodies - evidence->bodies] : NULL;
        }
}

void collector_finish(struct collector *collector, const struct hot__tally *tally)
{
        struct proof_evidence *evidence = collector->evidence;

        for (size_t i = 0; i < evidence->n_profiles; i++) {
                evidence->rows[i] = tally->profiles[i];
                bodies_finish(&evidence->bodies[i]);
                if (collector->current[i].at != 0)
                        (void)append_dot(evidence, &collector->current[i]);
        }
        evidence->ended = hot__clock_now();
        note_gap(collector, collector->last_ok);
}
