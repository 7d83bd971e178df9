/* SPDX-License-Identifier: MIT */
#include "rehearsal.h"

#include <errno.h>
#include <string.h>

#include "catalog.h"
#include "clock.h"
#include "selection.h"
#include "trial.h"

/* ---- what the trials say ---- */

/* Nobody is there, or whoever is there does not speak HTTP. */
static int reason_for_nothing(const struct trial *trial)
{
        switch (trial->outcome) {
        case HOT__OUTCOME_REFUSED:
                return -ECONNREFUSED;
        case HOT__OUTCOME_MALFORMED:
                return -EPROTO;
        case HOT__OUTCOME_CLIENT:
                return -EMFILE;
        case HOT__OUTCOME_CONNECT_TIMEOUT:
        case HOT__OUTCOME_TIMEOUT:
                return -ETIMEDOUT;
        default:
                return 0;
        }
}

static bool judge_http2(struct proof_evidence *evidence, struct hot__profile *profile,
                        const struct trial *trial)
{
        profile->status = trial->status;
        if (trial->ok > 0)
                return true;
        selection_skip(evidence, profile->name,
                       trial->outcome == HOT__OUTCOME_CLIENT
                               ? "libnghttp2.so.14 is not to be had here"
                               : "the server does not speak it (%s)",
                       hot__outcome_name((int)trial->outcome));
        return false;
}

static bool judge_websocket(struct proof_evidence *evidence, struct hot__profile *profile,
                            const struct trial *trial)
{
        if (trial->ok > 0)
                return true;
        if (trial->outcome == HOT__OUTCOME_WRONG_STATUS)
                selection_skip(evidence, profile->name, "%s is answered with %d", profile->path,
                               trial->last_status);
        else
                selection_skip(evidence, profile->name,
                               "%s does not send back what it is sent (%s)", profile->path,
                               hot__outcome_name((int)trial->outcome));
        return false;
}

static bool judge_events(struct proof_evidence *evidence, struct hot__profile *profile,
                         const struct trial *trial)
{
        if (trial->ok > 0 && !trial->ended) {
                profile->quiet = trial->ok == 1;
                return true;
        }
        if (trial->ok > 0)
                selection_skip(evidence, profile->name,
                               "%s ends by itself, without a restart: it is no stream",
                               profile->path);
        else
                selection_skip(evidence, profile->name, "%s is no stream of events (%s, status %d)",
                               profile->path, hot__outcome_name((int)trial->outcome),
                               trial->last_status);
        return false;
}

/* Its answer to an upload may say nothing, a file has to stay the same: it need not be a server of ours. */
static void expect_what_came(struct hot__profile *profile, const struct trial *trial)
{
        if (trial->outcome != HOT__OUTCOME_WRONG_BYTES || trial->ok > 0)
                return;
        profile->unchecked = profile->body == HOT__BODY_ECHO;
        profile->has_known = profile->body == HOT__BODY_PATTERN && trial->same;
        profile->unchecked |= profile->body == HOT__BODY_PATTERN && !trial->same;
        profile->known_size = trial->bytes;
        profile->known_hash = trial->hash;
}

static bool judge_http1(struct proof_evidence *evidence, struct hot__profile *profile,
                        const struct trial *trial)
{
        if (profile->keep_alive && trial->ok > 1 && trial->announced >= trial->ok) {
                selection_skip(evidence, profile->name,
                               "the server keeps no connection: it closes after each answer");
                return false;
        }
        if (profile->depth > 1 && trial->failed > 0) {
                selection_skip(evidence, profile->name,
                               "the server does not answer requests that are "
                               "written at once, not even without a restart");
                return false;
        }
        if (profile->body != HOT__BODY_ANY && trial->status >= 400) {
                selection_skip(evidence, profile->name, "%s is answered with %d", profile->path,
                               trial->status);
                return false;
        }
        profile->status = trial->status;
        expect_what_came(profile, trial);
        return true;
}

/* Returns whether the profile can be used. */
static bool judge(struct proof_evidence *evidence, struct hot__profile *profile,
                  const struct trial *trial)
{
        switch (profile->protocol) {
        case HOT__PROTOCOL_HTTP2:
                return judge_http2(evidence, profile, trial);
        case HOT__PROTOCOL_WEBSOCKET:
                return judge_websocket(evidence, profile, trial);
        case HOT__PROTOCOL_EVENTS:
                return judge_events(evidence, profile, trial);
        case HOT__PROTOCOL_HTTP1:
        default:
                return judge_http1(evidence, profile, trial);
        }
}

/* ---- trials ---- */

/* The pattern has no hash: what is no pattern is asked for as anything. */
static int try_download(const struct proof_evidence *evidence, const struct hot__profile *profile,
                        uint64_t deadline, struct trial *ret)
{
        struct hot__profile anything = *profile;
        int r = trial_run(evidence, profile, 1, HOT__IDENTIFY_HEADERS, deadline, ret);

        if (r < 0 || ret->ok > 0 || ret->outcome != HOT__OUTCOME_WRONG_BYTES)
                return r;
        anything.unchecked = true;
        r = trial_run(evidence, &anything, 2, HOT__IDENTIFY_HEADERS, deadline, ret);
        ret->outcome = HOT__OUTCOME_WRONG_BYTES;
        ret->ok = 0;
        return r;
}

/* Does who comes back get the event behind the one that it had last? */
static int try_resumption(const struct proof_evidence *evidence, struct hot__profile *profile,
                          const struct trial *first, uint64_t deadline)
{
        struct hot__profile again = *profile;
        struct trial trial;
        int r;

        if (first->numbered == 0)
                return 0;
        again.has_last_id = true;
        again.last_id = first->last_id;
        r = trial_run(evidence, &again, 2, HOT__IDENTIFY_HEADERS, deadline, &trial);
        profile->resumable = trial.numbered > 0 && trial.first_id == first->last_id + 1;
        return r;
}

static int try_one(struct proof_evidence *evidence, struct hot__profile *profile, uint64_t deadline,
                   bool *ret_usable)
{
        unsigned int requests = profile->depth > 1 ? profile->depth * 2 : 3;
        struct trial trial;
        int r;

        *ret_usable = true;
        /* What takes long is a GET as any other. */
        if (hot__profile_is_slow(profile))
                return 0;
        if (hot__clock_now() >= deadline) {
                selection_skip(evidence, profile->name,
                               "no time was left to try it: the server is too slow");
                *ret_usable = false;
                return 0;
        }
        if (profile->body == HOT__BODY_PATTERN)
                r = try_download(evidence, profile, deadline, &trial);
        else
                r = trial_run(evidence, profile, requests, HOT__IDENTIFY_HEADERS, deadline, &trial);
        if (r == 0 && profile->protocol == HOT__PROTOCOL_EVENTS)
                r = try_resumption(evidence, profile, &trial, deadline);
        if (r == 0)
                *ret_usable = judge(evidence, profile, &trial);
        return r;
}

static int try_all(struct proof_evidence *evidence, uint64_t deadline)
{
        size_t kept = 0;
        bool usable;
        int r;

        for (size_t i = 0; i < evidence->n_profiles; i++) {
                r = try_one(evidence, &evidence->profiles[i], deadline, &usable);
                if (r < 0)
                        return r;
                if (usable)
                        evidence->profiles[kept++] = evidence->profiles[i];
        }
        evidence->n_profiles = kept;
        return kept > 0 ? 0 : -ENOTSUP;
}

/* Whether, and how, generations can be told apart. */
static void choose_identity(struct proof_evidence *evidence, const struct hot__target *target,
                            const struct trial *headers, const struct trial *pid)
{
        bool ip = target->address.ss_family != AF_UNIX;

        evidence->identify = evidence->options->identify;
        if (evidence->identify == PROOF_IDENTIFY_AUTO) {
                if (headers->has_number)
                        evidence->identify = PROOF_IDENTIFY_HEADERS;
                else if (pid->has_pid)
                        evidence->identify = PROOF_IDENTIFY_PID;
                else
                        evidence->identify = PROOF_IDENTIFY_KERNEL;
        }
        evidence->identified =
                evidence->identify != PROOF_IDENTIFY_KERNEL || (evidence->is_local && ip);
}

const char *rehearsal_path(const struct proof_evidence *evidence)
{
        for (size_t i = 0; i < evidence->n_profiles; i++)
                if (hot__profile_is_plain(&evidence->profiles[i]))
                        return evidence->profiles[i].path;
        return evidence->options->get ? evidence->options->get : "/";
}

/* A server that is asked for nothing but HTTP/2 may speak nothing else. */
static bool is_only_http2(const struct proof_evidence *evidence)
{
        for (size_t i = 0; i < evidence->n_profiles; i++)
                if (evidence->profiles[i].protocol != HOT__PROTOCOL_HTTP2)
                        return false;
        return true;
}

/* Does it answer at all, and who does? */
static int try_simplest(struct proof_evidence *evidence, const struct hot__target *target,
                        const char *path, uint64_t deadline)
{
        struct hot__profile simple;
        struct trial headers, pid;
        int r = hot__profile_parse(is_only_http2(evidence) ? "http2" : "new", &simple);

        if (r == 0)
                r = selection_set_path(&simple, path);
        simple.status = 0;
        if (r == 0)
                r = trial_run(evidence, &simple, 3, HOT__IDENTIFY_HEADERS, deadline, &headers);
        if (r == 0 && headers.ok == 0)
                r = headers.failed > 0 ? reason_for_nothing(&headers) : -ETIMEDOUT;
        if (r == 0)
                r = trial_run(evidence, &simple, 1, HOT__IDENTIFY_PID, deadline, &pid);
        if (r == 0)
                choose_identity(evidence, target, &headers, &pid);
        return r;
}

int rehearsal_run(struct proof_evidence *evidence, const struct hot__target *target,
                  uint64_t deadline)
{
        uint64_t limit = hot__clock_now() + PROOF_SECOND;
        struct catalog paths = {0};
        int r;

        if (selection_check(evidence->options->profiles) < 0)
                return -EINVAL;
        if (catalog_fetch(target, evidence->tls, limit < deadline ? limit : deadline, &paths) < 0)
                paths = (struct catalog){0};
        r = selection_make(evidence, &paths);
        if (r == 0)
                r = try_simplest(evidence, target, paths.get, deadline);
        return r == 0 ? try_all(evidence, deadline) : r;
}
