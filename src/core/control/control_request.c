/* SPDX-License-Identifier: MIT */
#include "control_request.h"

#include <errno.h>
#include <string.h>

struct verb {
        const char *name;
        enum hot__request_verb verb;
        const char *words[2]; /* what may follow */
};

static const struct verb verbs[] = {
        {"status", HOT__REQUEST_STATUS, {NULL, NULL}},
        {"restart", HOT__REQUEST_RESTART, {"force", "capture"}},
        {"stop", HOT__REQUEST_STOP, {"now", NULL}},
        {"commit", HOT__REQUEST_COMMIT, {NULL, NULL}},
        {"abort", HOT__REQUEST_ABORT, {NULL, NULL}},
        {"events", HOT__REQUEST_EVENTS, {NULL, NULL}},
};

struct word {
        const char *at;
        size_t len;
};

/* The next word, and what is left behind it. Words are parted by spaces; a carriage return ends a line too,
 * for those who type into a terminal. */
static struct word next_word(const char **line, size_t *left)
{
        struct word word;

        while (*left > 0 && (**line == ' ' || **line == '\r')) {
                (*line)++;
                (*left)--;
        }
        word = (struct word){*line, 0};
        while (word.len < *left && word.at[word.len] != ' ' && word.at[word.len] != '\r')
                word.len++;
        *line += word.len;
        *left -= word.len;
        return word;
}

static bool is(struct word word, const char *name)
{
        return name && strlen(name) == word.len && memcmp(word.at, name, word.len) == 0;
}

static const struct verb *find_verb(struct word word)
{
        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
                if (is(word, verbs[i].name))
                        return &verbs[i];
        return NULL;
}

int hot__request_parse(const char *line, size_t len, struct hot__request *ret)
{
        struct word word = next_word(&line, &len);
        const struct verb *verb = find_verb(word);
        struct hot__request request;

        if (!verb)
                return -EINVAL;
        request = (struct hot__request){.verb = verb->verb};
        for (word = next_word(&line, &len); word.len > 0; word = next_word(&line, &len)) {
                if (!is(word, verb->words[0]) && !is(word, verb->words[1]))
                        return -EINVAL;
                request.force |= is(word, "force");
                request.capture |= is(word, "capture");
                request.now |= is(word, "now");
        }
        *ret = request;
        return 0;
}
