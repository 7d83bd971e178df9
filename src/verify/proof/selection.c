/* SPDX-License-Identifier: MIT */
#include "selection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is sent if nothing else is asked for: as many clients as show a fault, and no more. */
static const char *const defaults[] = {
        "new:clients=4",
        "busy:clients=4",
        "think:clients=64",
        "pipelined:clients=2",
        "slow:clients=4",
        "upload:clients=4",
        "download:clients=4",
        "http2:clients=4,think=0-40",
        "websocket:clients=8,think=0-40",
        "events:clients=8",
};

#define N_DEFAULTS (sizeof(defaults) / sizeof(*defaults))

void selection_skip(struct proof_evidence *evidence, const char *name, const char *format, ...)
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
static int find_profile(const char *list, const char *standard, struct hot__profile *ret,
                        bool *ret_has_path)
{
        size_t name = strcspn(standard, ":"), length;
        char text[512];

        *ret_has_path = false;
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
                *ret_has_path = strstr(text, ":path=") || strstr(text, ",path=");
                return hot__profile_parse(text, ret);
        }
        return hot__profile_parse(standard, ret);
}

/* Every name of the list must be one that there is. */
int selection_check(const char *list)
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

/* ---- paths ---- */

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
                {options->websocket, paths->websocket},
                {options->events, paths->events},
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
        const struct {
                const char *name, *option, *path;
        } own[] = {
                {"slow", "--slow", paths->slow},
                {"upload", "--post", paths->post},
                {"download", "--download", paths->download},
                {"websocket", "--websocket", paths->websocket},
                {"events", "--events", paths->events},
        };

        *ret_option = NULL;
        for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
                if (strcmp(name, own[i].name) == 0) {
                        *ret_option = own[i].option;
                        return own[i].path;
                }
        if (strcmp(name, "http2") == 0 && paths->http2[0])
                return paths->http2;
        return paths->get;
}

/*
 * Over TLS a server says whether it speaks HTTP/2. In plain text one has to begin with it, which a server that
 * does not know it may take for anything: so it is spoken where it was named.
 */
static bool is_out_of_place(const struct proof_evidence *evidence, const struct catalog *paths,
                            const struct hot__profile *profile)
{
        return profile->protocol == HOT__PROTOCOL_HTTP2 && !evidence->tls && !paths->http2[0] &&
               !evidence->options->profiles;
}

int selection_set_path(struct hot__profile *profile, const char *path)
{
        int length;

        if (profile->body == HOT__BODY_PATTERN && !strchr(path, '?'))
                length = snprintf(profile->path, sizeof(profile->path), "%s?bytes=%" PRIu64, path,
                                  profile->bytes);
        else
                length = snprintf(profile->path, sizeof(profile->path), "%s", path);
        return length < 0 || (size_t)length >= sizeof(profile->path) ? -EINVAL : 0;
}

/* A WebSocket begins with 101, a stream of events with 200. Anything else may answer as it likes. */
static bool has_any_status(const struct hot__profile *profile)
{
        return profile->protocol == HOT__PROTOCOL_HTTP1 || profile->protocol == HOT__PROTOCOL_HTTP2;
}

int selection_make(struct proof_evidence *evidence, struct catalog *paths)
{
        const char *list = evidence->options->profiles, *option = NULL;

        choose_paths(evidence, paths);
        for (size_t i = 0; i < N_DEFAULTS; i++) {
                struct hot__profile profile;
                const char *path;
                bool has_path;

                if (find_profile(list, defaults[i], &profile, &has_path) < 0)
                        return -EINVAL;
                if (list && !is_listed(list, profile.name))
                        continue;
                if (is_out_of_place(evidence, paths, &profile)) {
                        selection_skip(evidence, profile.name,
                                       "in plain text only where it is named: --profile http2");
                        continue;
                }
                path = has_path ? profile.path : path_of(paths, profile.name, &option);
                if (!path[0]) {
                        selection_skip(evidence, profile.name, "no path for it: %s PATH gives one",
                                       option);
                        continue;
                }
                if (!has_path && selection_set_path(&profile, path) < 0)
                        return -EINVAL;
                if (!hot__profile_is_slow(&profile) && has_any_status(&profile))
                        profile.status = 0; /* the trial tells */
                if (evidence->options->timeout > 0)
                        profile.timeout = profile.connect_timeout = evidence->options->timeout;
                evidence->profiles[evidence->n_profiles++] = profile;
        }
        return evidence->n_profiles > 0 ? 0 : -ENOTSUP;
}
