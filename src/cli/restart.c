/* SPDX-License-Identifier: MIT */
/*
 * restart: ask for one, wait, and say how it ended. The server does the work; when this program is killed
 * meanwhile, the restart goes on.
 */
#include "verb.h"

#include <getopt.h>
#include <stdio.h>

#include "complain.h"
#include "drain.h"
#include "outcome.h"
#include "target.h"

const char restart_detail[] =
        "TARGET is a pid, a PID file or a control socket.\n"
        "\n"
        "  --force       end the oldest generation rather than wait for it\n"
        "  --no-capture  leave the new process its standard error\n"
        "  --wait-drain  wait until no older generation is left\n"
        "  --json        the outcome as JSON\n"
        "\n"
        "Exit status: 0 committed, 1 refused or rolled back, 2 wrong use, 3 out of reach.\n";

struct wish {
        bool force, capture, wait_drain, json;
};

enum { OPTION_FORCE = 1, OPTION_NO_CAPTURE, OPTION_WAIT_DRAIN, OPTION_JSON };

static const struct option options[] = {
        {"force", no_argument, NULL, OPTION_FORCE},
        {"no-capture", no_argument, NULL, OPTION_NO_CAPTURE},
        {"wait-drain", no_argument, NULL, OPTION_WAIT_DRAIN},
        {"json", no_argument, NULL, OPTION_JSON},
        {NULL, 0, NULL, 0},
};

static int parse(int argc, char **argv, struct wish *ret)
{
        int id;

        *ret = (struct wish){.capture = true};
        opterr = 0; /* one line, with the hint, is ours to say */
        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (id) {
                case OPTION_FORCE:
                        ret->force = true;
                        break;
                case OPTION_NO_CAPTURE:
                        ret->capture = false;
                        break;
                case OPTION_WAIT_DRAIN:
                        ret->wait_drain = true;
                        break;
                case OPTION_JSON:
                        ret->json = true;
                        break;
                default:
                        return wrong_use("restart has no such option: %s", argv[optind - 1]);
                }
        }
        if (argc - optind != 1)
                return wrong_use("restart takes one TARGET: a pid, a PID file or a control socket");
        return 0;
}

/* The one that we talked to is gone, and did not say. Whoever serves now can be named, and no more. */
static int complain_silence(const struct target *target, int error)
{
        struct target anybody = *target;
        struct talk talk;
        int r;

        anybody.pid = 0;
        r = target_open_again(&anybody, TALK_PATIENCE_MS, &talk);
        if (r < 0)
                return complain("the server ended before it said how the restart went (%s), and "
                                "nobody answers in its place",
                                error == TALK_END ? "it closed the connection" : words_for(error));
        complain("the server ended before it said how the restart went; generation "
                 "%" JSON_INTEGER_FORMAT " (pid %" JSON_INTEGER_FORMAT ") answers now",
                 talk_number(talk.hello, "generation", 0), talk_number(talk.hello, "pid", 0));
        talk_close(&talk);
        return EXIT_SYSTEM;
}

static int ask_and_await(const struct target *target, struct talk *talk, const struct wish *wish,
                         json_t **ret_outcome)
{
        char request[64];
        int r;

        snprintf(request, sizeof(request), "restart%s%s", wish->force ? " force" : "",
                 wish->capture ? " capture" : "");
        r = talk_ask(talk, request);
        if (r == 0)
                r = outcome_await(talk, wish->json, ret_outcome);
        return r == 0 ? 0 : complain_silence(target, r);
}

int verb_restart(int argc, char **argv)
{
        struct target target;
        struct wish wish;
        struct talk talk;
        json_t *outcome = NULL;
        int status = parse(argc, argv, &wish);

        if (status == 0)
                status = target_open(argv[optind], TALK_PATIENCE_MS, &target, &talk);
        if (status != 0)
                return status;
        status = ask_and_await(&target, &talk, &wish, &outcome);
        if (status == 0)
                status = outcome_print(outcome, wish.json);
        if (status == 0 && wish.wait_drain) {
                fflush(stdout);
                status = drain_await(&target, &talk, outcome);
        }
        json_decref(outcome);
        talk_close(&talk);
        target_close(&target);
        return status;
}
