/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "clock.h"
#include "load.h"

#define PATIENCE (2 * PROOF_SECOND)
#define LOOK     (100 * PROOF_MILLISECOND) /* so often, for signals */

struct hearing {
        struct trial *trial;
        const struct hot__generations *generations;
};

static void on_record(void *data, const struct hot__record *record)
{
        const struct hearing *hearing = data;
        struct trial *trial = hearing->trial;
        const struct hot__generation *generation =
                hot__generations_get(hearing->generations, record->answered_by);

        trial->last_status = record->status;
        if (hot__outcome_is_failure(record->outcome)) {
                trial->failed++;
                trial->outcome = record->outcome;
        }
        if (record->outcome != HOT__OUTCOME_OK && record->outcome != HOT__OUTCOME_WRONG_BYTES)
                return;
        trial->ok += record->outcome == HOT__OUTCOME_OK;
        if (record->number != 0) {
                if (trial->numbered++ == 0)
                        trial->first_id = record->number;
                trial->last_id = record->number;
        }
        if (trial->status == 0) {
                trial->status = record->status;
                trial->bytes = record->bytes;
                trial->hash = record->hash;
                trial->same = true;
        }
        trial->same &= trial->bytes == record->bytes && trial->hash == record->hash;
        if (generation) {
                trial->has_number |= generation->number != 0;
                trial->has_pid |= generation->pid != 0;
        }
}

static void wait_for_load(struct hot__load *load, uint64_t deadline)
{
        struct pollfd polled = {.fd = hot__load_fd(load), .events = POLLIN};
        uint64_t at = hot__load_deadline(load), now = hot__clock_now();
        struct timespec left = {0};

        if (deadline < at)
                at = deadline;
        if (now + LOOK < at)
                at = now + LOOK;
        if (at > now) {
                left.tv_sec = (time_t)((at - now) / PROOF_SECOND);
                left.tv_nsec = (long)((at - now) % PROOF_SECOND);
        }
        ppoll(&polled, 1, &left, NULL);
}

/* The signals that end a proof are blocked, and wait until somebody looks. */
static bool is_interrupted(void)
{
        sigset_t pending;

        return sigpending(&pending) == 0 &&
               (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
                sigismember(&pending, SIGHUP) == 1);
}

int trial_run(const struct proof_evidence *evidence, const struct hot__profile *profile,
              unsigned int requests, enum hot__identify identify, uint64_t deadline,
              struct trial *ret)
{
        struct hot__profile once = *profile;
        struct hearing hearing = {.trial = ret};
        struct hot__load_options options = {
                .target = evidence->address,
                .profiles = &once,
                .n_profiles = 1,
                .identify = identify,
                .tls = evidence->tls,
                .observer = {.record = on_record, .data = &hearing},
        };
        uint64_t limit = hot__clock_now() + 2 * PATIENCE;
        const uint64_t *reconnects;
        struct hot__load *load;
        int r;

        if (deadline < limit)
                limit = deadline;
        once.clients = 1;
        once.requests = requests;
        once.every = once.think_lowest = once.think_highest = 0;
        once.timeout = once.connect_timeout = PATIENCE / (profile->depth > 1 ? 2 : 1);
        *ret = (struct trial){0};
        r = hot__load_new(&load, &options);
        if (r < 0)
                return r;
        hearing.generations = &hot__load_tally(load)->generations;
        while (r == 0 && !hot__load_is_done(load) && hot__clock_now() < limit) {
                wait_for_load(load, limit);
                r = is_interrupted() ? -EINTR : hot__load_process(load);
        }
        reconnects = hot__load_tally(load)->profiles[0].reconnects;
        ret->announced = reconnects[HOT__RECONNECT_ANNOUNCED];
        ret->ended = reconnects[HOT__RECONNECT_STREAM_END] > 0;
        hot__load_free(load);
        return r;
}
