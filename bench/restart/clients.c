/* SPDX-License-Identifier: MIT */
/*
 * clients: the traffic of bench/restart. src/verify's clients, and the latencies around a restart apart from
 * the steady ones.
 *
 *     clients --target ADDRESS --profile SPEC [--profile SPEC]… [--rate N]
 *
 * ADDRESS, SPEC and the outcomes of requests are those of the tests' own load (tests/helpers/load.c): never a
 * retry, and one request at a time on a connection. Clients that think want their next request so long after they
 * wanted the last one, however long its answer took, and a latency counts from that moment.
 *
 *   --rate N   the clients of the first profile together want N requests a second, at random moments: think=
 *              cannot say less than a millisecond
 *
 * Reads lines from standard input, times in CLOCK_MONOTONIC ns:
 *   around FROM TO    answers that were wanted or came in this time were around a restart
 *   ignore FROM TO    these count for no latency
 *   count FROM TO     say how many answers came in this time
 * and at its end starts no request any more. Prints "ready" once every client is under way, a line for each
 * generation's first answer (generation N pid P time T), and at the end one line of JSON:
 *   {"sent": N, "counted": N, "failed": {CLASS: N, …}, "reconnects": {KIND: N, …},
 *    "steady": {"count": N, "p50": NS, "p99": NS, "p999": NS, "max": NS}, "around": {the same}}
 * Latencies are of the keep-alive profiles; where they must connect again, that is part of it.
 */
#include "load.h"

#include "clock.h"
#include "samples.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

/* Turns in a row without a look at the input. */
#define HURRIED_MAX 64

struct program {
        struct hot__load_options options;
        struct hot__profile profiles[HOT__PROFILES_MAX];
        double rate; /* 0: as the profile says */
        struct hot__load *load;
        struct samples *samples;
        bool at_end; /* of the input */
        uint64_t count_from, count_to;
        char line[256];
        size_t line_size;
        unsigned int n_hurried; /* turns that found something due */
};

static void die(const char *what, int error)
{
        fprintf(stderr, "clients: %s: %s\n", what, strerror(error));
        exit(1);
}

/* ---- what the load tells ---- */

static void on_record(void *data, const struct hot__record *record)
{
        struct program *program = data;

        if (record->outcome != HOT__OUTCOME_OK || !program->profiles[record->profile].keep_alive)
                return;
        if (samples_add(program->samples, record->due, record->end) < 0)
                die("samples", ENOMEM);
}

static void on_generation(void *data, const struct hot__generation *generation)
{
        (void)data;
        printf("generation %" PRIu64 " pid %d time %" PRIu64 "\n", generation->number,
               generation->pid, generation->first);
        fflush(stdout);
}

static void on_ready(void *data)
{
        (void)data;
        puts("ready");
        fflush(stdout);
}

/* ---- the input ---- */

static void obey(struct program *program, const char *line)
{
        static const char *const names[] = {
                [STRETCH_AROUND] = "around",
                [STRETCH_IGNORE] = "ignore",
        };
        uint64_t from, to;
        char name[8];

        if (sscanf(line, "%7s %" SCNu64 " %" SCNu64, name, &from, &to) != 3)
                die(line, EINVAL);
        if (strcmp(name, "count") == 0) {
                program->count_from = from;
                program->count_to = to;
                return;
        }
        for (int i = STRETCH_AROUND; i < STRETCH_COUNT; i++) {
                if (strcmp(name, names[i]) != 0)
                        continue;
                if (samples_mark(program->samples, (enum stretch)i, from, to) < 0)
                        die("marks", ENOMEM);
                return;
        }
        die(line, EINVAL);
}

static void obey_lines(struct program *program)
{
        char *end;

        while ((end = memchr(program->line, '\n', program->line_size))) {
                size_t used = (size_t)(end - program->line) + 1;

                *end = '\0';
                obey(program, program->line);
                program->line_size -= used;
                memmove(program->line, program->line + used, program->line_size);
        }
        if (program->line_size == sizeof(program->line))
                die("a line is too long", EINVAL);
}

static void read_input(struct program *program)
{
        ssize_t n = read(STDIN_FILENO, program->line + program->line_size,
                         sizeof(program->line) - program->line_size);

        if (n > 0) {
                program->line_size += (size_t)n;
                obey_lines(program);
        } else if (n == 0) {
                program->at_end = true;
                hot__load_stop(program->load);
        } else if (errno != EINTR) {
                die("stdin", errno);
        }
}

/* ---- the run ---- */

/* Returns true if there is input. Under load something is due at once, and asking costs as much as a request. */
static bool wait_for_something(struct program *program)
{
        struct pollfd polled[2];
        uint64_t at = hot__load_deadline(program->load), present = hot__clock_now();
        uint64_t left = at > present ? at - present : 0;
        struct timespec timeout = {.tv_sec = (time_t)(left / SECOND),
                                   .tv_nsec = (long)(left % SECOND)};

        polled[0] = (struct pollfd){.fd = hot__load_fd(program->load), .events = POLLIN};
        polled[1] = (struct pollfd){.fd = program->at_end ? -1 : STDIN_FILENO, .events = POLLIN};
        if (left == 0 && ++program->n_hurried % HURRIED_MAX != 0)
                return false;
        if (ppoll(polled, 2, at == UINT64_MAX ? NULL : &timeout, NULL) < 0)
                return false;
        return polled[1].revents != 0;
}

static void run(struct program *program)
{
        int r;

        while (!hot__load_is_done(program->load)) {
                if (wait_for_something(program))
                        read_input(program);
                r = hot__load_process(program->load);
                if (r < 0)
                        die("load", -r);
        }
}

/* ---- what was seen ---- */

static void print_latencies(const struct program *program, const char *name, enum stretch stretch)
{
        struct samples_summary summary;

        if (samples_summarize(program->samples, stretch, &summary) < 0)
                die("samples", ENOMEM);
        printf(", \"%s\": {\"count\": %zu, \"p50\": %" PRIu64 ", \"p99\": %" PRIu64
               ", \"p999\": %" PRIu64 ", \"max\": %" PRIu64 "}",
               name, summary.count, summary.p50, summary.p99, summary.p999, summary.highest);
}

static void print_summary(const struct program *program)
{
        struct hot__tally_profile sum;
        const char *separator = "";

        hot__tally_sum(hot__load_tally(program->load), &sum);
        printf("{\"sent\": %" PRIu64 ", \"counted\": %zu, \"failed\": {", hot__tally_sent(&sum),
               samples_ended(program->samples, program->count_from, program->count_to));
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++) {
                if (!hot__outcome_is_failure((enum hot__outcome)i) || sum.outcomes[i] == 0)
                        continue;
                printf("%s\"%s\": %" PRIu64, separator, hot__outcome_name(i), sum.outcomes[i]);
                separator = ", ";
        }
        printf("}, \"reconnects\": {");
        separator = "";
        for (int i = 0; i < HOT__RECONNECT_COUNT; i++) {
                if (sum.reconnects[i] == 0)
                        continue;
                printf("%s\"%s\": %" PRIu64, separator, hot__reconnect_name(i), sum.reconnects[i]);
                separator = ", ";
        }
        printf("}");
        print_latencies(program, "steady", STRETCH_STEADY);
        print_latencies(program, "around", STRETCH_AROUND);
        printf("}\n");
}

/* ---- the command line ---- */

static void usage(const char *what)
{
        fprintf(stderr,
                "clients: %s\n"
                "usage: clients --target ADDRESS --profile SPEC [--profile SPEC]... [--rate N]\n",
                what);
        exit(2);
}

static void add_profile(struct program *program, const char *text)
{
        if (program->options.n_profiles == HOT__PROFILES_MAX)
                usage("too many profiles");
        if (hot__profile_parse(text, &program->profiles[program->options.n_profiles]) < 0)
                usage(text);
        program->options.n_profiles++;
}

static void parse_arguments(struct program *program, int argc, char **argv)
{
        static const struct option options[] = {
                {"target", required_argument, NULL, 't'},
                {"profile", required_argument, NULL, 'p'},
                {"rate", required_argument, NULL, 'r'},
                {NULL, 0, NULL, 0},
        };
        int id;

        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (id == 't')
                        program->options.target = optarg;
                else if (id == 'p')
                        add_profile(program, optarg);
                else if (id == 'r')
                        program->rate = strtod(optarg, NULL);
                else
                        usage("not understood");
        }
        if (optind < argc || !program->options.target || program->options.n_profiles == 0)
                usage("a target and a profile are needed, and no more");
}

/* Uniform from 0 to twice the mean. */
static void spread(struct hot__profile *profile, double rate)
{
        profile->think_lowest = 0;
        profile->think_highest = (uint64_t)(2 * (double)profile->clients / rate * (double)SECOND);
}

static void raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("getrlimit", errno);
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
        static struct program program = {.options.slack = SECOND / 20};
        int r;

        parse_arguments(&program, argc, argv);
        if (program.rate > 0)
                spread(&program.profiles[0], program.rate);
        raise_limit();
        signal(SIGPIPE, SIG_IGN);
        program.samples = samples_new();
        if (!program.samples)
                die("samples", ENOMEM);
        program.options.profiles = program.profiles;
        program.options.observer = (struct hot__observer){
                .record = on_record,
                .generation = on_generation,
                .ready = on_ready,
                .data = &program,
        };
        r = hot__load_new(&program.load, &program.options);
        if (r < 0)
                die(program.options.target, -r);
        run(&program);
        print_summary(&program);
        hot__load_free(program.load);
        samples_free(program.samples);
        return 0;
}
