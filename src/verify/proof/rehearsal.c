/* SPDX-License-Identifier: MIT */
#include "rehearsal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "clock.h"
#include "load.h"

#define PATIENCE (2 * PROOF_SECOND)

/* What is sent if nothing else is asked for: as many clients as show a fault, and no more. */
static const char *const defaults[] = {
        "new:clients=4",  "busy:clients=4",   "think:clients=64",   "pipelined:clients=2",
        "slow:clients=4", "upload:clients=4", "download:clients=4",
};

#define N_DEFAULTS (sizeof(defaults) / sizeof(*defaults))

/* What one kind of traffic saw. */
struct trial {
        uint64_t ok, failed, announced;
        enum hot__outcome outcome; /* of the last that failed */
        int status;                /* of the first answer */
        uint64_t bytes, hash;      /* of the first body */
        bool same;                 /* all bodies were like the first */
        bool has_number, has_pid;
};

struct rehearsal {
        struct proof_evidence *evidence;
        const struct hot__target *target;
        struct trial *trial; /* of what is tried now */
        const struct hot__generations *generations;
};

__attribute__((format(printf, 3, 4))) static void skip(struct proof_evidence *evidence,
                                                       const char *name, const char *format, ...)
{
        struct proof_skip *skip;
        va_list arguments;

        if (evidence->n_skips == PROOF_SKIPS_MAX)
                return;
        skip = &evidence->skips[evidence->n_skips++];
        snprintf(skip->name, sizeof(skip->name), "%s", name);
        va_start(arguments, format);
        vsnprintf(skip->reason, sizeof(skip->reason), format, arguments);
        va_end(arguments);
}

static void on_record(void *data, const struct hot__record *record)
{
        struct rehearsal *rehearsal = data;
        struct trial *trial = rehearsal->trial;
        const struct hot__generation *generation =
                hot__generations_get(rehearsal->generations, record->answered_by);

        if (hot__outcome_is_failure(record->outcome)) {
                trial->failed++;
                trial->outcome = record->outcome;
        }
        if (record->outcome != HOT__OUTCOME_OK && record->outcome != HOT__OUTCOME_WRONG_BYTES)
                return;
        trial->ok += record->outcome == HOT__OUTCOME_OK;
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
        if (at > now) {
                left.tv_sec = (time_t)((at - now) / PROOF_SECOND);
                left.tv_nsec = (long)((at - now) % PROOF_SECOND);
        }
        ppoll(&polled, 1, &left, NULL);
}

/* Send what @profile says, by one client and without pauses. */
static int try_profile(struct rehearsal *rehearsal, const struct hot__profile *profile,
                       unsigned int requests, enum hot__identify identify, struct trial *ret)
{
        struct hot__profile once = *profile;
        struct hot__load_options options = {
                .target = rehearsal->evidence->address,
                .profiles = &once,
                .n_profiles = 1,
                .identify = identify,
                .tls = rehearsal->evidence->tls,
                .observer = {.record = on_record, .data = rehearsal},
        };
        uint64_t deadline = hot__clock_now() + 2 * PATIENCE;
        struct hot__load *load;
        int r;

        once.clients = 1;
        once.requests = requests;
        once.every = once.think_lowest = once.think_highest = 0;
        once.timeout = once.connect_timeout = PATIENCE / (profile->depth > 1 ? 2 : 1);
        *ret = (struct trial){0};
        rehearsal->trial = ret;
        r = hot__load_new(&load, &options);
        if (r < 0)
                return r;
        rehearsal->generations = &hot__load_tally(load)->generations;
        while (r == 0 && !hot__load_is_done(load) && hot__clock_now() < deadline) {
                wait_for_load(load, deadline);
                r = hot__load_process(load);
        }
        ret->announced = hot__load_tally(load)->profiles[0].reconnects[HOT__RECONNECT_ANNOUNCED];
        hot__load_free(load);
        return r;
}

/* ---- the list of profiles ---- */

static bool is_listed(const char *list, const char *name)
{
        size_t length = strlen(name);

        for (const char *at = list; (at = strstr(at, name)); at += length)
                if ((at == list || at[-1] == ',') &&
                    (at[length] == '\0' || at[length] == ',' || at[length] == ':'))
                        return true;
        return false;
}

/*
 * The part of the list that begins at @list: up to a comma that does not continue the keys of a profile, as
 * in "busy:clients=8,depth=2,new". Returns its length.
 */
static size_t part_length(const char *list)
{
        size_t length = strcspn(list, ",");

        while (list[length] == ',') {
                size_t next = strcspn(list + length + 1, ",=:");

                if (list[length + 1 + next] != '=')
                        break;
                length += 1 + strcspn(list + length + 1, ",");
        }
        return length;
}

/* The numbers of a profile: those of the list if it has them, else the defaults. */
static int find_profile(const char *list, const char *standard, struct hot__profile *ret)
{
        size_t name = strcspn(standard, ":"), length;
        char text[512];

        for (const char *part = list; part && *part; part += length + (part[length] == ',')) {
                length = part_length(part);
                if (strcspn(part, ":,") != name || strncmp(part, standard, name) != 0)
                        continue;
                if (length == name)
                        break;
                if (length >= sizeof(text))
                        return -EINVAL;
                memcpy(text, part, length);
                text[length] = '\0';
                return hot__profile_parse(text, ret);
        }
        return hot__profile_parse(standard, ret);
}

/* Every name of the list must be one that there is. */
static int check_list(const char *list)
{
        size_t length;

        for (const char *part = list; part && *part; part += length + (part[length] == ',')) {
                bool known = false;

                length = part_length(part);
                for (size_t i = 0; i < N_DEFAULTS; i++) {
                        size_t name = strcspn(defaults[i], ":");

                        known |= strcspn(part, ":,") == name &&
                                 strncmp(part, defaults[i], name) == 0;
                }
                if (!known)
                        return -EINVAL;
        }
        return 0;
}

static void choose_paths(const struct proof_evidence *evidence, struct catalog *paths)
{
        const struct proof_options *options = evidence->options;
        const struct {
                const char *given;
                char *path;
        } choices[] = {
                {options->get, paths->get},
                {options->slow, paths->slow},
                {options->post, paths->post},
                {options->download, paths->download},
        };

        for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
                if (choices[i].given)
                        snprintf(choices[i].path, CATALOG_PATH_MAX, "%s", choices[i].given);
        if (!paths->get[0])
                strcpy(paths->get, "/");
}

/* Which path a profile asks for, and the option that would give it one. */
static const char *path_of(const struct catalog *paths, const char *name, const char **ret_option)
{
        *ret_option = NULL;
        if (strcmp(name, "slow") == 0) {
                *ret_option = "--slow";
                return paths->slow;
        }
        if (strcmp(name, "upload") == 0) {
                *ret_option = "--post";
                return paths->post;
        }
        if (strcmp(name, "download") == 0) {
                *ret_option = "--download";
                return paths->download;
        }
        return paths->get;
}

static int set_path(struct hot__profile *profile, const char *path)
{
        int length;

        if (profile->body == HOT__BODY_PATTERN && !strchr(path, '?'))
                length = snprintf(profile->path, sizeof(profile->path), "%s?bytes=%" PRIu64, path,
                                  profile->bytes);
        else
                length = snprintf(profile->path, sizeof(profile->path), "%s", path);
        return length < 0 || (size_t)length >= sizeof(profile->path) ? -EINVAL : 0;
}

static int choose_profiles(struct proof_evidence *evidence, const struct catalog *paths)
{
        const char *list = evidence->options->profiles, *option;

        for (size_t i = 0; i < N_DEFAULTS; i++) {
                struct hot__profile profile;
                const char *path;

                if (find_profile(list, defaults[i], &profile) < 0)
                        return -EINVAL;
                if (list && !is_listed(list, profile.name))
                        continue;
                path = path_of(paths, profile.name, &option);
                if (!path[0]) {
                        skip(evidence, profile.name, "no path for it: %s PATH gives one", option);
                        continue;
                }
                if (set_path(&profile, path) < 0)
                        return -EINVAL;
                if (!profile.patient || profile.body != HOT__BODY_ANY)
                        profile.status = 0; /* the trial tells */
                if (evidence->options->timeout > 0)
                        profile.timeout = profile.connect_timeout = evidence->options->timeout;
                evidence->profiles[evidence->n_profiles++] = profile;
        }
        return evidence->n_profiles > 0 ? 0 : -EINVAL;
}

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

/* Returns whether the profile can be used. */
static bool judge(struct proof_evidence *evidence, struct hot__profile *profile,
                  const struct trial *trial)
{
        if (profile->keep_alive && trial->ok > 1 && trial->announced >= trial->ok) {
                skip(evidence, profile->name,
                     "the server keeps no connection: it closes after each answer");
                return false;
        }
        if (profile->depth > 1 && trial->failed > 0) {
                skip(evidence, profile->name,
                     "the server does not answer requests that are "
                     "written at once, not even without a restart");
                return false;
        }
        if ((profile->body != HOT__BODY_ANY) && trial->status >= 400) {
                skip(evidence, profile->name, "%s is answered with %d", profile->path,
                     trial->status);
                return false;
        }
        profile->status = trial->status;
        if (trial->outcome != HOT__OUTCOME_WRONG_BYTES || trial->ok > 0)
                return true;
        /* Another server than ours: its answer to an upload says nothing, a file has to stay the same. */
        profile->unchecked = profile->body == HOT__BODY_ECHO;
        profile->has_known = profile->body == HOT__BODY_PATTERN && trial->same;
        profile->unchecked |= profile->body == HOT__BODY_PATTERN && !trial->same;
        profile->known_size = trial->bytes;
        profile->known_hash = trial->hash;
        return true;
}

/* The pattern has no hash: what is no pattern is asked for as anything. */
static int try_download(struct rehearsal *rehearsal, const struct hot__profile *profile,
                        struct trial *ret)
{
        struct hot__profile anything = *profile;
        int r = try_profile(rehearsal, profile, 1, HOT__IDENTIFY_HEADERS, ret);

        if (r < 0 || ret->ok > 0 || ret->outcome != HOT__OUTCOME_WRONG_BYTES)
                return r;
        anything.unchecked = true;
        r = try_profile(rehearsal, &anything, 2, HOT__IDENTIFY_HEADERS, ret);
        ret->outcome = HOT__OUTCOME_WRONG_BYTES;
        ret->ok = 0;
        return r;
}

static int try_one(struct rehearsal *rehearsal, struct hot__profile *profile, bool *ret_usable)
{
        struct trial trial;
        int r;

        *ret_usable = true;
        if (strcmp(profile->name, "slow") == 0)
                return 0; /* it takes long, and is a GET as any other */
        if (profile->body == HOT__BODY_PATTERN)
                r = try_download(rehearsal, profile, &trial);
        else
                r = try_profile(rehearsal, profile, profile->depth > 1 ? profile->depth * 2 : 3,
                                HOT__IDENTIFY_HEADERS, &trial);
        if (r < 0)
                return r;
        *ret_usable = judge(rehearsal->evidence, profile, &trial);
        return 0;
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
                if (evidence->profiles[i].body == HOT__BODY_ANY && !evidence->profiles[i].patient)
                        return evidence->profiles[i].path;
        return evidence->options->get ? evidence->options->get : "/";
}

static int try_all(struct rehearsal *rehearsal)
{
        struct proof_evidence *evidence = rehearsal->evidence;
        size_t kept = 0;
        bool usable;
        int r;

        for (size_t i = 0; i < evidence->n_profiles; i++) {
                r = try_one(rehearsal, &evidence->profiles[i], &usable);
                if (r < 0)
                        return r;
                if (usable)
                        evidence->profiles[kept++] = evidence->profiles[i];
        }
        evidence->n_profiles = kept;
        return kept > 0 ? 0 : -ENOTSUP;
}

int rehearsal_run(struct proof_evidence *evidence, const struct hot__target *target,
                  uint64_t deadline)
{
        struct rehearsal rehearsal = {.evidence = evidence, .target = target};
        uint64_t limit = hot__clock_now() + PROOF_SECOND;
        struct hot__profile simple;
        struct catalog paths = {0};
        struct trial headers, pid;
        int r;

        if (check_list(evidence->options->profiles) < 0)
                return -EINVAL;
        /* The catalog is asked for in plain text: a server that speaks TLS needs the paths as options. */
        if (evidence->tls || catalog_fetch(target, limit < deadline ? limit : deadline, &paths) < 0)
                paths = (struct catalog){0};
        choose_paths(evidence, &paths);
        r = choose_profiles(evidence, &paths);
        if (r < 0)
                return r;
        hot__profile_parse("new", &simple);
        if (set_path(&simple, paths.get) < 0)
                return -EINVAL;
        simple.status = 0;
        r = try_profile(&rehearsal, &simple, 3, HOT__IDENTIFY_HEADERS, &headers);
        if (r == 0 && headers.ok == 0 && headers.failed > 0)
                r = reason_for_nothing(&headers);
        if (r == 0)
                r = try_profile(&rehearsal, &simple, 1, HOT__IDENTIFY_PID, &pid);
        if (r == 0)
                choose_identity(evidence, target, &headers, &pid);
        return r == 0 ? try_all(&rehearsal) : r;
}
