/* SPDX-License-Identifier: MIT */
/*
 * Wrong use: one line on stderr that says what is wrong and where to look, and the same exit status for
 * every verb.
 */
#include "verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
        WORD_MAX = 32,    /* longer words are nobody's slip of the finger */
        DISTANCE_MAX = 2, /* letters that may be wrong, missing or too many */
};

int wrong_use(const char *format, ...)
{
        va_list arguments;

        fputs("hotstart: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputs("; try `hotstart help`\n", stderr);
        return EXIT_USAGE;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
        unsigned int ab = a < b ? a : b;

        return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time; both words are at most WORD_MAX long. */
static unsigned int distance(const char *from, const char *to)
{
        unsigned int row[WORD_MAX + 1];
        size_t width = strlen(to);

        for (unsigned int i = 0; i <= width; i++)
                row[i] = i;
        for (unsigned int i = 1; from[i - 1]; i++) {
                unsigned int diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= width; j++) {
                        unsigned int above = row[j];
                        unsigned int other = from[i - 1] != to[j - 1];

                        row[j] = least(above + 1, row[j - 1] + 1, diagonal + other);
                        diagonal = above;
                }
        }
        return row[width];
}

const struct verb *nearest_verb(const char *name)
{
        const struct verb *nearest = NULL;
        unsigned int best = DISTANCE_MAX + 1;

        if (strlen(name) > WORD_MAX)
                return NULL;
        for (const struct verb *verb = verbs; verb->name; verb++) {
                unsigned int there = distance(name, verb->name);

                /* A word that shares no letter with the verb is not a misspelling of it. */
                if (there < best && there < strlen(verb->name)) {
                        best = there;
                        nearest = verb;
                }
        }
        return nearest;
}

int unknown_verb(const char *name)
{
        const struct verb *meant = nearest_verb(name);

        if (meant)
                return wrong_use("no such verb: %s (did you mean %s?)", name, meant->name);
        return wrong_use("no such verb: %s", name);
}
