/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <err.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Zero would mean the default. */
static unsigned int milliseconds(const char *text)
{
        char *end;
        double seconds = strtod(text, &end);

        if (end == text || *end || !(seconds >= 0 && seconds <= 1e6))
                errx(2, "%s: not a number of seconds", text);
        return seconds > 0 ? (unsigned int)ceil(seconds * 1000) : HOT_NONE;
}

void arguments_read(struct arguments *arguments, int argc, char **argv, const char *address)
{
        static const struct option known[] = {{"listen", required_argument, NULL, 'l'},
                                              {"probation", required_argument, NULL, 'p'},
                                              {"drain", required_argument, NULL, 'd'},
                                              {0}};
        bool wrong = false;
        int id;

        *arguments = (struct arguments){
                .address = address, .options = {.size = sizeof(struct hot_options), .control = ""}};
        while ((id = getopt_long(argc, argv, "", known, NULL)) != -1) {
                if (id == 'l')
                        arguments->address = optarg;
                else if (id == 'p')
                        arguments->options.probation_ms = milliseconds(optarg);
                else if (id == 'd')
                        arguments->options.drain_ms = milliseconds(optarg);
                else
                        wrong = true;
        }
        if (wrong || optind != argc)
                errx(2, "usage: [--listen ADDRESS] [--probation SECONDS] [--drain SECONDS]");
}
