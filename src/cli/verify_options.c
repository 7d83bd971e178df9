/* SPDX-License-Identifier: MIT */
#include "verify_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "verb.h"
#include "verify_probation.h"

#define RESTARTS_MAX 100000
#define SEED_PORT    9999

const char verify_detail[] =
        "Sends several kinds of traffic at once to a server, restarts it again and again, never\n"
        "retries, and says what became of every request, process and descriptor.\n"
        "\n"
        "  --restarts N            how often (10)\n"
        "  --every SECONDS         from one restart to the next (1)\n"
        "  --restart-cmd CMD       what restarts it; SIGUSR2 to the serving process otherwise\n"
        "  --url URL               where to send requests; the program's first listener otherwise\n"
        "  --tls                   that listener speaks TLS, as https:// says of a URL\n"
        "  --pid PID, --pid-file FILE   the server, when it runs already\n"
        "  --get PATH              for the simple requests (/, or what /.hotstart names)\n"
        "  --slow PATH             a response that takes long\n"
        "  --post PATH             takes an upload\n"
        "  --download PATH         a large body\n"
        "  --websocket PATH        a WebSocket that sends back what it gets\n"
        "  --events PATH           a stream of events (text/event-stream)\n"
        "  --profile LIST          new,busy,think,pipelined,slow,upload,download,http2,websocket,\n"
        "                          events; NAME:KEY=VALUE,… changes the numbers of one, as in\n"
        "                          think:clients=200\n"
        "  --identify HOW          tell generations by headers, pid, body or kernel (auto)\n"
        "  --overlap SECONDS       how long two generations may answer at once (0.25)\n"
        "  --timeout SECONDS       for one request (30)\n"
        "  --strict                clients that were forced to reconnect count as suffering\n"
        "  --fault FAULT           crash-before-ready, hang, crash-after=S, kill-old, kill-new,\n"
        "                          double-trigger or fd-limit=N, to a server that is started here\n"
        "  --json                  the result as JSON\n"
        "  --report FILE.html      one page with everything\n"
        "  --junit FILE.xml        for CI systems\n"
        "  --quiet, --verbose      no progress bar; what the program prints to stderr\n"
        "  --experiment            one slow request, one restart, three tables, a verdict for "
        "each\n"
        "                          question; --port PORT (9999) --delay SECONDS (4) --limit "
        "SECONDS\n"
        "                          (30) [-- program]: demo beside this program otherwise\n"
        "\n"
        "Exit status: 0 clean, 1 something suffered, 2 wrong use, 3 it could not run.\n";

enum option_id {
        OPTION_RESTARTS = 1,
        OPTION_EVERY,
        OPTION_RESTART_CMD,
        OPTION_URL,
        OPTION_PID,
        OPTION_PID_FILE,
        OPTION_GET,
        OPTION_SLOW,
        OPTION_POST,
        OPTION_DOWNLOAD,
        OPTION_WEBSOCKET,
        OPTION_EVENTS,
        OPTION_PROFILE,
        OPTION_IDENTIFY,
        OPTION_OVERLAP,
        OPTION_TIMEOUT,
        OPTION_TLS,
        OPTION_STRICT,
        OPTION_FAULT,
        OPTION_JSON,
        OPTION_REPORT,
        OPTION_JUNIT,
        OPTION_QUIET,
        OPTION_VERBOSE,
        OPTION_EXPERIMENT,
        OPTION_PORT,
        OPTION_DELAY,
        OPTION_LIMIT,
};

static const struct option long_options[] = {
        {"restarts", required_argument, NULL, OPTION_RESTARTS},
        {"every", required_argument, NULL, OPTION_EVERY},
        {"restart-cmd", required_argument, NULL, OPTION_RESTART_CMD},
        {"url", required_argument, NULL, OPTION_URL},
        {"pid", required_argument, NULL, OPTION_PID},
        {"pid-file", required_argument, NULL, OPTION_PID_FILE},
        {"get", required_argument, NULL, OPTION_GET},
        {"slow", required_argument, NULL, OPTION_SLOW},
        {"post", required_argument, NULL, OPTION_POST},
        {"download", required_argument, NULL, OPTION_DOWNLOAD},
        {"websocket", required_argument, NULL, OPTION_WEBSOCKET},
        {"events", required_argument, NULL, OPTION_EVENTS},
        {"profile", required_argument, NULL, OPTION_PROFILE},
        {"identify", required_argument, NULL, OPTION_IDENTIFY},
        {"overlap", required_argument, NULL, OPTION_OVERLAP},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"tls", no_argument, NULL, OPTION_TLS},
        {"strict", no_argument, NULL, OPTION_STRICT},
        {"fault", required_argument, NULL, OPTION_FAULT},
        {"json", no_argument, NULL, OPTION_JSON},
        {"report", required_argument, NULL, OPTION_REPORT},
        {"junit", required_argument, NULL, OPTION_JUNIT},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"verbose", no_argument, NULL, OPTION_VERBOSE},
        {"experiment", no_argument, NULL, OPTION_EXPERIMENT},
        {"port", required_argument, NULL, OPTION_PORT},
        {"delay", required_argument, NULL, OPTION_DELAY},
        {"limit", required_argument, NULL, OPTION_LIMIT},
        {NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, unsigned long lowest, unsigned long highest,
                         unsigned int *ret)
{
        unsigned long number;
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno || *end || number < lowest || number > highest)
                return false;
        *ret = (unsigned int)number;
        return true;
}

static bool parse_seconds(const char *text, double lowest, double highest, uint64_t *ret)
{
        char *end;
        double seconds;

        if ((*text < '0' || *text > '9') && *text != '.')
                return false;
        seconds = strtod(text, &end);
        if (end == text || *end || !isfinite(seconds) || seconds < lowest || seconds > highest)
                return false;
        *ret = (uint64_t)(seconds * (double)PROOF_SECOND);
        return true;
}

static bool parse_identify(const char *text, enum proof_identify *ret)
{
        static const char *const names[] = {
                [PROOF_IDENTIFY_AUTO] = "auto",     [PROOF_IDENTIFY_HEADERS] = "headers",
                [PROOF_IDENTIFY_PID] = "pid",       [PROOF_IDENTIFY_BODY] = "body",
                [PROOF_IDENTIFY_KERNEL] = "kernel",
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strcmp(text, names[i]) == 0) {
                        *ret = (enum proof_identify)i;
                        return true;
                }
        return false;
}

/* A path that would break the request line is none. */
static bool parse_path(const char *text, const char **ret)
{
        if (*text != '/' || strlen(text) > 190)
                return false;
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~')
                        return false;
        *ret = text;
        return true;
}

static bool apply_path(struct proof_options *proof, int id, const char *value)
{
        switch (id) {
        case OPTION_GET:
                return parse_path(value, &proof->get);
        case OPTION_SLOW:
                return parse_path(value, &proof->slow);
        case OPTION_POST:
                return parse_path(value, &proof->post);
        case OPTION_WEBSOCKET:
                return parse_path(value, &proof->websocket);
        case OPTION_EVENTS:
                return parse_path(value, &proof->events);
        default:
                return parse_path(value, &proof->download);
        }
}

static bool apply_proof(struct proof_options *proof, int id, const char *value)
{
        unsigned int number;

        switch (id) {
        case OPTION_RESTARTS:
                return parse_number(value, 1, RESTARTS_MAX, &proof->restarts);
        case OPTION_EVERY:
                return parse_seconds(value, 0.001, 3600, &proof->every);
        case OPTION_RESTART_CMD:
                proof->restart_command = value;
                return *value != '\0';
        case OPTION_URL:
                proof->url = value;
                return *value != '\0';
        case OPTION_PID:
                if (!parse_number(value, 1, 1 << 22, &number))
                        return false;
                proof->pid = (pid_t)number;
                return true;
        case OPTION_PID_FILE:
                proof->pid_file = value;
                return *value != '\0';
        case OPTION_PROFILE:
                proof->profiles = value;
                return *value != '\0';
        case OPTION_IDENTIFY:
                return parse_identify(value, &proof->identify);
        case OPTION_OVERLAP:
                return parse_seconds(value, 0, 3600, &proof->overlap);
        case OPTION_TIMEOUT:
                return parse_seconds(value, 0.01, 3600, &proof->timeout);
        case OPTION_FAULT:
                return fault_parse(value, &proof->fault, &proof->fault_value) == 0;
        default:
                return apply_path(proof, id, value);
        }
}

static bool apply(struct verify_options *options, int id, const char *value)
{
        switch (id) {
        case OPTION_TLS:
                options->proof.tls = true;
                return true;
        case OPTION_STRICT:
                options->proof.strict = true;
                return true;
        case OPTION_JSON:
                options->json = true;
                return true;
        case OPTION_REPORT:
                options->report = value;
                return *value != '\0';
        case OPTION_JUNIT:
                options->junit = value;
                return *value != '\0';
        case OPTION_QUIET:
                options->proof.quiet = true;
                return true;
        case OPTION_VERBOSE:
                options->proof.verbose = true;
                return true;
        case OPTION_EXPERIMENT:
                options->experiment = true;
                return true;
        case OPTION_PORT:
                return parse_number(value, 0, 65535, &options->port);
        case OPTION_DELAY:
                return parse_number(value, 1, 3600, &options->delay);
        case OPTION_LIMIT:
                return parse_number(value, 1, 3600, &options->limit);
        default:
                return apply_proof(&options->proof, id, value);
        }
}

/* Options that make no sense together, or not alone. */
static int check(const struct verify_options *options)
{
        const struct proof_options *proof = &options->proof;

        if (options->experiment)
                return 0;
        if (!proof->program && !proof->url)
                return wrong_use("verify takes a program after --, or --url");
        if (!proof->program && !proof->restart_command && !proof->pid && !proof->pid_file)
                return wrong_use(
                        "--url takes --restart-cmd, --pid or --pid-file as well: how is it "
                        "restarted?");
        if (!proof->program && proof->fault != PROOF_FAULT_NONE)
                return wrong_use("--fault is for a server that is started here");
        if (proof->program && proof->pid)
                return wrong_use("--pid is for a server that runs already");
        return 0;
}

int verify_options_parse(int argc, char **argv, struct verify_options *ret)
{
        struct verify_options options = {
                .proof = {.restarts = 10,
                          .every = PROOF_SECOND,
                          .overlap = PROOF_OVERLAP_DEFAULT,
                          .probation = verify_probation},
                .port = SEED_PORT,
                .delay = 4,
                .limit = 30,
        };
        int id, index = 0, r;

        opterr = 0;
        optind = 0;
        while ((id = getopt_long(argc, argv, "+", long_options, &index)) != -1) {
                if (id == '?')
                        return wrong_use("unknown option, or one without its value: %s",
                                         argv[optind > 0 ? optind - 1 : 0]);
                if (!apply(&options, id, optarg))
                        return wrong_use("--%s: not understood: %s", long_options[index].name,
                                         optarg);
        }
        if (optind < argc)
                options.proof.program = argv + optind;
        r = check(&options);
        if (r != 0)
                return r;
        *ret = options;
        return 0;
}
