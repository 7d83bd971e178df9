/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include <stdio.h>
#include <string.h>

#include "complain.h"
#include "verb.h"

void print_json(const json_t *value)
{
        json_dumpf(value, stdout, JSON_COMPACT);
        putchar('\n');
}

/* How many bytes the character at @text has if it controls a terminal: C0, DEL, or C1 as UTF-8 has it. */
static size_t control_len(const char *text)
{
        unsigned char c = (unsigned char)text[0];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
                return 1;
        return c == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80 ? 2 : 0;
}

void print_safely(FILE *stream, const char *text)
{
        while (*text) {
                size_t n = control_len(text);

                fputc(n ? '?' : *text, stream);
                text += n ? n : 1;
        }
}

static void print_quoted(FILE *stream, const char *text)
{
        char line[1024];

        while (*text) {
                size_t n = strcspn(text, "\n");

                snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1),
                         text);
                fputs("  | ", stream);
                print_safely(stream, line);
                fputc('\n', stream);
                text += n + (text[n] == '\n');
        }
}

int outcome_await(struct talk *talk, bool quiet, json_t **ret)
{
        for (;;) {
                json_t *answer;
                int r = talk_hear(talk, -1, &answer);

                if (r != 0)
                        return r;
                if (talk_is(answer, "restart") || talk_is(answer, "error")) {
                        *ret = answer;
                        return 0;
                }
                if (talk_is(answer, "waiting") && !quiet)
                        complain("%s", talk_text(answer, "message", "the restart waits"));
                json_decref(answer);
        }
}

static void print_committed(const json_t *outcome)
{
        printf("generation %" JSON_INTEGER_FORMAT " serves: pid %" JSON_INTEGER_FORMAT ", ",
               talk_number(outcome, "generation", 0), talk_number(outcome, "pid", 0));
        fputs("program ", stdout);
        print_safely(stdout, talk_text(outcome, "program", "?"));
        printf(", build id %s\n", talk_text(outcome, "build_id", "none"));
}

static void print_rolled_back(const json_t *outcome)
{
        const char *tail = talk_text(outcome, "stderr", "");
        const json_t *serving = json_object_get(outcome, "serving");

        refuse("rolled back: %s", talk_text(outcome, "message", talk_text(outcome, "step", "?")));
        if (*tail) {
                refuse("the last that it wrote to standard error:");
                print_quoted(stderr, tail);
        }
        if (json_is_object(serving))
                refuse("generation %" JSON_INTEGER_FORMAT " (pid %" JSON_INTEGER_FORMAT
                       ") serves on",
                       talk_number(serving, "generation", 0), talk_number(serving, "pid", 0));
}

int outcome_print(const json_t *outcome, bool json)
{
        bool committed = strcmp(talk_text(outcome, "outcome", ""), "committed") == 0;

        if (json)
                print_json(outcome);
        if (talk_is(outcome, "error"))
                return refuse("%s", talk_text(outcome, "message", "the server refused"));
        if (committed && !json)
                print_committed(outcome);
        else if (!committed && !json &&
                 strcmp(talk_text(outcome, "outcome", ""), "rolled-back") == 0)
                print_rolled_back(outcome);
        else if (!committed && !json)
                refuse("%s", talk_text(outcome, "message", "the restart was given up"));
        return committed ? 0 : EXIT_NO;
}
