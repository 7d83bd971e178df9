/* SPDX-License-Identifier: MIT */
/*
 * One loop drives everything: it waits for the server's log, the slow request, the fast ones and the end
 * of processes, and looks at the descriptors between. Each act runs it until what the act is about has
 * been seen.
 */
#include "experiment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hotstart/inspect.h>

#include "audit.h"
#include "evidence.h"
#include "listing.h"
#include "paper.h"
#include "patience.h"
#include "timeline.h"
#include "verdict.h"

#define START_SECONDS      10
#define PACE_AT_THE_SWITCH (2 * MILLISECOND) /* one fast request */
#define PACE_LATER         (25 * MILLISECOND)
#define ENOUGH_ANSWERS     10 /* of the new process */
#define CALM_SECONDS       2  /* for a server to let go of what a restart needed */

struct experiment {
        struct patience patience;
        struct server server;
        struct evidence evidence;
        bool slow_running;
        struct traffic *traffic;     /* NULL: none now */
        struct acceptors *acceptors; /* likewise */
};

/* Look at the new process as soon as there is one. */
static void look(struct experiment *experiment, const struct generation *old)
{
        if (experiment->acceptors->new == 0)
                experiment->acceptors->new = generation_successor(old);
        acceptors_look(experiment->acceptors);
}

/* Wait until something happens, @until at the latest, and take it in. Returns 0 or a negative errno. */
static int turn(struct experiment *experiment, const struct generation *process, uint64_t until)
{
        const struct request *fast = experiment->traffic ? &experiment->traffic->current : NULL;
        const struct request *slow = &experiment->evidence.slow;
        struct pollfd fds[] = {
                {.fd = experiment->server.log_fd, .events = POLLIN},
                {.fd = process->ended ? -1 : process->pidfd, .events = POLLIN},
                {.fd = experiment->slow_running ? slow->fd : -1, .events = request_events(slow)},
                {.fd = fast && fast->path ? fast->fd : -1,
                 .events = fast ? request_events(fast) : 0},
        };
        int r = patience_wait(&experiment->patience, fds, sizeof(fds) / sizeof(*fds), until);

        if (r < 0)
                return r;
        server_log(&experiment->server);
        if (experiment->slow_running && request_continue(&experiment->evidence.slow))
                experiment->slow_running = false;
        if (experiment->acceptors)
                look(experiment, process);
        return experiment->traffic ? traffic_continue(experiment->traffic) : 0;
}

/* Act 1: start the server, and ask until it answers: at each line that it logs, and now and then. */
static int start(struct experiment *experiment)
{
        struct generation *first = &experiment->evidence.generations[0];
        uint64_t limit = patience_now() + START_SECONDS * SECOND;
        struct request request;
        bool good = false;
        int r = server_start(&experiment->server, &experiment->patience.original, first);

        while (r == 0 && !good) {
                request_start(&request, &experiment->server.address, "/test");
                while (r == 0 && !request_continue(&request)) {
                        struct pollfd fd = {request.fd, request_events(&request), 0};

                        r = patience_wait(&experiment->patience, &fd, 1, limit);
                        r = r == 0 ? -ETIMEDOUT : r < 0 ? r : 0;
                }
                good = r == 0 && request_is_good(&request, NULL);
                request_done(&request);
                if (r == 0 && !good)
                        r = turn(experiment, first, patience_now() + 20 * MILLISECOND);
                if (r == 0 && generation_has_ended(first))
                        r = -ECHILD;
                if (r == 0 && !good && patience_now() > limit)
                        r = -ETIMEDOUT;
        }
        return r;
}

static int snapshot(const struct generation *process, struct hot_inspect **slot)
{
        struct hot_inspect *taken;
        int r = hot_inspect_read(process->pid, HOT_INSPECT_ADDRESSES, &taken);

        if (r < 0)
                return r;
        hot_inspect_free(*slot);
        *slot = taken;
        return 0;
}

/*
 * Take a table when the server has come to rest: when it has no strays and, if @like is given, looks like
 * that. What does not go away in time stays in the table, for the verdict.
 */
static int snapshot_at_rest(struct experiment *experiment, const struct generation *process,
                            const struct hot_inspect *like, struct hot_inspect **slot)
{
        uint64_t limit = patience_now() + CALM_SECONDS * SECOND;
        int r;

        for (;;) {
                r = snapshot(process, slot);
                if (r < 0)
                        return r;
                if (audit_strays(*slot, NULL, 0) == 0 &&
                    (!like || audit_differences(like, *slot, NULL, 0) == 0))
                        return 0;
                if (patience_now() > limit)
                        return 0;
                r = turn(experiment, process, patience_now() + 5 * MILLISECOND);
                if (r < 0)
                        return r;
        }
}

static const struct hot_inspect_fd *find_listener(const struct experiment *experiment,
                                                  const struct hot_inspect *table)
{
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; (fd = hot_inspect_at(table, i)); i++)
                if (fd->listening && strcmp(fd->local, experiment->server.listen) == 0)
                        return fd;
        return NULL;
}

/* Act 2: the table before anything happens. */
static int before(struct experiment *experiment)
{
        struct evidence *evidence = &experiment->evidence;
        const struct hot_inspect_fd *listener;
        int r = snapshot_at_rest(experiment, &evidence->generations[0], NULL, &evidence->before);

        if (r < 0)
                return r;
        listener = find_listener(experiment, evidence->before);
        if (!listener)
                return -ENOENT;
        evidence->listener = listener->inode;
        paper_title("Before: one process");
        paper_say(
                "The listener is descriptor %d of generation 1. %s", listener->fd,
                listener->cloexec
                        ? "It has FD_CLOEXEC: no program that this process starts gets it by "
                          "accident."
                        : "It has no FD_CLOEXEC: every program that this process starts gets it.");
        listing_print(&evidence->before, 1, evidence->listener);
        return 0;
}

/* Has the server taken the slow request, head and all? Its end of the connection has nothing unread. */
static bool slow_is_taken(const struct hot_inspect *table, const struct request *slow)
{
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; (fd = hot_inspect_at(table, i)); i++)
                if (fd->kind == HOT_INSPECT_TCP && strcmp(fd->peer, slow->local) == 0)
                        return slow->sent && fd->receive_queue == 0;
        return false;
}

/* Act 3: a request that outlasts the process' time as the one that accepts. */
static int begin_slow_request(struct experiment *experiment)
{
        struct evidence *evidence = &experiment->evidence;
        struct hot_inspect *table = NULL;
        bool taken = false;
        int r = 0;

        paper_title("A slow request, and a restart while it lasts");
        paper_command("curl http://%s/hello", experiment->server.listen);
        request_start(&evidence->slow, &experiment->server.address, "/hello");
        experiment->slow_running = true;
        while (r == 0 && !taken) {
                r = turn(experiment, &evidence->generations[0], patience_now() + 2 * MILLISECOND);
                if (r == 0)
                        r = snapshot(&evidence->generations[0], &table);
                taken = r == 0 && slow_is_taken(table, &evidence->slow);
                if (r == 0 && !experiment->slow_running)
                        r = -EPROTO; /* it was to last seconds */
        }
        hot_inspect_free(table);
        return r;
}

static void read_environment(struct evidence *evidence)
{
        pid_t pid = evidence->generations[1].pid;

        hot_inspect_environment(pid, "LISTEN_FDS", evidence->listen_fds,
                                sizeof(evidence->listen_fds));
        hot_inspect_environment(pid, "LISTEN_PID", evidence->listen_pid,
                                sizeof(evidence->listen_pid));
        hot_inspect_environment(pid, "LISTEN_FDNAMES", evidence->listen_names,
                                sizeof(evidence->listen_names));
}

/* Send SIGUSR2 and fast requests until the new process has answered one. */
static int restart(struct experiment *experiment, size_t i)
{
        struct evidence *evidence = &experiment->evidence;
        struct generation *old = &evidence->generations[i];
        const struct answer *first = NULL;
        int r;

        acceptors_init(&evidence->acceptors[i], evidence->listener, old->pid);
        experiment->acceptors = &evidence->acceptors[i];
        acceptors_look(experiment->acceptors);
        traffic_init(&evidence->traffic[i], &experiment->server.address, PACE_AT_THE_SWITCH);
        experiment->traffic = &evidence->traffic[i];
        paper_command("kill -USR2 %d", old->pid);
        evidence->restarted[i] = patience_now();
        r = generation_signal(old, SIGUSR2);
        if (r == 0)
                r = traffic_continue(experiment->traffic);
        while (r == 0 && !(first = traffic_first_of_another(experiment->traffic, old->pid)))
                r = turn(experiment, old, patience_now() + MILLISECOND / 4);
        if (r < 0 || !first)
                return r < 0 ? r : -EIO;
        experiment->acceptors->new = first->pid;
        return generation_open(&evidence->generations[i + 1], first->pid, first->generation);
}

static size_t answers_of(const struct traffic *traffic, pid_t pid)
{
        size_t n = 0;

        for (size_t i = 0; i < traffic->n; i++)
                n += traffic->answers[i].good && traffic->answers[i].pid == pid;
        return n;
}

/* Go on with both until the old process is gone and the new one has shown what it can. */
static int outlive(struct experiment *experiment, size_t i)
{
        struct evidence *evidence = &experiment->evidence;
        struct generation *old = &evidence->generations[i];
        int r = 0;

        experiment->traffic->pace = PACE_LATER;
        while (r == 0 &&
               (experiment->slow_running || !generation_has_ended(old) ||
                answers_of(experiment->traffic, evidence->generations[i + 1].pid) < ENOUGH_ANSWERS))
                r = turn(experiment, old, experiment->traffic->next);
        /* The last request that is under way is neither counted nor left in the server's table. */
        request_done(&experiment->traffic->current);
        experiment->traffic = NULL;
        experiment->acceptors = NULL;
        return r;
}

static void print_restart(const struct evidence *evidence, size_t i)
{
        struct timeline *timeline = timeline_new(evidence->restarted[i]);
        const struct request *slow = &evidence->slow;

        timeline_add(timeline, evidence->restarted[i], "SIGUSR2 to %d",
                     evidence->generations[i].pid);
        acceptors_tell(&evidence->acceptors[i], timeline);
        traffic_tell(&evidence->traffic[i], timeline);
        if (i == 0 && !slow->error)
                timeline_add(timeline, slow->end,
                             "GET /hello ends: status %d, X-Pid: %d, \"%.40s\"", slow->status,
                             slow->pid, slow->body);
        putchar('\n');
        timeline_print(timeline);
        timeline_free(timeline);
}

/* Act 4: the first restart, with the tables of both processes while both are there. */
static int during(struct experiment *experiment)
{
        struct evidence *evidence = &experiment->evidence;
        int r = restart(experiment, 0);

        if (r == 0)
                r = snapshot(&evidence->generations[0], &evidence->during[0]);
        if (r == -ESRCH)
                paper_say("Process %d is gone, and the slow request is not answered.",
                          evidence->generations[0].pid);
        if (r == 0)
                r = snapshot(&evidence->generations[1], &evidence->during[1]);
        if (r < 0)
                return r;
        read_environment(evidence);
        paper_title("During: the old process answers the slow request, the new one all others");
        paper_say(
                "SAME AS tells under which number the other process has the very same open file "
                "(asked of the kernel with kcmp). The listener is one open file with one queue of "
                "connections; each process that has it has a descriptor of its own, with a number "
                "and "
                "an FD_CLOEXEC of its own. The old process lets go of it when the new one serves.");
        listing_print(evidence->during, 2, evidence->listener);
        r = outlive(experiment, 0);
        if (r < 0)
                return r;
        print_restart(evidence, 0);
        return 0;
}

/* Act 5: the new process alone, and another restart to compare it with. */
static int after(struct experiment *experiment)
{
        struct evidence *evidence = &experiment->evidence;
        int r = snapshot_at_rest(experiment, &evidence->generations[1], NULL, &evidence->after);

        if (r < 0)
                return r;
        paper_title("After: the old process has ended");
        listing_print(&evidence->after, 1, evidence->listener);
        paper_title("Once more: does the table grow?");
        r = restart(experiment, 1);
        if (r == 0)
                r = outlive(experiment, 1);
        if (r == 0)
                r = snapshot_at_rest(experiment, &evidence->generations[2], evidence->after,
                                     &evidence->last);
        if (r < 0)
                return r;
        print_restart(evidence, 1);
        return 0;
}

/* Act 6: ask the last process to stop, too. */
static int stop(struct experiment *experiment)
{
        struct generation *last = &experiment->evidence.generations[N_GENERATIONS - 1];
        uint64_t limit = patience_now() + START_SECONDS * SECOND;
        int r = generation_signal(last, SIGTERM);

        while (r == 0 && !generation_has_ended(last) && patience_now() < limit)
                r = turn(experiment, last, limit);
        return r;
}

static const struct {
        int (*play)(struct experiment *experiment);
        const char *failure; /* what to say when it cannot be played to its end */
} acts[] = {
        {start, "The server does not serve"},
        {before, "The descriptors of the server cannot be read"},
        {begin_slow_request, "The slow request was not taken"},
        {during, "The restart did not come to its end"},
        {after, "The second restart did not come to its end"},
        {stop, "The last process does not stop"},
};

static int play(struct experiment *experiment)
{
        int r = 0;

        for (size_t i = 0; i < sizeof(acts) / sizeof(*acts) && r == 0; i++) {
                r = acts[i].play(experiment);
                if (r < 0 && r != -EINTR)
                        paper_say("%s: %s.", acts[i].failure,
                                  r == -ECHILD ? "it has ended" : strerror(-r));
        }
        return r;
}

static void forget(struct evidence *evidence)
{
        request_done(&evidence->slow);
        for (size_t i = 0; i < N_GENERATIONS; i++)
                generation_done(&evidence->generations[i]);
        for (size_t i = 0; i < N_RESTARTS; i++) {
                traffic_done(&evidence->traffic[i]);
                hot_inspect_free(evidence->during[i]);
        }
        hot_inspect_free(evidence->before);
        hot_inspect_free(evidence->after);
        hot_inspect_free(evidence->last);
}

static void introduce(const struct experiment *experiment)
{
        paper_title("What becomes of the descriptors when a server is restarted?");
        paper_say("%s serves on %s. A slow request (GET /hello, %u s) is sent to it, then SIGUSR2, "
                  "which makes it start itself again, and fast requests meanwhile. Nothing may be "
                  "lost, "
                  "and every descriptor must be accounted for.",
                  experiment->server.program, experiment->server.listen, experiment->server.delay);
}

int experiment_run(const struct experiment_options *options)
{
        struct experiment experiment = {
                .server.log_fd = -EBADF,
                .evidence.slow.fd = -EBADF,
        };
        struct evidence *evidence = &experiment.evidence;
        int r = patience_init(&experiment.patience, options->time_limit);

        for (size_t i = 0; i < N_RESTARTS; i++)
                evidence->traffic[i].current.fd = -EBADF;
        if (r == 0)
                r = server_init(&experiment.server, options->demo, options->port, options->delay);
        if (r == 0) {
                introduce(&experiment);
                r = play(&experiment);
        }
        evidence->killed = server_done(&experiment.server);
        if (r == 0) {
                paper_title("Verdicts");
                r = verdict_give(evidence);
        }
        forget(evidence);
        patience_done(&experiment.patience);
        return r;
}
