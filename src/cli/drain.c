/* SPDX-License-Identifier: MIT */
#include "drain.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bar.h"
#include "complain.h"
#include "verb.h"

/* How often to look. */
#define INTERVAL_MS 100

/* What the older generations still have. */
struct rest {
        size_t generations;
        json_int_t work;        /* connections where the server counts them, else what is held */
        json_int_t deadline_ms; /* the latest; -1: none */
};

static json_int_t work_of(const json_t *generation)
{
        return talk_number(json_object_get(generation, "figures"), "connections",
                           talk_number(generation, "held", 0));
}

static struct rest measure(const json_t *status, json_int_t committed)
{
        const json_t *generations = json_object_get(status, "generations");
        struct rest rest = {.deadline_ms = -1};

        for (size_t i = 0; i < json_array_size(generations); i++) {
                const json_t *one = json_array_get(generations, i);
                json_int_t deadline = talk_number(one, "deadline_ms", -1);

                if (talk_number(one, "generation", 0) >= committed)
                        continue;
                rest.generations++;
                rest.work += work_of(one);
                if (deadline > rest.deadline_ms)
                        rest.deadline_ms = deadline;
        }
        return rest;
}

static void show(const struct rest *rest, json_int_t *most)
{
        char text[160], deadline[48] = "";

        if (rest->work > *most)
                *most = rest->work;
        if (rest->deadline_ms >= 0)
                snprintf(deadline, sizeof(deadline), ", %" JSON_INTEGER_FORMAT " s at most",
                         (rest->deadline_ms + 999) / 1000);
        snprintf(text, sizeof(text), "%zu draining, %" JSON_INTEGER_FORMAT " left%s",
                 rest->generations, rest->work, deadline);
        bar_show((unsigned long)(*most - rest->work), (unsigned long)*most, text);
}

/* The connection goes from generation to generation; if one of them dies with it, there is a new one. */
static int ask_status(const struct target *target, struct talk *talk, json_t **ret)
{
        for (unsigned int tries = 0;; tries++) {
                int r = talk->fd < 0 ? target_open_again(target, TALK_PATIENCE_MS, talk) : 0;

                if (r == 0)
                        r = talk_status(talk, ret);
                if (r == 0)
                        return 0;
                talk_close(talk);
                if (tries == 3)
                        return r == TALK_END ? -ECONNRESET : r;
        }
}

static int complain_lost(const json_t *status, json_int_t committed, json_int_t pid)
{
        return refuse("generation %" JSON_INTEGER_FORMAT " (pid %" JSON_INTEGER_FORMAT
                      ") did not last: generation %" JSON_INTEGER_FORMAT
                      " (pid %" JSON_INTEGER_FORMAT ") serves now",
                      committed, pid, talk_number(status, "generation", 0),
                      talk_number(status, "pid", 0));
}

/* Is it another process that serves under its number, or an older one? */
static bool is_lost(const json_t *status, json_int_t committed, json_int_t pid)
{
        json_int_t serving = talk_number(status, "generation", 0);

        return serving < committed ||
               (serving == committed && talk_number(status, "pid", 0) != pid);
}

int drain_await(const struct target *target, struct talk *talk, const json_t *outcome)
{
        json_int_t committed = talk_number(outcome, "generation", 0);
        json_int_t pid = talk_number(outcome, "pid", 0), most = 0;
        struct target again = *target;
        int status = -1;

        /* Whoever answers there is the server, and none of its processes need be one of those before. */
        again.pid = 0;
        while (status < 0) {
                struct rest rest;
                json_t *answer;
                int r = ask_status(&again, talk, &answer);

                if (r < 0) {
                        bar_end();
                        return complain("generation %" JSON_INTEGER_FORMAT
                                        " serves, but cannot be asked whether others drain: %s",
                                        committed, words_for(r));
                }
                rest = measure(answer, committed);
                if (is_lost(answer, committed, pid)) {
                        bar_end();
                        status = complain_lost(answer, committed, pid);
                } else if (rest.generations == 0) {
                        status = 0;
                } else {
                        show(&rest, &most);
                }
                json_decref(answer);
                if (status < 0)
                        poll(NULL, 0, INTERVAL_MS);
        }
        bar_end();
        return status;
}
