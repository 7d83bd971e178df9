/* SPDX-License-Identifier: MIT */
#include "traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "patience.h"

/* What is asked for in turn, and the body of its response; NULL: not fixed. */
static const struct {
        const char *path, *body;
} pages[] = {
        {"/test", "test 22222"},
        {"/generation", NULL},
};

#define N_PAGES (sizeof(pages) / sizeof(*pages))

void traffic_init(struct traffic *ret, const struct sockaddr_in *server, uint64_t pace)
{
        *ret = (struct traffic){.server = server, .pace = pace, .current = {.fd = -EBADF}};
}

void traffic_done(struct traffic *traffic)
{
        request_done(&traffic->current);
        free(traffic->answers);
        traffic->answers = NULL;
        traffic->n = traffic->room = 0;
}

static int note_answer(struct traffic *traffic)
{
        const struct request *request = &traffic->current;
        struct answer *larger;

        if (traffic->n == traffic->room) {
                traffic->room = traffic->room ? traffic->room * 2 : 64;
                larger = realloc(traffic->answers, traffic->room * sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                traffic->answers = larger;
        }
        traffic->answers[traffic->n] = (struct answer){
                .path = request->path,
                .begin = request->begin,
                .end = request->end,
                .error = request->error,
                .status = request->status,
                .pid = request->pid,
                .generation = request->generation,
                .good = request_is_good(request, pages[traffic->n % N_PAGES].body),
        };
        traffic->n++;
        return 0;
}

int traffic_continue(struct traffic *traffic)
{
        struct request *current = &traffic->current;
        uint64_t now;

        if (current->path) {
                if (!request_continue(current))
                        return 0;
                if (note_answer(traffic) < 0)
                        return -ENOMEM;
                current->path = NULL; /* none is under way */
        }
        now = patience_now();
        if (now < traffic->next)
                return 0;
        request_start(current, traffic->server, pages[traffic->n % N_PAGES].path);
        traffic->next = now + traffic->pace;
        return 0;
}

const struct answer *traffic_first_of_another(const struct traffic *traffic, pid_t pid)
{
        for (size_t i = 0; i < traffic->n; i++)
                if (traffic->answers[i].good && traffic->answers[i].pid != pid)
                        return &traffic->answers[i];
        return NULL;
}

static bool alike(const struct answer *a, const struct answer *b)
{
        return a->error == b->error && a->status == b->status && a->pid == b->pid &&
               a->generation == b->generation && a->good == b->good;
}

static void tell_run(const struct answer *first, const struct answer *last,
                     struct timeline *timeline)
{
        size_t n = (size_t)(last - first) + 1;
        double end = timeline_at(timeline, last->end);

        if (first->error)
                timeline_add(timeline, first->begin, "fast requests: %zu until %.1f ms: %s", n, end,
                             strerror(first->error));
        else
                timeline_add(timeline, first->begin,
                             "fast requests: %zu until %.1f ms: status %d%s, X-Pid: %d, "
                             "X-Generation: %llu",
                             n, end, first->status, first->good ? "" : " with a wrong body",
                             first->pid, (unsigned long long)first->generation);
}

void traffic_tell(const struct traffic *traffic, struct timeline *timeline)
{
        size_t first = 0;

        for (size_t i = 1; i <= traffic->n; i++)
                if (i == traffic->n || !alike(&traffic->answers[first], &traffic->answers[i])) {
                        tell_run(&traffic->answers[first], &traffic->answers[i - 1], timeline);
                        first = i;
                }
}
