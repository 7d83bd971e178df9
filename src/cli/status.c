/* SPDX-License-Identifier: MIT */
/*
 * status: what a server has to say about all its generations; without a TARGET every server of the user.
 */
#include "verb.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "outcome.h"
#include "overview.h"
#include "servers.h"
#include "target.h"

/* How often --watch looks. */
#define INTERVAL_MS 1000

const char status_detail[] =
        "TARGET is a pid, a PID file or a control socket. Without one: every server of this user.\n"
        "\n"
        "  --json   as JSON\n"
        "  --watch  every second, until interrupted\n";

struct wish {
        bool json, watch;
        const char *target; /* NULL: every server */
};

enum { OPTION_JSON = 1, OPTION_WATCH };

static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"watch", no_argument, NULL, OPTION_WATCH},
        {NULL, 0, NULL, 0},
};

static int parse(int argc, char **argv, struct wish *ret)
{
        int id;

        *ret = (struct wish){0};
        opterr = 0;
        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (id == OPTION_JSON)
                        ret->json = true;
                else if (id == OPTION_WATCH)
                        ret->watch = true;
                else
                        return wrong_use("status has no such option: %s", argv[optind - 1]);
        }
        if (argc - optind > 1)
                return wrong_use("status takes one TARGET at most");
        ret->target = argv[optind];
        return 0;
}

/* Returns 0 and gives the answer, or the exit status. */
static int ask(struct talk *talk, json_t **ret)
{
        json_t *answer = NULL;
        int r = talk_ask(talk, "status"), status = 0;

        if (r == 0)
                r = talk_hear(talk, TALK_PATIENCE_MS, &answer);
        if (r != 0)
                return complain("the server did not answer: %s",
                                words_for(r == TALK_END ? -ECONNRESET : r));
        if (!talk_is(answer, "status"))
                status = refuse("%s", talk_text(answer, "message", "the server refused"));
        if (status == 0)
                *ret = answer;
        else
                json_decref(answer);
        return status;
}

static int print_report(const json_t *answer)
{
        int r = overview_print(answer);

        return r < 0 ? complain("%s", strerror(-r)) : 0;
}

static int show_one(const char *text, bool json)
{
        struct target target;
        struct talk talk;
        json_t *answer = NULL;
        int status = target_open(text, TALK_PATIENCE_MS, &target, &talk);

        if (status != 0)
                return status;
        status = ask(&talk, &answer);
        if (status == 0 && json)
                print_json(answer);
        else if (status == 0)
                status = print_report(answer);
        json_decref(answer);
        talk_close(&talk);
        target_close(&target);
        return status;
}

static int show_among(struct talk *talk, json_t *all, bool first)
{
        json_t *answer = NULL;
        int status = ask(talk, &answer);

        if (status != 0)
                return status;
        if (all)
                return json_array_append_new(all, answer) < 0 ? complain("out of memory") : 0;
        if (!first)
                putchar('\n');
        status = print_report(answer);
        json_decref(answer);
        return status;
}

/* One that ends meanwhile does not keep the others from being shown. */
static int show_all(bool json)
{
        json_t *all = json ? json_array() : NULL;
        struct talk *talks = NULL;
        int n = servers_find(TALK_PATIENCE_MS, &talks), worst = 0;

        if (n < 0)
                worst = complain("%s", strerror(-n));
        for (int i = 0; i < n; i++) {
                int status = show_among(&talks[i], all, i == 0);

                if (status > worst)
                        worst = status;
        }
        if (json)
                print_json(all);
        else if (n == 0)
                fputs("hotstart: no server of this user has a control socket\n", stderr);
        json_decref(all);
        servers_close(talks, n > 0 ? (size_t)n : 0);
        return worst;
}

static int show(const struct wish *wish)
{
        return wish->target ? show_one(wish->target, wish->json) : show_all(wish->json);
}

/* Until the server is gone, or somebody has seen enough. */
static int watch(const struct wish *wish)
{
        bool terminal = isatty(STDOUT_FILENO) && !wish->json;

        for (;;) {
                int status;

                if (terminal)
                        fputs("\033[H\033[2J", stdout);
                status = show(wish);
                if (status != 0 || fflush(stdout) != 0)
                        return status;
                poll(NULL, 0, INTERVAL_MS);
                if (!terminal && !wish->json)
                        putchar('\n');
        }
}

int verb_status(int argc, char **argv)
{
        struct wish wish;
        int status = parse(argc, argv, &wish);

        if (status != 0)
                return status;
        return wish.watch ? watch(&wish) : show(&wish);
}
