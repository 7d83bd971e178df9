/* SPDX-License-Identifier: MIT */
/*
 * commit and abort: the word that a restart waits for on a server that was told to ask. Both wait for what
 * comes of it, so what they say is how it ended.
 */
#include "verb.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "complain.h"
#include "outcome.h"
#include "servers.h"
#include "target.h"

const char decide_detail[] = "TARGET is a pid, a PID file or a control socket. Without one: the "
                             "only server of this user that\n"
                             "has such a restart.\n"
                             "\n"
                             "  --json  the outcome as JSON\n";

static int parse(int argc, char **argv, bool *ret_json)
{
        static const struct option options[] = {
                {"json", no_argument, NULL, 'j'},
                {NULL, 0, NULL, 0},
        };
        int id;

        *ret_json = false;
        opterr = 0;
        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (id != 'j')
                        return wrong_use("%s has no such option: %s", argv[0], argv[optind - 1]);
                *ret_json = true;
        }
        if (argc - optind > 1)
                return wrong_use("%s takes one TARGET at most", argv[0]);
        return 0;
}

/* Does the server have a restart that waits for the word? */
static bool is_held(struct talk *talk)
{
        json_t *status = NULL;
        bool held =
                talk_status(talk, &status) == 0 && json_is_true(json_object_get(status, "held"));

        json_decref(status);
        return held;
}

/* Without a TARGET: the only server that waits. */
static int open_waiting(struct talk *ret)
{
        struct talk *talks = NULL;
        int n = servers_find(TALK_PATIENCE_MS, &talks), waiting = -1, status = 0;

        for (int i = 0; i < n && status == 0; i++) {
                if (!is_held(&talks[i]))
                        continue;
                if (waiting >= 0)
                        status = wrong_use("more than one server waits: a TARGET is needed");
                waiting = i;
        }
        if (status == 0 && waiting < 0)
                status = n < 0 ? complain("%s", strerror(-n))
                               : refuse("no server of this user has a restart that waits");
        if (status == 0) {
                *ret = talks[waiting];
                talks[waiting] = (struct talk){.fd = -1};
        }
        servers_close(talks, n > 0 ? (size_t)n : 0);
        return status;
}

static int say(struct talk *talk, const char *word, json_t **ret)
{
        int r = talk_ask(talk, word);

        if (r == 0)
                r = outcome_await(talk, true, ret);
        if (r == 0)
                return 0;
        return complain("the server ended before it said how the restart went (%s)",
                        r == TALK_END ? "it closed the connection" : words_for(r));
}

/* A restart that was to be given up and was is a success. */
static int print_aborted(const json_t *outcome, bool json)
{
        if (strcmp(talk_text(outcome, "outcome", ""), "rolled-back") != 0)
                return outcome_print(outcome, json) == 0
                               ? refuse("it was too late: the restart is committed")
                               : EXIT_NO;
        if (json)
                print_json(outcome);
        else
                puts("aborted");
        return 0;
}

static int decide(int argc, char **argv, const char *word)
{
        struct target target = {.directory = -1};
        struct talk talk;
        json_t *outcome = NULL;
        bool json;
        int status = parse(argc, argv, &json);

        if (status == 0)
                status = optind < argc ? target_open(argv[optind], TALK_PATIENCE_MS, &target, &talk)
                                       : open_waiting(&talk);
        if (status != 0)
                return status;
        status = say(&talk, word, &outcome);
        if (status == 0)
                status = strcmp(word, "abort") == 0 ? print_aborted(outcome, json)
                                                    : outcome_print(outcome, json);
        json_decref(outcome);
        talk_close(&talk);
        target_close(&target);
        return status;
}

int verb_commit(int argc, char **argv)
{
        return decide(argc, argv, "commit");
}

int verb_abort(int argc, char **argv)
{
        return decide(argc, argv, "abort");
}
