/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"
#include "socket.h"

#define NAME "hotstart.metrics"

/* Changes with the layout, whose size is in it: a page of another one is left to those who understand it. */
#define MAGIC (0x686f746d32000000ULL + sizeof(struct hot__metrics_page))

/* Upper bounds, in ns. */
static const uint64_t bounds[HOT__METRICS_BUCKETS] = {
        100000,    250000,    500000,     1000000,    2500000,    5000000,     10000000,  25000000,
        100000000, 250000000, 1000000000, 2500000000, 5000000000, 10000000000, UINT64_MAX};

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct hot__metrics_page *map_page(int fd)
{
        struct hot__metrics_page *page;
        struct stat st;

        if (fstat(fd, &st) < 0 || st.st_size != sizeof(*page))
                return NULL;
        page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        return page == MAP_FAILED ? NULL : page;
}

static struct hot__metrics_page *find_page(struct hot *hot)
{
        int fd = hot_kept(hot, NAME);
        struct hot__metrics_page *page = fd < 0 ? NULL : map_page(fd);

        if (page && page->magic != MAGIC) {
                munmap(page, sizeof(*page));
                page = NULL;
        }
        return page;
}

/* Its size is sealed: nobody can take the memory away from under the others. */
static int make_page(struct hot *hot, struct hot__metrics_page **ret)
{
        int fd = memfd_create(NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct hot__metrics_page *page = NULL;
        int r;

        if (fd < 0)
                return -errno;
        r = ftruncate(fd, sizeof(*page)) < 0 ? -errno : hot__socket_seal(fd);
        if (r == 0)
                page = map_page(fd);
        if (r == 0)
                r = page ? hot_keep(hot, NAME, fd) : -ENOMEM;
        hot__socket_close(fd);
        if (page && r < 0)
                munmap(page, sizeof(*page));
        if (page && r == 0) {
                page->magic = MAGIC;
                *ret = page;
        }
        return r;
}

int hot__metrics_open(struct hot__metrics *metrics, struct hot *hot)
{
        if (!metrics->wanted)
                return 0;
        metrics->page = find_page(hot);
        return metrics->page ? 0 : make_page(hot, &metrics->page);
}

void hot__metrics_close(struct hot__metrics *metrics)
{
        if (metrics->page)
                munmap(metrics->page, sizeof(*metrics->page));
        metrics->page = NULL;
}

struct hot__metrics_part *hot__metrics_part(const struct hot__metrics *metrics, size_t number)
{
        return metrics->page ? &metrics->page->part[number % HOT__METRICS_PARTS] : NULL;
}

static void add(atomic_uint_least64_t *counter, uint64_t n)
{
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_least64_t *counter)
{
        return atomic_load_explicit(counter, memory_order_relaxed);
}

void hot__metrics_count(struct hot__metrics_part *part, const struct hot_http_outcome *outcome)
{
        int i = 0;

        while (outcome->duration_ns > bounds[i])
                i++;
        add(&part->bucket[i], 1);
        add(&part->duration_ns, outcome->duration_ns);
        add(&part->sent, outcome->sent);
        if (outcome->error)
                add(&part->unfinished, 1);
        if (outcome->status >= 100 && outcome->status < 600)
                add(&part->status[outcome->status], 1);
}

static void set(atomic_uint_least64_t *value, uint64_t to)
{
        atomic_store_explicit(value, to, memory_order_relaxed);
}

static void note_step(struct hot__metrics_page *page, int step)
{
        uint64_t triggered = get(&page->triggered_at);

        if (step == HOT_STEP_TRIGGER)
                set(&page->triggered_at, now_ns());
        if (step == HOT_STEP_READY && triggered)
                set(&page->ready_ns, now_ns() - triggered);
}

void hot__metrics_event(const struct hot__metrics *metrics, const struct hot_event *event)
{
        struct hot__metrics_page *page = metrics->page;

        if (!page)
                return;
        switch (event->type) {
        case HOT_STEP:
                note_step(page, event->step);
                break;
        case HOT_DRAIN:
                add(&page->committed, 1);
                break;
        case HOT_FAILED:
                add(&page->rolled_back, 1);
                break;
        case HOT_RESUME:
                add(&page->resumed, 1);
                break;
        default:
                break;
        }
}

void hot__metrics_quiesced(const struct hot__metrics *metrics)
{
        if (metrics->page)
                set(&metrics->page->quiesced_at, now_ns());
}

void hot__metrics_serving(const struct hot__metrics *metrics)
{
        uint64_t since = metrics->page ? atomic_exchange(&metrics->page->quiesced_at, 0) : 0;

        if (since)
                set(&metrics->page->gap_ns, now_ns() - since);
}

void hot__metrics_moved(const struct hot__metrics *metrics, enum hot__metrics_move move)
{
        if (metrics->page)
                add(&metrics->page->moved[move], 1);
}

/* -- printing -- */

static void print(struct hot__bytes *text, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void print(struct hot__bytes *text, const char *format, ...)
{
        char line[256];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        hot__bytes_append_string(text, line);
}

static void head(struct hot__bytes *text, const char *name, const char *type, const char *help)
{
        print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct hot__bytes *text, const char *name, const char *help, double value)
{
        head(text, name, "gauge", help);
        print(text, "%s %.9g\n", name, value);
}

/* The sum over the parts of the counter that lies @offset bytes into each. */
static uint64_t sum(const struct hot__metrics_page *page, size_t offset)
{
        uint64_t total = 0;

        for (size_t i = 0; i < HOT__METRICS_PARTS; i++) {
                const char *part = (const char *)&page->part[i];

                total += get((const atomic_uint_least64_t *)(const void *)(part + offset));
        }
        return total;
}

#define SUM(page, member) sum(page, offsetof(struct hot__metrics_part, member))

static void print_requests(struct hot__bytes *text, const struct hot__metrics_page *page)
{
        head(text, "hotstart_http_requests_total", "counter", "Requests answered, by status.");
        for (size_t i = 100; i < 600; i++) {
                uint64_t n = sum(page, offsetof(struct hot__metrics_part, status) +
                                               i * sizeof(page->part[0].status[0]));

                if (n)
                        print(text, "hotstart_http_requests_total{code=\"%zu\"} %" PRIu64 "\n", i,
                              n);
        }
        head(text, "hotstart_http_responses_unfinished_total", "counter",
             "Responses given up before their end.");
        print(text, "hotstart_http_responses_unfinished_total %" PRIu64 "\n",
              SUM(page, unfinished));
        head(text, "hotstart_http_response_bytes_total", "counter", "Bytes of content sent.");
        print(text, "hotstart_http_response_bytes_total %" PRIu64 "\n", SUM(page, sent));
}

static void print_durations(struct hot__bytes *text, const struct hot__metrics_page *page)
{
        static const char name[] = "hotstart_http_request_duration_seconds";
        uint64_t below = 0;

        head(text, name, "histogram", "From a request's complete head to its response's end.");
        for (size_t i = 0; i < HOT__METRICS_BUCKETS; i++) {
                below += sum(page, offsetof(struct hot__metrics_part, bucket) +
                                           i * sizeof(page->part[0].bucket[0]));
                if (bounds[i] == UINT64_MAX)
                        print(text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, below);
                else
                        print(text, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                              (double)bounds[i] / 1e9, below);
        }
        print(text, "%s_sum %.9f\n%s_count %" PRIu64 "\n", name,
              (double)SUM(page, duration_ns) / 1e9, name, below);
}

static void print_connections(struct hot__bytes *text, const struct hot__metrics_page *page,
                              const struct hot__metrics_now *now)
{
        static const char *const states[] = {"idle",    "reading",   "handling",
                                             "writing", "websocket", "tunnel"};

        head(text, "hotstart_http_connections_accepted_total", "counter", "Connections accepted.");
        print(text, "hotstart_http_connections_accepted_total %" PRIu64 "\n", SUM(page, accepted));
        head(text, "hotstart_http_connections", "gauge",
             "Connections of this process, by what they do.");
        for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
                print(text, "hotstart_http_connections{state=\"%s\"} %" PRIu64 "\n", states[i],
                      now->connections[i]);
        gauge(text, "hotstart_http_handlers_running", "Blocking handlers that run now.",
              (double)now->handlers_running);
        gauge(text, "hotstart_http_handlers_waiting", "Requests that wait for a thread.",
              (double)now->handlers_waiting);
}

static void print_moves(struct hot__bytes *text, const struct hot__metrics_page *page,
                        const struct hot__metrics_now *now)
{
        head(text, "hotstart_connections_moved_total", "counter",
             "Connections on their way between generations, by what became of them.");
        print(text,
              "hotstart_connections_moved_total{result=\"given\"} %" PRIu64 "\n"
              "hotstart_connections_moved_total{result=\"adopted\"} %" PRIu64 "\n"
              "hotstart_connections_moved_total{result=\"returned\"} %" PRIu64 "\n",
              get(&page->moved[HOT__METRICS_GIVEN]), get(&page->moved[HOT__METRICS_ADOPTED]),
              get(&page->moved[HOT__METRICS_RETURNED]));
        head(text, "hotstart_connections_pinned", "gauge",
             "Connections that stay with a generation that drains, by reason.");
        for (size_t i = HOT__PIN_NOT + 1; i < HOT__N_PINS; i++)
                print(text, "hotstart_connections_pinned{reason=\"%s\"} %" PRIu64 "\n",
                      hot__pin_name((enum hot__pin)i), now->pinned[i]);
}

static void print_restarts(struct hot__bytes *text, const struct hot__metrics_page *page,
                           const struct hot__metrics_now *now)
{
        head(text, "hotstart_restarts_total", "counter", "Restarts, by result.");
        print(text,
              "hotstart_restarts_total{result=\"committed\"} %" PRIu64 "\n"
              "hotstart_restarts_total{result=\"rolled_back\"} %" PRIu64 "\n"
              "hotstart_restarts_total{result=\"resumed\"} %" PRIu64 "\n",
              get(&page->committed), get(&page->rolled_back), get(&page->resumed));
        gauge(text, "hotstart_generation", "The generation that answers.", (double)now->generation);
        gauge(text, "hotstart_accepting", "1 if this generation accepts connections.",
              now->serving ? 1 : 0);
        gauge(text, "hotstart_restart_ready_seconds",
              "From the trigger of the last restart to its new generation's being ready.",
              (double)get(&page->ready_ns) / 1e9);
        gauge(text, "hotstart_restart_gap_seconds",
              "How long no generation accepted at the last restart.",
              (double)get(&page->gap_ns) / 1e9);
}

void hot__metrics_print(const struct hot__metrics *metrics, const struct hot__metrics_now *now,
                        struct hot__bytes *text)
{
        if (!metrics->page)
                return;
        print_requests(text, metrics->page);
        print_durations(text, metrics->page);
        print_connections(text, metrics->page, now);
        print_restarts(text, metrics->page, now);
        print_moves(text, metrics->page, now);
}
