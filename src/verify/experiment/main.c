/* SPDX-License-Identifier: MIT */
/*
 * experiment: what `make demo` runs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"

#define SEED_PORT 9999

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static const char usage[] =
        "Usage: experiment [--demo PROGRAM] [--port PORT] [--delay SECONDS] [--limit SECONDS]\n"
        "\n"
        "Restarts a server while it answers a slow request and shows what becomes of every "
        "descriptor.\n"
        "\n"
        "  --demo PROGRAM   the server (demo, beside this program)\n"
        "  --port PORT      where it listens on 127.0.0.1 (9999); when taken, or 0: a free one\n"
        "  --delay SECONDS  how long the slow request takes (4)\n"
        "  --limit SECONDS  when to give up (30)\n"
        "\n"
        "Exit status: 0 if the answer to every question is yes, 1 if not, 2 on a wrong use.\n";

static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
        char *end;
        unsigned long number;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno || end == text || *end || text[0] == '-' || number > max)
                return false;
        *ret = number;
        return true;
}

/* Returns -1 to go on, or an exit status. */
static int parse(int argc, char **argv, struct experiment_options *options)
{
        static const struct option names[] = {
                {"demo", required_argument, NULL, 'd'},  {"port", required_argument, NULL, 'p'},
                {"delay", required_argument, NULL, 's'}, {"limit", required_argument, NULL, 'l'},
                {"help", no_argument, NULL, 'h'},        {0},
        };
        unsigned long number = 0;
        int option;

        while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
                bool good = true;

                switch (option) {
                case 'd':
                        options->demo = optarg;
                        break;
                case 'p':
                        good = parse_number(optarg, UINT16_MAX, &number);
                        options->port = (uint16_t)number;
                        break;
                case 's':
                        good = parse_number(optarg, 3600, &number) && number > 0;
                        options->delay = (unsigned int)number;
                        break;
                case 'l':
                        good = parse_number(optarg, 3600, &number) && number > 0;
                        options->time_limit = (unsigned int)number;
                        break;
                case 'h':
                        fputs(usage, stdout);
                        return EXIT_YES;
                default:
                        fputs("experiment --help tells the options\n", stderr);
                        return EXIT_USAGE;
                }
                if (!good) {
                        fprintf(stderr, "experiment: %s: not a number in range\n", optarg);
                        return EXIT_USAGE;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "experiment: %s: takes no arguments\n", argv[optind]);
                return EXIT_USAGE;
        }
        return -1;
}

int main(int argc, char **argv)
{
        struct experiment_options options = {
                .port = SEED_PORT,
                .delay = 4,
                .time_limit = 30,
        };
        int r = parse(argc, argv, &options);

        if (r >= 0)
                return r;
        /* What is written is seen when it happens, also through a pipe. */
        setvbuf(stdout, NULL, _IOLBF, 0);
        r = experiment_run(&options);
        if (r == -EINTR)
                return EXIT_INTERRUPTED;
        return r == 1 ? EXIT_YES : EXIT_NO;
}
