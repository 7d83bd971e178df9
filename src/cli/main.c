/* SPDX-License-Identifier: MIT */
/*
 * hotstart: a table of verbs and its dispatch. What a verb does is in its own file; what is here is the same
 * for all of them: finding one, `--help` after one, and noticing that what was printed did not arrive.
 */
#include "verb.h"
#include "verify_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
        {"abort", "[TARGET]", "give up a restart that waits for the word", decide_detail,
         verb_abort},
        {"commit", "[TARGET]", "let a restart go on that waits for the word", decide_detail,
         verb_commit},
        {"fds", "[OPTION]...", "show what processes have open, across generations",
         "hotstart-fds(1) has the options.\n", verb_fds},
        {"doctor", "[--all] [--json] [TARGET]", "say what will break at the next restart",
         doctor_detail, verb_doctor},
        {"help", "[VERB]", "list the verbs, or explain one", "", verb_help},
        {"lsof", "[OPTION]... [NAME]...", "list open files, in the language of lsof 4.95",
         "Started under the name lsof the program is this verb. hotstart-lsof(1) has its "
         "options.\n",
         verb_lsof},
        {"restart", "[OPTION]... TARGET", "restart a server, wait, and say how it ended",
         restart_detail, verb_restart},
        {"status", "[OPTION]... [TARGET]", "show the generations of a server, or of every one",
         status_detail, verb_status},
        {"stop", "[OPTION]... TARGET", "stop a server, and wait until it is gone", stop_detail,
         verb_stop},
        {"verify", "[OPTION]... [-- PROGRAM [ARGUMENT]...]",
         "prove that a server can be restarted under traffic", verify_detail, verb_verify},
        {"version", "", "print the version of the library", "", verb_version},
        {NULL, NULL, NULL, NULL, NULL},
};

const struct verb *find_verb(const char *name)
{
        for (const struct verb *verb = verbs; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "--help") == 0) {
                char *help[] = {(char[]){"help"}, argv[0], NULL};

                return verb_help(2, help);
        }
        return verb->run(argc, argv);
}

/* The verb that the program's own name is: lsof, for who has a link to it under that name. */
static const struct verb *verb_of_name(const char *program)
{
        const char *slash = strrchr(program, '/');

        return strcmp(slash ? slash + 1 : program, "lsof") == 0 ? find_verb("lsof") : NULL;
}

static int dispatch(int argc, char **argv)
{
        const struct verb *verb = argc > 0 ? verb_of_name(argv[0]) : NULL;

        if (verb)
                return verb->run(argc, argv);
        if (argc < 2)
                return wrong_use("a verb is missing");
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
                return verb_help(argc - 1, argv + 1);
        if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
                return verb_version(argc - 1, argv + 1);
        if (argv[1][0] == '-')
                return wrong_use("no such option: %s", argv[1]);
        verb = find_verb(argv[1]);
        if (!verb)
                return unknown_verb(argv[1]);
        return run_verb(verb, argc - 1, argv + 1);
}

/*
 * A full disk or a closed pipe shows only when the buffer is written, and a script that read half of an
 * answer must not be told that all is well.
 */
static int flush_stdout(int status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        fprintf(stderr, "hotstart: cannot write: %s\n", strerror(errno));
        return EXIT_SYSTEM;
}

int main(int argc, char **argv)
{
        return flush_stdout(dispatch(argc, argv));
}
