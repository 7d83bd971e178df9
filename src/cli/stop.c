/* SPDX-License-Identifier: MIT */
/*
 * stop: ask for it, and wait until the server is gone: the connection is closed when the generation that
 * serves has ended, and where its pids are ours too, those of the others are waited for as well.
 */
#include "verb.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "complain.h"
#include "outcome.h"
#include "target.h"

const char stop_detail[] = "TARGET is a pid, a PID file or a control socket.\n"
                           "\n"
                           "  --now   cut off what is in flight\n"
                           "  --json  the answer as JSON\n";

struct wish {
        bool now, json;
};

enum { OPTION_NOW = 1, OPTION_JSON };

static const struct option options[] = {
        {"now", no_argument, NULL, OPTION_NOW},
        {"json", no_argument, NULL, OPTION_JSON},
        {NULL, 0, NULL, 0},
};

static int parse(int argc, char **argv, struct wish *ret)
{
        int id;

        *ret = (struct wish){0};
        opterr = 0;
        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (id == OPTION_NOW)
                        ret->now = true;
                else if (id == OPTION_JSON)
                        ret->json = true;
                else
                        return wrong_use("stop has no such option: %s", argv[optind - 1]);
        }
        if (argc - optind != 1)
                return wrong_use("stop takes one TARGET: a pid, a PID file or a control socket");
        return 0;
}

/* Handles on the generations as they are now; -1 where there is none to be had, or none left. */
struct crowd {
        struct pollfd *processes;
        size_t n;
};

static int crowd_take(struct crowd *crowd, struct talk *talk)
{
        json_t *status = NULL;
        const json_t *generations;
        int r = talk_shares_pids(talk) ? talk_status(talk, &status) : 0;

        *crowd = (struct crowd){0};
        generations = json_object_get(status, "generations");
        if (json_array_size(generations) > 0) {
                crowd->processes = calloc(json_array_size(generations), sizeof(*crowd->processes));
                r = crowd->processes ? 0 : -ENOMEM;
        }
        for (; r == 0 && crowd->n < json_array_size(generations); crowd->n++) {
                pid_t pid = (pid_t)talk_number(json_array_get(generations, crowd->n), "pid", 0);

                crowd->processes[crowd->n] = (struct pollfd){
                        .fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1,
                        .events = POLLIN,
                };
        }
        json_decref(status);
        return r;
}

static void crowd_await_end(struct crowd *crowd)
{
        for (size_t i = 0; i < crowd->n; i++)
                while (crowd->processes[i].fd >= 0 && poll(&crowd->processes[i], 1, -1) < 0 &&
                       errno == EINTR)
                        ;
}

static void crowd_free(struct crowd *crowd)
{
        for (size_t i = 0; i < crowd->n; i++)
                if (crowd->processes[i].fd >= 0)
                        close(crowd->processes[i].fd);
        free(crowd->processes);
}

/* What the server says to it. Returns 0 and gives it, or the exit status. */
static int ask(struct talk *talk, const struct wish *wish, json_t **ret)
{
        json_t *answer = NULL;
        int r = talk_ask(talk, wish->now ? "stop now" : "stop"), status = 0;

        if (r == 0)
                r = talk_hear(talk, TALK_PATIENCE_MS, &answer);
        /* Told to stop at once it may be gone before it could say so. */
        if (r == TALK_END || r == -EPIPE || r == -ECONNRESET)
                return 0;
        if (r < 0)
                return complain("the server did not answer: %s", words_for(r));
        if (!talk_is(answer, "stopping"))
                status = refuse("%s", talk_text(answer, "message", "the server refused"));
        if (status == 0)
                *ret = answer;
        else
                json_decref(answer);
        return status;
}

/* Nothing more is to be said on the connection: it ends with the process. */
static int await_end(struct talk *talk)
{
        json_t *answer;
        int r;

        while ((r = talk_hear(talk, -1, &answer)) == 0)
                json_decref(answer);
        return r == TALK_END ? 0 : r;
}

int verb_stop(int argc, char **argv)
{
        struct crowd crowd = {0};
        struct target target;
        struct wish wish;
        struct talk talk;
        json_t *answer = NULL;
        int status = parse(argc, argv, &wish), r;

        if (status == 0)
                status = target_open(argv[optind], TALK_PATIENCE_MS, &target, &talk);
        if (status != 0)
                return status;
        r = crowd_take(&crowd, &talk);
        if (r != 0)
                status = complain("the server did not answer: %s",
                                  words_for(r == TALK_END ? -ECONNRESET : r));
        if (status == 0)
                status = ask(&talk, &wish, &answer);
        if (status == 0) {
                await_end(&talk);
                crowd_await_end(&crowd);
                if (!wish.json)
                        puts("stopped");
                else if (answer)
                        print_json(answer);
        }
        crowd_free(&crowd);
        json_decref(answer);
        talk_close(&talk);
        target_close(&target);
        return status;
}
