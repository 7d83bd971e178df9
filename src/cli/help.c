/* SPDX-License-Identifier: MIT */
/*
 * help: what there is, from the table of verbs alone, so that it cannot name what is not there.
 */
#include "verb.h"

#include <stdio.h>

static int print_list(void)
{
        puts("usage: hotstart VERB [ARGUMENT]...\n\nverbs:");
        for (const struct verb *verb = verbs; verb->name; verb++)
                printf("  %-9s %s\n", verb->name, verb->summary);
        puts("\n`hotstart help VERB` explains a verb; hotstart(1) has it all.");
        return 0;
}

static int print_verb(const struct verb *verb)
{
        printf("usage: hotstart %s%s%s\n\n%s\n", verb->name, *verb->arguments ? " " : "",
               verb->arguments, verb->summary);
        if (*verb->detail)
                printf("\n%s", verb->detail);
        return 0;
}

int verb_help(int argc, char **argv)
{
        const struct verb *verb;

        if (argc == 1)
                return print_list();
        if (argc > 2)
                return wrong_use("help takes one verb, not %d", argc - 1);
        verb = find_verb(argv[1]);
        return verb ? print_verb(verb) : unknown_verb(argv[1]);
}
