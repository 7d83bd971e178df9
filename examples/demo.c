/* SPDX-License-Identifier: MIT */
/*
 * The seed's demo: a server whose answers say which process gave them, to watch a restart with.
 *
 *     build/demo --pid-file demo.pid &
 *     curl -i http://localhost:9999/hello &     # takes 20 s
 *     kill -USR2 $(cat demo.pid)                # a new generation serves, the old one finishes /hello
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <hotstart/http.h>

#include "counter.h"
#include "demo_batteries.h"
#include "demo_blob.h"
#include "demo_live.h"
#include "demo_page.h"

struct demo {
        struct hot_http_options options;
        struct demo_batteries batteries;
        char **addresses; /* lent by argv */
        size_t n_addresses;
        char **plain;
        size_t n_plain;
        struct hot_http_tls_options tls;
        char **certificates; /* pairs of files */
        size_t n_certificates;
        bool check; /* and do nothing else */
        struct timespec hello_delay;
        char started[32];
        uint64_t generation;
        bool stay;
        struct counter requests; /* answered by a handler, in all generations together */
};

static void test(const struct hot_http_request *request, struct hot_http_response *response,
                 void *data)
{
        const struct demo *demo = data;

        (void)request;
        counter_add(&demo->requests);
        hot_http_response_printf(response, "test 22222");
}

static void hello(const struct hot_http_request *request, struct hot_http_response *response,
                  void *data)
{
        struct demo *demo = data;

        (void)request;
        counter_add(&demo->requests);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &demo->hello_delay, NULL);
        hot_http_response_printf(response, "hello world233333!!!!");
}

static void generation(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        const struct demo *demo = data;

        (void)request;
        counter_add(&demo->requests);
        hot_http_response_header(response, "Content-Type", "application/json");
        hot_http_response_printf(response,
                                 "{\"pid\":%d,\"generation\":%" PRIu64
                                 ",\"started\":\"%s\",\"requests\":%" PRIu64 "}\n",
                                 (int)getpid(), demo->generation, demo->started,
                                 counter_read(&demo->requests));
}

/* The only one that does not count itself: who asks wants to know about the others. */
static void counter(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        const struct demo *demo = data;

        (void)request;
        hot_http_response_printf(response, "%" PRIu64 "\n", counter_read(&demo->requests));
}

/* The paths that `hotstart verify` may use. */
static void catalog(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        hot_http_response_header(response, "Content-Type", "application/json");
        hot_http_response_printf(
                response, "{\"get\":\"/test\",\"slow\":\"/hello\",\"post\":\"/echo\","
                          "\"download\":\"/blob\",\"http2\":\"/test\","
                          "\"websocket\":\"/ws\",\"events\":\"/events\",\"tunnel\":\"/tunnel\"}\n");
}

/* A large body takes a while to hash: on the pool. */
static void echo(const struct hot_http_request *request, struct hot_http_response *response,
                 void *data)
{
        const struct demo *demo = data;
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int digest_len = 0;
        size_t len;
        const char *body = hot_http_request_body(request, &len);

        counter_add(&demo->requests);
        if (EVP_Digest(body, len, digest, &digest_len, EVP_sha256(), NULL) != 1) {
                hot_http_response_status(response, 500);
                return;
        }
        hot_http_response_printf(response, "%zu ", len);
        for (unsigned int i = 0; i < digest_len; i++)
                hot_http_response_printf(response, "%02x", digest[i]);
        hot_http_response_printf(response, "\n");
}

/* The generation is known now; what every response says about it is set once. */
static int before_serving(struct hot_http *server, const char *address, void *data)
{
        struct demo *demo = data;
        char number[24];
        int r;

        (void)address;
        if (demo->generation)
                return 0; /* another listener of the same server */
        demo->generation = hot_http_generation(server);
        r = counter_open(&demo->requests, hot_http_hot(server), "requests");
        if (r < 0)
                return r;
        snprintf(number, sizeof(number), "%" PRIu64, demo->generation);
        r = hot_http_add_header(server, "X-Generation", number);
        if (r < 0)
                return r;
        snprintf(number, sizeof(number), "%d", (int)getpid());
        return hot_http_add_header(server, "X-Pid", number);
}

static const char help[] =
        "Usage: demo [OPTION]...\n"
        "Serve a page at / that watches restarts, live.\n"
        "GET /test, /hello, /generation, /counter, /blob?bytes=N and POST /echo.\n"
        "For machines: /metrics, /health/live, /health/ready; POST /upload takes any size.\n"
        "What goes on over restarts: /ws echoes, /ws?who says who answers; /events?ms=N counts;\n"
        "/tunnel echoes after \"Upgrade: echo\"; a /blob.\n"
        "/counter tells how many requests the others have answered, in all generations.\n"
        "SIGUSR2 restarts, SIGTERM and SIGINT stop gracefully, a second one at once.\n"
        "\n"
        "  --listen ADDRESS         where to listen (repeatable; :9999)\n"
        "  --tls CERT KEY           serve TLS with these PEM files (repeatable: one for each "
        "name)\n"
        "  --tls-min 1.2|1.3        the oldest version of it (1.2)\n"
        "  --client-ca FILE         ask clients for a certificate that FILE has signed\n"
        "  --http1                  offer no HTTP/2 with TLS\n"
        "  --listen-plain ADDRESS   where to listen without TLS (repeatable)\n"
        "  --threads N              loops (one for each CPU)\n"
        "  --pool N                 blocking handlers that run at the same time (256)\n"
        "  --connections N          at most so many (10000, or 9/10 of the descriptor limit)\n"
        "  --pid-file PATH          keep the serving process' pid there\n"
        "  --stay                   keep this pid over restarts, as a small init\n"
        "  --hello-delay SECONDS    how long /hello takes (20)\n"
        "  --start-timeout SECONDS  until a new generation is ready (30)\n"
        "  --drain SECONDS          for requests to finish after a restart or stop (60)\n"
        "  --probation SECONDS      in which the old generation can resume, or 0 (2)\n"
        "  --max-generations N      processes at a time (8)\n"
        "  --manual-commit          a ready generation waits for hotstart commit or abort\n"
        "  --control PATH           of the control socket, or none (where the pid leads to)\n"
        "  --check                  only check the options, and that the addresses are sound\n"
        "  --check-first            run the new program with --check before each restart\n"
        "  --head-timeout SECONDS   for a request's head (60)\n"
        "  --read-timeout SECONDS   for a request's head and body (60)\n"
        "  --write-timeout SECONDS  without progress of a response (60)\n"
        "  --idle-timeout SECONDS   between two requests of a connection (75)\n"
        "  --handler-timeout SECONDS  for a handler to begin its answer (none)\n"
        "  --unready SECONDS        after a stop: accept on, but be not ready (0)\n"
        "  --access-log PATH        a line for each request; SIGHUP opens it again\n"
        "  --access-json            as JSON\n"
        "  --request-ids            send X-Request-Id\n"
        "  --handover-pace N        connections that move in a millisecond, or 0: all at once\n"
        "  --help, --version\n"
        "SECONDS may have a fraction.\n";

enum option_id {
        OPTION_LISTEN = 1,
        OPTION_TLS,
        OPTION_TLS_MIN,
        OPTION_CLIENT_CA,
        OPTION_HTTP1,
        OPTION_LISTEN_PLAIN,
        OPTION_THREADS,
        OPTION_POOL,
        OPTION_CONNECTIONS,
        OPTION_PID_FILE,
        OPTION_STAY,
        OPTION_HELLO_DELAY,
        OPTION_START_TIMEOUT,
        OPTION_DRAIN,
        OPTION_PROBATION,
        OPTION_MAX_GENERATIONS,
        OPTION_MANUAL_COMMIT,
        OPTION_CONTROL,
        OPTION_CHECK,
        OPTION_CHECK_FIRST,
        OPTION_HEAD_TIMEOUT,
        OPTION_READ_TIMEOUT,
        OPTION_WRITE_TIMEOUT,
        OPTION_IDLE_TIMEOUT,
        OPTION_HANDLER_TIMEOUT,
        OPTION_UNREADY,
        OPTION_ACCESS_LOG,
        OPTION_ACCESS_JSON,
        OPTION_REQUEST_IDS,
        OPTION_HANDOVER_PACE,
        OPTION_HELP,
        OPTION_VERSION,
};

static const struct option long_options[] = {
        {"listen", required_argument, NULL, OPTION_LISTEN},
        {"tls", required_argument, NULL, OPTION_TLS},
        {"tls-min", required_argument, NULL, OPTION_TLS_MIN},
        {"client-ca", required_argument, NULL, OPTION_CLIENT_CA},
        {"http1", no_argument, NULL, OPTION_HTTP1},
        {"listen-plain", required_argument, NULL, OPTION_LISTEN_PLAIN},
        {"threads", required_argument, NULL, OPTION_THREADS},
        {"pool", required_argument, NULL, OPTION_POOL},
        {"connections", required_argument, NULL, OPTION_CONNECTIONS},
        {"pid-file", required_argument, NULL, OPTION_PID_FILE},
        {"stay", no_argument, NULL, OPTION_STAY},
        {"hello-delay", required_argument, NULL, OPTION_HELLO_DELAY},
        {"start-timeout", required_argument, NULL, OPTION_START_TIMEOUT},
        {"drain", required_argument, NULL, OPTION_DRAIN},
        {"probation", required_argument, NULL, OPTION_PROBATION},
        {"max-generations", required_argument, NULL, OPTION_MAX_GENERATIONS},
        {"manual-commit", no_argument, NULL, OPTION_MANUAL_COMMIT},
        {"control", required_argument, NULL, OPTION_CONTROL},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"check-first", no_argument, NULL, OPTION_CHECK_FIRST},
        {"head-timeout", required_argument, NULL, OPTION_HEAD_TIMEOUT},
        {"read-timeout", required_argument, NULL, OPTION_READ_TIMEOUT},
        {"write-timeout", required_argument, NULL, OPTION_WRITE_TIMEOUT},
        {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
        {"handler-timeout", required_argument, NULL, OPTION_HANDLER_TIMEOUT},
        {"unready", required_argument, NULL, OPTION_UNREADY},
        {"access-log", required_argument, NULL, OPTION_ACCESS_LOG},
        {"access-json", no_argument, NULL, OPTION_ACCESS_JSON},
        {"request-ids", no_argument, NULL, OPTION_REQUEST_IDS},
        {"handover-pace", required_argument, NULL, OPTION_HANDOVER_PACE},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
};

static void wrong_use(const char *what, const char *value)
{
        fprintf(stderr, "demo: %s: %s (see demo --help)\n", what, value);
        exit(2);
}

static double parse_seconds(const char *option, const char *text)
{
        char *end;
        double seconds = strtod(text, &end);

        if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e6)
                wrong_use(option, "not a number of seconds");
        return seconds;
}

/* 0 would mean the default: the shortest is a millisecond. */
static unsigned int parse_ms(const char *option, const char *text)
{
        double ms = ceil(parse_seconds(option, text) * 1000);

        return ms < 1 ? 1 : (unsigned int)ms;
}

static unsigned int parse_count(const char *option, const char *text)
{
        char *end;
        unsigned long count = strtoul(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || count < 1 || count > 1000000)
                wrong_use(option, "not a number from 1 to 1000000");
        return (unsigned int)count;
}

static unsigned int parse_generations(const char *option, const char *text)
{
        unsigned int count = parse_count(option, text);

        if (count < 2 || count > 64)
                wrong_use(option, "not a number from 2 to 64");
        return count;
}

static void set_hello_delay(struct demo *demo, double seconds)
{
        double whole = floor(seconds);

        demo->hello_delay.tv_sec = (time_t)whole;
        demo->hello_delay.tv_nsec = (long)((seconds - whole) * 1e9);
}

static int parse_tls_version(const char *option, const char *text)
{
        if (!strcmp(text, "1.3"))
                return 0x0304;
        if (strcmp(text, "1.2") != 0)
                wrong_use(option, "neither 1.2 nor 1.3");
        return 0x0303;
}

/* Returns false if it is none of these. */
static bool set_tls_option(struct demo *demo, int id, const char *name, char *value)
{
        switch (id) {
        case OPTION_TLS:
                demo->certificates[demo->n_certificates++] = value;
                return true;
        case OPTION_TLS_MIN:
                demo->tls.min_version = parse_tls_version(name, value);
                return true;
        case OPTION_CLIENT_CA:
                demo->tls.client_ca = value;
                demo->tls.client_certificate = HOT_HTTP_CLIENT_CERTIFICATE_REQUIRED;
                return true;
        case OPTION_HTTP1:
                demo->tls.no_http2 = true;
                return true;
        case OPTION_LISTEN_PLAIN:
                demo->plain[demo->n_plain++] = value;
                return true;
        default:
                return false;
        }
}

static void set_option(struct demo *demo, int id, const char *name, char *value)
{
        struct hot_http_options *options = &demo->options;

        switch (id) {
        case OPTION_LISTEN:
                demo->addresses[demo->n_addresses++] = value;
                break;
        case OPTION_THREADS:
                options->loops = parse_count(name, value);
                break;
        case OPTION_POOL:
                options->pool = parse_count(name, value);
                break;
        case OPTION_CONNECTIONS:
                options->connections = parse_count(name, value);
                break;
        case OPTION_PID_FILE:
                options->pid_file = value;
                break;
        case OPTION_STAY:
                demo->stay = true;
                break;
        case OPTION_HELLO_DELAY:
                set_hello_delay(demo, parse_seconds(name, value));
                break;
        case OPTION_START_TIMEOUT:
                options->start_ms = parse_ms(name, value);
                break;
        case OPTION_DRAIN:
                options->drain_ms = parse_ms(name, value);
                break;
        case OPTION_PROBATION:
                options->probation_ms =
                        parse_seconds(name, value) > 0 ? parse_ms(name, value) : HOT_NONE;
                break;
        case OPTION_MAX_GENERATIONS:
                options->max_generations = parse_generations(name, value);
                break;
        case OPTION_MANUAL_COMMIT:
                options->manual_commit = 1;
                break;
        case OPTION_CONTROL:
                options->control = value;
                break;
        case OPTION_CHECK:
                demo->check = true;
                break;
        case OPTION_CHECK_FIRST:
                options->check = "--check";
                break;
        case OPTION_HEAD_TIMEOUT:
                options->head_ms = parse_ms(name, value);
                break;
        case OPTION_READ_TIMEOUT:
                options->read_ms = parse_ms(name, value);
                break;
        case OPTION_WRITE_TIMEOUT:
                options->write_ms = parse_ms(name, value);
                break;
        case OPTION_IDLE_TIMEOUT:
                options->idle_ms = parse_ms(name, value);
                break;
        case OPTION_HANDLER_TIMEOUT:
                options->handler_ms = parse_ms(name, value);
                break;
        case OPTION_UNREADY:
                options->unready_ms = parse_ms(name, value);
                break;
        case OPTION_ACCESS_LOG:
                demo->batteries.access_log = value;
                break;
        case OPTION_ACCESS_JSON:
                demo->batteries.access_format = HOT_HTTP_JSON;
                break;
        case OPTION_REQUEST_IDS:
                options->request_ids = 1;
                break;
        case OPTION_HANDOVER_PACE:
                options->handover_pace =
                        strcmp(value, "0") != 0 ? parse_count(name, value) : HOT_NONE;
                break;
        default:
                break;
        }
}

static void parse_options(struct demo *demo, int argc, char **argv)
{
        int id, index = 0;

        opterr = 0; /* one line, with the hint, is ours to say */
        while ((id = getopt_long(argc, argv, "", long_options, &index)) != -1) {
                if (id == '?')
                        wrong_use("unknown option, or one without its value", argv[optind - 1]);
                if (id == OPTION_HELP) {
                        fputs(help, stdout);
                        exit(0);
                }
                if (id == OPTION_VERSION) {
                        printf("demo %s\n", hot_version());
                        exit(0);
                }
                if (!set_tls_option(demo, id, long_options[index].name, optarg))
                        set_option(demo, id, long_options[index].name, optarg);
                if (id != OPTION_TLS)
                        continue;
                if (optind == argc)
                        wrong_use("tls", "a certificate and its key are expected");
                demo->certificates[demo->n_certificates++] = argv[optind++];
        }
        if (optind < argc)
                wrong_use("no argument is expected", argv[optind]);
}

static int check(const struct demo *demo)
{
        for (size_t i = 0; i < demo->n_addresses; i++)
                if (hot_address_check(demo->addresses[i]) < 0)
                        wrong_use("--listen: not an address", demo->addresses[i]);
        fprintf(stderr, "demo: the options are sound\n");
        return 0;
}

static void note_start(struct demo *demo)
{
        time_t now = time(NULL);
        struct tm tm;

        gmtime_r(&now, &tm);
        strftime(demo->started, sizeof(demo->started), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int run(struct demo *demo)
{
        struct hot_http *server = NULL;
        int r;

        hot_http_new(&server, demo->n_addresses ? demo->addresses[0] : ":9999", &demo->options);
        for (size_t i = 1; i < demo->n_addresses; i++)
                hot_http_add_address(server, demo->addresses[i]);
        hot_http_before_serving(server, before_serving, demo);
        hot_http_handle(server, "GET", "/test", test, demo);
        hot_http_handle_blocking(server, "GET", "/hello", hello, demo);
        hot_http_handle(server, "GET", "/generation", generation, demo);
        hot_http_handle(server, "GET", "/counter", counter, demo);
        hot_http_handle_blocking(server, "POST", "/echo", echo, demo);
        hot_http_handle(server, "GET", "/.hotstart", catalog, demo);
        demo_batteries_add(server, &demo->batteries);
        demo_blob_add(server, &demo->requests);
        demo_live_add(server);
        demo_page_add(server, &demo->requests);
        if (demo->n_certificates)
                hot_http_tls(server, &demo->tls);
        for (size_t i = 0; i < demo->n_certificates; i += 2)
                hot_http_add_certificate(server, demo->certificates[i], demo->certificates[i + 1]);
        for (size_t i = 0; i < demo->n_plain; i++)
                hot_http_add_plain_address(server, demo->plain[i]);
        r = hot_http_listen_and_serve(server);
        demo_live_done();
        hot_http_free(server);
        return r;
}

int main(int argc, char **argv)
{
        /* Static: after a second signal handlers may still be running when main() returns. */
        static struct demo demo = {.options = {.size = sizeof(demo.options)},
                                   .tls = {.size = sizeof(demo.tls)}};
        int status = 0, r;

        demo.hello_delay.tv_sec = 20;
        demo.addresses = calloc((size_t)argc, sizeof(*demo.addresses));
        demo.plain = calloc((size_t)argc, sizeof(*demo.plain));
        demo.certificates = calloc((size_t)argc, sizeof(*demo.certificates));
        if (!demo.addresses || !demo.plain || !demo.certificates)
                return 1;
        parse_options(&demo, argc, argv);
        if (demo.check)
                return check(&demo);
        r = demo.stay ? hot_init(&status) : 0;
        if (r < 0)
                fprintf(stderr, "demo: --stay: %s\n", strerror(-r));
        if (r != 0)
                return r > 0 ? status : 1;
        note_start(&demo);
        if (run(&demo) < 0)
                return 1;
        free(demo.addresses);
        free(demo.plain);
        free(demo.certificates);
        return 0;
}
