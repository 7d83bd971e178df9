/* SPDX-License-Identifier: MIT */
/*
 * load: real clients against a server, for the system tests. The command line around src/verify's
 * engine.
 *
 *     load --target ADDRESS --profile NAME[:KEY=VALUE,…] [--profile …] [--duration S] [--until-eof]
 *          [--records FILE] [--identify headers|pid|body] [--slack MS]
 *
 * It never retries. A client has one connection and one request (pipelined: one batch) at a time;
 * each request ends in exactly one outcome. After a failed request its client waits 10 ms before
 * the next, so that a server that is down is not flooded.
 *
 *   --target ADDRESS   tcp:HOST:PORT (also tcp://HOST:PORT, HOST:PORT) or unix:/PATH, unix:@NAME
 *   --profile SPEC     repeatable, up to 16. Names:
 *       new        a new connection for each request         GET /test     clients=1
 *       busy       keep-alive, the next request at once      GET /test
 *       think      keep-alive, think=MS-MS between requests  GET /test     think=0-100
 *       slow       keep-alive, a response that takes long    GET /hello    timeout=60000
 *       upload     keep-alive, a body of bytes=N sent in     POST /echo    bytes=4096,piece=512,
 *                  pieces of piece=N every every=MS; the                   every=10
 *                  answer must be "LENGTH SHA256HEX"
 *       download   keep-alive, bytes=N read in pieces of     GET /blob     bytes=1048576,
 *                  piece=N every every=MS with a small                     piece=65536,every=10
 *                  buffer; byte i must be 'A' + i % 23
 *       pipelined  keep-alive, depth=N requests written at   GET /test     depth=4
 *                  once, then all answers read
 *       http2      the same as streams of HTTP/2             GET /test     depth=4
 *       websocket  depth=N numbered messages of bytes=N      /ws           depth=4,bytes=64
 *                  that are to come back in their order
 *       events     a stream of events with numbered ids      GET /events   timeout=30000
 *     Keys, all optional, for every profile where they make sense:
 *       clients=N  path=/X (download appends ?bytes=N unless the path has a '?')  bytes=N  piece=N
 *       every=MS  think=MS-MS  depth=N (1 to 16)  connect=MS (5000)  status=CODE (200)
 *       timeout=MS (30000; head to end, what pacing needs is added)
 *       expect=TEXT (the exact body of every answer; no ',')
 *       requests=N (each client ends after N; default: goes on)
 *   --duration S       stop after S seconds (a fraction is fine)
 *   --until-eof        stop when stdin is at its end
 *                      SIGTERM and SIGINT stop too, always; a second one gives up at once (exit 3).
 *                      Without either option it goes on until a signal or until every client has
 *                      done its requests=N.
 *   --records FILE     one line for each request, see below
 *   --identify HOW     who answered: headers (X-Generation and X-Pid; default), pid (each new X-Pid
 *                      is one generation more), body (each body not seen before is one generation
 *                      more)
 *   --slack MS         see "stale" below; default 50
 *
 * Told to stop, it starts no request, lets those in flight end (each is bounded by its timeout),
 * prints the summary and exits: 0 when it ran, whatever it saw; 2 wrong use; 3 could not run.
 *
 * stdout, each line flushed:
 *   ready                           once every client has sent a request, and every client of new,
 *                                   busy, think and pipelined has ended one
 *   generation N pid P time T       a generation answers for the first time; T is CLOCK_MONOTONIC
 *                                   ns (the answer's first byte), as are all times here. P is 0 if
 *                                   it is unknown
 *   {…}                             the last line, one JSON object:
 *
 *   {"began": T, "ended": T,
 *    "requests": {"sent": N, "ok": N, "unserved": N, "failed_total": N,
 *                 "failed": {"refused": N, "connect_timeout": N, "reset": N, "cut": N,
 *                            "keepalive_race": N, "timeout": N, "malformed": N, "wrong_status": N,
 *                            "wrong_bytes": N, "gap": N, "duplicate": N, "client": N}},
 *    "reconnects": {"announced": N, "idle": N, "reset": N, "goaway": N, "close_frame": N,
 *                   "stream_end": N, "other": N},
 *    "overlapped": N, "stale": N,
 *    "generations": [{"generation": N, "pid": P, "answers": N, "first": T, "last": T}, …],
 *    "profiles": [{"name": "new", "clients": N, "path": "/test",
 *                  "requests": {as above}, "reconnects": {as above}, "overlapped": N, "stale": N,
 *                  "bytes": N,
 *                  "generations": [{"generation": N, "pid": P, "answers": N}, …],
 *                  "latency": {"count": N, "min": NS, "p50": NS, "p90": NS, "p99": NS, "p999": NS,
 *                              "max": NS}}, …]}
 *
 *   sent = ok + unserved + failed_total, always. The top level is the sum of the profiles.
 *   refused          nobody took the connection (ECONNREFUSED, a UNIX path that nobody listens at)
 *   connect_timeout  connect() did not end within connect=MS
 *   reset            closed or reset before a byte of the answer, on a connection that had not
 *                    answered before
 *   cut              closed or reset in the middle of the answer
 *   keepalive_race   closed or reset under a request that had been written, before a byte of the
 *                    answer, on a connection that had answered before
 *   timeout          no complete answer in time
 *   malformed        the answer is not HTTP, or there are bytes after its end
 *   wrong_status     a complete answer with another status than status=CODE
 *   wrong_bytes      a complete answer whose length, bytes or checksum are not what they must be
 *   gap              a message or an event that never came, although a later one did
 *   duplicate        a message or an event that came once more
 *   client           this client ran out of ports, descriptors or memory: nothing is known of the
 *                    server
 *   unserved         not a failure: pipelined behind an answer with `Connection: close`, so that
 *                    the client knows it was not served (RFC 9112, 9.3.2)
 *   reconnects       keep-alive profiles only: the client wanted to keep the connection and could
 *                    not. announced (`Connection: close`, or HTTP/1.0), idle (closed between two
 *                    requests), reset (the same, with a reset), goaway (HTTP/2), close_frame
 *                    (WebSocket), stream_end (events), other (lost with a failed request, or bytes
 *                    that nobody asked for)
 *   overlapped       began under one generation and ended (whatever the outcome) after a newer one
 *                    had answered somebody; in the records: 0 < under < latest
 *   stale            answered by an older generation, although connect() began more than --slack
 *                    after the first answer of a newer one: two generations accept at once
 *   latency          of the ok ones, from the moment the client wanted the request (connect
 *                    included)
 *
 * Records are tab-separated; the first line names the columns. A time is 0 if it did not come to
 * that:
 *   profile client connection connect due sent first_byte end outcome generation pid status bytes
 *   under latest
 *   connection  counts the connections of this run from 1; the same number is the same connection
 *   connect     when connect() of the connection that carried it began (of a kept connection: long
 *               ago)
 *   due         when the client wanted the request
 *   sent        when the last byte of its head had been given to the kernel
 *   outcome     ok, unserved or a class of "failed"
 *   generation  that answered, 0 if unknown (pid too)
 *   bytes       of body received
 *   under       the newest generation that had answered anybody when the head was sent, 0 for none
 *               yet
 *   latest      the same when the request ended
 */
#include "load.h"

#include "clock.h"
#include "load_summary.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

enum {
        EXIT_RAN = 0,
        EXIT_USAGE = 2,
        EXIT_COULD_NOT = 3,
};

struct program {
        struct hot__load_options options;
        struct hot__profile profiles[HOT__PROFILES_MAX];
        struct hot__load *load;
        uint64_t duration; /* ns; 0: no limit */
        uint64_t stop_at;  /* CLOCK_MONOTONIC ns; UINT64_MAX: no limit */
        bool until_eof;
        const char *records_path;
        FILE *records;
        int signal_fd;
        int n_signals;
};

/* ---- what the engine reports while it runs ---- */

static uint64_t number_at(const struct program *program, size_t position)
{
        const struct hot__generation *generation =
                hot__generations_get(&hot__load_tally(program->load)->generations, position);

        return generation ? generation->number : 0;
}

static pid_t pid_at(const struct program *program, size_t position)
{
        const struct hot__generation *generation =
                hot__generations_get(&hot__load_tally(program->load)->generations, position);

        return generation ? generation->pid : 0;
}

static void on_record(void *data, const struct hot__record *record)
{
        const struct program *program = data;

        fprintf(program->records, "%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64,
                program->profiles[record->profile].name, record->client, record->connection,
                record->connect, record->due, record->sent);
        fprintf(program->records, "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%" PRIu64 "\t%d",
                record->first_byte, record->end, hot__outcome_name((int)record->outcome),
                number_at(program, record->answered_by), pid_at(program, record->answered_by));
        fprintf(program->records, "\t%d\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", record->status,
                record->bytes, number_at(program, record->under),
                number_at(program, record->latest));
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

/* ---- the command line ---- */

static int usage(const char *problem, const char *subject)
{
        fprintf(stderr, "load: %s%s\n", problem, subject);
        fprintf(stderr, "usage: load --target ADDRESS --profile NAME[:KEY=VALUE,...]... "
                        "[--duration S] [--until-eof] [--records FILE] "
                        "[--identify headers|pid|body] [--slack MS]\n");
        return EXIT_USAGE;
}

static bool parse_decimal(const char *text, double highest, double *ret)
{
        char *end;
        double number;

        if (*text < '0' || *text > '9')
                return false;
        number = strtod(text, &end);
        if (*end != '\0' || number > highest)
                return false;
        *ret = number;
        return true;
}

static bool parse_identify(const char *text, enum hot__identify *ret)
{
        static const char *const names[] = {
                [HOT__IDENTIFY_HEADERS] = "headers",
                [HOT__IDENTIFY_PID] = "pid",
                [HOT__IDENTIFY_BODY] = "body",
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (strcmp(text, names[i]) == 0) {
                        *ret = (enum hot__identify)i;
                        return true;
                }
        }
        return false;
}

static bool add_profile(struct program *program, const char *text)
{
        size_t *count = &program->options.n_profiles;

        if (*count == HOT__PROFILES_MAX || hot__profile_parse(text, &program->profiles[*count]) < 0)
                return false;
        (*count)++;
        return true;
}

static bool apply(struct program *program, int option, const char *value)
{
        const double week = 7 * 24 * 3600;
        double number;

        switch (option) {
        case 't':
                program->options.target = value;
                return true;
        case 'p':
                return add_profile(program, value);
        case 'd':
                if (!parse_decimal(value, week, &number))
                        return false;
                program->duration = (uint64_t)(number * (double)SECOND);
                return true;
        case 'e':
                program->until_eof = true;
                return true;
        case 'r':
                program->records_path = value;
                return true;
        case 'i':
                return parse_identify(value, &program->options.identify);
        case 's':
                if (!parse_decimal(value, week * 1000, &number))
                        return false;
                program->options.slack = (uint64_t)(number * 1e6);
                return true;
        default:
                return false;
        }
}

static int parse_arguments(struct program *program, int argc, char **argv)
{
        static const struct option options[] = {
                {"target", required_argument, NULL, 't'},
                {"profile", required_argument, NULL, 'p'},
                {"duration", required_argument, NULL, 'd'},
                {"until-eof", no_argument, NULL, 'e'},
                {"records", required_argument, NULL, 'r'},
                {"identify", required_argument, NULL, 'i'},
                {"slack", required_argument, NULL, 's'},
                {0},
        };
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (!apply(program, option, optarg))
                        return usage("not understood: ", argv[optind - 1]);
        if (optind < argc)
                return usage("not understood: ", argv[optind]);
        if (!program->options.target)
                return usage("--target is missing", "");
        if (program->options.n_profiles == 0)
                return usage("--profile is missing", "");
        return EXIT_RAN;
}

/* ---- the run ---- */

static int could_not(const char *what, int error)
{
        fprintf(stderr, "load: %s: %s\n", what, strerror(error));
        return EXIT_COULD_NOT;
}

static int open_signals(struct program *program)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        program->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return program->signal_fd < 0 ? -errno : 0;
}

static int set_up(struct program *program)
{
        int r;

        signal(SIGPIPE, SIG_IGN);
        if (program->records_path) {
                program->records = fopen(program->records_path, "we");
                if (!program->records)
                        return could_not(program->records_path, errno);
                fputs("profile\tclient\tconnection\tconnect\tdue\tsent\tfirst_byte\tend\toutcome\t"
                      "generation\tpid\tstatus\tbytes\tunder\tlatest\n",
                      program->records);
                program->options.observer.record = on_record;
        }
        r = open_signals(program);
        if (r < 0)
                return could_not("signalfd", -r);
        program->options.profiles = program->profiles;
        program->options.observer.generation = on_generation;
        program->options.observer.ready = on_ready;
        program->options.observer.data = program;
        r = hot__load_new(&program->load, &program->options);
        if (r < 0)
                return could_not(program->options.target, -r);
        program->stop_at =
                program->duration > 0 ? hot__clock_now() + program->duration : UINT64_MAX;
        return EXIT_RAN;
}

static bool stdin_is_at_end(void)
{
        char bytes[512];

        return read(STDIN_FILENO, bytes, sizeof(bytes)) <= 0;
}

static void look_for_reasons_to_stop(struct program *program, const struct pollfd *polled)
{
        struct signalfd_siginfo info;
        bool stop = hot__clock_now() >= program->stop_at;

        if (polled[1].revents != 0 && read(program->signal_fd, &info, sizeof(info)) > 0) {
                program->n_signals++;
                stop = true;
        }
        if (polled[2].revents != 0 && stdin_is_at_end()) {
                program->until_eof = false;
                stop = true;
        }
        if (!stop)
                return;
        program->stop_at = UINT64_MAX;
        hot__load_stop(program->load);
}

static void wait_for_something(struct program *program, struct pollfd *polled)
{
        uint64_t at = hot__load_deadline(program->load), present = hot__clock_now(), left;
        struct timespec timeout;

        if (program->stop_at < at)
                at = program->stop_at;
        left = at > present ? at - present : 0;
        timeout.tv_sec = (time_t)(left / SECOND);
        timeout.tv_nsec = (long)(left % SECOND);
        polled[0] = (struct pollfd){.fd = hot__load_fd(program->load), .events = POLLIN};
        polled[1] = (struct pollfd){.fd = program->signal_fd, .events = POLLIN};
        polled[2] = (struct pollfd){.fd = program->until_eof ? STDIN_FILENO : -1, .events = POLLIN};
        if (ppoll(polled, 3, at == UINT64_MAX ? NULL : &timeout, NULL) < 0)
                polled[0].revents = polled[1].revents = polled[2].revents = 0;
}

static int run(struct program *program)
{
        struct pollfd polled[3];
        int r;

        while (!hot__load_is_done(program->load)) {
                wait_for_something(program, polled);
                look_for_reasons_to_stop(program, polled);
                if (program->n_signals > 1)
                        return could_not("given up by a second signal", EINTR);
                r = hot__load_process(program->load);
                if (r < 0)
                        return could_not("load", -r);
        }
        load_summary_print(stdout, hot__load_tally(program->load), program->profiles);
        return EXIT_RAN;
}

static int tear_down(struct program *program, int status)
{
        program->load = hot__load_free(program->load);
        if (program->signal_fd >= 0)
                close(program->signal_fd);
        if (program->records && fclose(program->records) != 0)
                status = could_not(program->records_path, errno);
        if (fflush(stdout) != 0 || ferror(stdout))
                status = could_not("stdout", errno);
        return status;
}

int main(int argc, char **argv)
{
        struct program program = {.signal_fd = -1, .options.slack = SECOND / 20};
        int status;

        status = parse_arguments(&program, argc, argv);
        if (status != EXIT_RAN)
                return status;
        status = set_up(&program);
        if (status == EXIT_RAN)
                status = run(&program);
        return tear_down(&program, status);
}
