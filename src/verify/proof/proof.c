/* SPDX-License-Identifier: MIT */
/*
 * Acts, in their order: the server answers, the rehearsal, its descriptors at rest, the traffic with its
 * restarts (see campaign), its descriptors at rest again, and the end of everything that was started.
 */
#include "proof.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "ask.h"
#include "campaign.h"
#include "clock.h"
#include "fault.h"
#include "fd.h"
#include "findings.h"
#include "locate.h"
#include "rehearsal.h"
#include "table.h"

#define START_LIMIT     (10 * PROOF_SECOND)
#define UNIX_AFTER      (500 * PROOF_MILLISECOND) /* a TCP listener comes first, if one comes */
#define LOOK            (10 * PROOF_MILLISECOND)
#define SLACK           (30 * PROOF_SECOND) /* beyond restarts x every */
#define FOR_THE_END     (9 * PROOF_SECOND)  /* of it, for looking at what is left and ending it */
#define REHEARSAL_LIMIT (12 * PROOF_SECOND) /* of it, for a server that is slow to answer */
#define REST_LIMIT      (5 * PROOF_SECOND)
#define STOP_LIMIT      (3 * PROOF_SECOND)
#define STARTER_OVERLAP (2500 * PROOF_MILLISECOND)
#define PROBATION_GRACE (500 * PROOF_MILLISECOND)  /* for its end to show */
#define STILL_LOOKS     3                          /* so often alike is at rest */
#define STILL_LIMIT     (2500 * PROOF_MILLISECOND) /* so long alike is at rest, however it looks */

struct proof {
        const struct proof_options *options;
        struct proof_evidence *evidence;
        struct subject subject;
        struct hot__target target;
        char path[LOCATE_MAX]; /* of the URL */
        struct proof_options with_path;
        int signal_fd;
        uint64_t deadline;
        char *problem;
        size_t problem_size;
};

__attribute__((format(printf, 3, 4))) static int cannot(struct proof *proof, int error,
                                                        const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(proof->problem, proof->problem_size, format, arguments);
        va_end(arguments);
        return error;
}

/* Wait a little, and take in what happens meanwhile. Returns -EINTR after a signal. */
static int look_around(struct proof *proof, uint64_t pause)
{
        struct pollfd polled[] = {
                {.fd = proof->signal_fd, .events = POLLIN},
                {.fd = proof->subject.output_fd, .events = POLLIN},
        };
        const struct timespec left = {.tv_nsec = (long)pause};
        struct signalfd_siginfo info;

        ppoll(polled, 2, &left, NULL);
        subject_read(&proof->subject);
        while (read(proof->signal_fd, &info, sizeof(info)) == sizeof(info))
                if (info.ssi_signo != SIGCHLD)
                        return -EINTR;
        subject_reap(&proof->subject);
        return 0;
}

/* ---- act 1: it answers ---- */

static int resolve(struct proof *proof)
{
        int r = hot__target_resolve(proof->evidence->address, &proof->target);

        return r < 0 ? cannot(proof, r, "%s: %s", proof->evidence->address, strerror(-r)) : 0;
}

static int take_url(struct proof *proof)
{
        int r = locate_url(proof->options->url, proof->evidence->address, proof->path,
                           &proof->evidence->tls);

        if (r < 0)
                return cannot(proof, r, "%s: not a URL", proof->options->url);
        if (proof->path[0] && !proof->options->get)
                proof->with_path.get = proof->path;
        return resolve(proof);
}

/* The last line that the program printed, for a message. */
static const char *last_words(struct subject *subject)
{
        char *end = subject->tail + subject->tail_length, *line;

        while (end > subject->tail && end[-1] == '\n')
                *--end = '\0';
        line = strrchr(subject->tail, '\n');
        return line ? line + 1 : subject->tail;
}

/* What comes before them. */
static const char *said(struct subject *subject)
{
        return *last_words(subject) ? "; it said: " : "; it said nothing";
}

/* How it ended, in words, beside what it said. */
static int ended_at_once(struct proof *proof)
{
        struct subject *subject = &proof->subject;
        const char *program = proof->options->program[0];
        int status = subject->status;
        char how[64];

        if (WIFSIGNALED(status))
                snprintf(how, sizeof(how), "by signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else
                snprintf(how, sizeof(how), "with status %d", WEXITSTATUS(status));
        subject_read(subject);
        return cannot(proof, -ECHILD, "%s ended %s before it listened at anything%s%s", program,
                      how, said(subject), last_words(subject));
}

static int is_up(struct proof *proof, uint64_t begun)
{
        uint64_t now = hot__clock_now();
        int r = 0;

        family_look(&proof->evidence->family);
        if (!proof->options->url) {
                r = locate_listener(&proof->evidence->family, now > begun + UNIX_AFTER,
                                    proof->evidence->address);
                if (r == 0)
                        r = resolve(proof);
        }
        return r < 0 ? r : ask_connect(&proof->target, now + PROOF_SECOND);
}

static int start_program(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        const char *program = proof->options->program[0];
        uint64_t begun = hot__clock_now();
        int r = subject_start(&proof->subject, proof->options->program);

        if (r < 0)
                return cannot(proof, r, "%s: %s", program, strerror(-r));
        evidence->is_local = true;
        evidence->family.all_of_ours = true;
        family_add(&evidence->family, proof->subject.pid);
        while (is_up(proof, begun) < 0) {
                r = look_around(proof, LOOK);
                if (r < 0)
                        return r;
                subject_reap(&proof->subject);
                if (proof->subject.pid == 0 && family_count(&evidence->family) == 0)
                        return ended_at_once(proof);
                if (hot__clock_now() > begun + START_LIMIT)
                        return cannot(proof, -ETIMEDOUT,
                                      "%s does not listen at anything after %d s%s%s", program,
                                      (int)(START_LIMIT / PROOF_SECOND), said(&proof->subject),
                                      last_words(&proof->subject));
        }
        return 0;
}

/* Who serves what runs already: who was named, else who holds the address. */
static int attach(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        pid_t pid = proof->options->pid;
        char name[16];
        int r;

        r = ask_connect(&proof->target, hot__clock_now() + 5 * PROOF_SECOND);
        if (r < 0)
                return cannot(proof, r, "%s: %s", evidence->address, strerror(-r));
        if (pid == 0 && proof->options->pid_file) {
                r = locate_pid_file(proof->options->pid_file, &pid);
                if (r < 0)
                        return cannot(proof, r, "%s: %s", proof->options->pid_file,
                                      r == -EINVAL ? "no pid in it" : strerror(-r));
        }
        if (pid == 0 && hot_inspect_holder(evidence->address, &pid, name, sizeof(name)) < 0)
                pid = 0;
        if (pid != 0) {
                r = family_add(&evidence->family, pid);
                if (r < 0 && (proof->options->pid || proof->options->pid_file))
                        return cannot(proof, r, "process %d: %s", pid, strerror(-r));
                evidence->is_local = r == 0;
        }
        return 0;
}

/*
 * Server::Starter stops the old worker when the new one has lived for a second, and not before: both accept
 * meanwhile, by its design. That is known, and told, but nobody's fault here.
 */
static void look_for_starter(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        char port[256];

        /* It listens before there is a worker; by now one has answered. */
        family_look(&evidence->family);

        for (size_t i = 0; i < evidence->family.n; i++)
                evidence->starter |=
                        hot_inspect_environment(evidence->family.members[i].pid,
                                                "SERVER_STARTER_PORT", port, sizeof(port)) == 0;
        if (evidence->starter && proof->options->overlap == PROOF_OVERLAP_DEFAULT)
                evidence->lineage.overlap = STARTER_OVERLAP;
}

static int begin(struct proof *proof)
{
        int r = proof->options->url ? take_url(proof) : 0;

        proof->evidence->tls |= proof->options->tls;
        if (r == 0)
                r = proof->options->program ? start_program(proof) : attach(proof);
        return r;
}

/* ---- act 2: what its answers are like ---- */

static int rehearse(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        uint64_t limit = hot__clock_now() + REHEARSAL_LIMIT;
        int r = rehearsal_run(evidence, &proof->target,
                              limit < proof->deadline ? limit : proof->deadline);

        if (r == -EINVAL)
                return cannot(proof, r, "--profile %s: not a list of profiles",
                              evidence->options->profiles);
        if (r == -ENOTSUP)
                return cannot(proof, r, "no kind of traffic is left: %s: %s",
                              evidence->skips[0].name, evidence->skips[0].reason);
        if (r == -EINTR)
                return r;
        if (r == -ELIBACC)
                return cannot(proof, r, "libssl.so.3 is not to be had here");
        if (r < 0)
                return cannot(proof, r, "%s does not answer GET %s: %s", evidence->address,
                              rehearsal_path(evidence), strerror(-r));
        return 0;
}

/* ---- acts 3 and 5: its descriptors, at rest ---- */

static size_t total(const struct proof_table *table)
{
        size_t n = 0;

        for (size_t i = 0; i < table->n; i++)
                n += hot_inspect_count(table->processes[i]);
        return n;
}

/* Is there nothing in it that time might still take away? Looks at numbers only. */
static bool is_small(const struct proof_table *table, const struct proof_table *like)
{
        size_t newest = 0, oldest = SIZE_MAX;

        if (!like)
                return true;
        for (size_t i = 0; i < table->n; i++) {
                if (table->epochs[i] > newest)
                        newest = table->epochs[i];
                if (table->epochs[i] < oldest)
                        oldest = table->epochs[i];
        }
        return total(table) <= total(like) && table->n <= like->n &&
               (table->n < 2 || oldest == newest || table->n == like->n);
}

/*
 * Take a table when the server has come to rest: no larger than @like, and the same a few times. What does
 * not go away in time stays in the table, for the findings.
 */
static int take_at_rest(struct proof *proof, uint64_t limit, const struct proof_table *like,
                        struct proof_table *ret)
{
        struct family *family = &proof->evidence->family;
        uint64_t since = hot__clock_now();
        size_t last = 0;
        int still = 0, r = 0;

        if (!proof->evidence->is_local)
                return 0;
        while (r == 0) {
                family_look(family);
                table_take(family, false, ret);
                still = total(ret) == last && is_small(ret, like) ? still + 1 : 0;
                if (total(ret) != last)
                        since = hot__clock_now();
                last = total(ret);
                if (still == STILL_LOOKS || hot__clock_now() > limit || ret->n == 0 ||
                    hot__clock_now() > since + STILL_LIMIT)
                        break;
                r = look_around(proof, 2 * LOOK);
        }
        table_take(family, true, ret);
        return r;
}

static uint64_t at_most(const struct proof *proof, uint64_t span)
{
        uint64_t limit = hot__clock_now() + span;

        return limit < proof->deadline - STOP_LIMIT ? limit : proof->deadline - STOP_LIMIT;
}

/*
 * An older generation may be on probation: what it holds is no leak. Its end is waited for, if there is time.
 */
static int wait_for_probation(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        struct family *family = &evidence->family;
        uint64_t limit = proof->deadline - STOP_LIMIT - PROOF_SECOND;
        int r = 0;

        evidence->on_probation = 0;
        family_look(family);
        for (size_t i = 0; proof->options->probation && r == 0 && i < family->n; i++) {
                const struct member *member = &family->members[i];
                pid_t pid = member->pid;
                uint64_t until;
                int left;

                if (member->gone || member->state == 'Z' || member->epoch >= evidence->n_restarts)
                        continue;
                left = proof->options->probation(pid);
                if (left < 0)
                        continue;
                until = hot__clock_now() + (uint64_t)left * PROOF_MILLISECOND + PROBATION_GRACE;
                if (until > limit) {
                        evidence->on_probation = pid;
                        continue;
                }
                while (r == 0 && hot__clock_now() < until && proof->options->probation(pid) >= 0)
                        r = look_around(proof, 5 * LOOK);
        }
        return r;
}

/* ---- act 4: traffic and restarts ---- */

static int perform(struct proof *proof)
{
        struct campaign campaign = {
                .evidence = proof->evidence,
                .subject = &proof->subject,
                .target = &proof->target,
                .signal_fd = proof->signal_fd,
                .deadline = proof->deadline - FOR_THE_END,
        };
        int r = campaign_run(&campaign);

        if (r < 0 && r != -EINTR)
                return cannot(proof, r, "the traffic cannot go on: %s", strerror(-r));
        return r;
}

static int play(struct proof *proof)
{
        struct proof_evidence *evidence = proof->evidence;
        int r = begin(proof);

        proof->deadline =
                hot__clock_now() + proof->options->restarts * proof->options->every + SLACK;
        if (r == 0)
                r = rehearse(proof);
        if (r == 0 && evidence->is_local)
                look_for_starter(proof);
        if (r == 0)
                r = take_at_rest(proof, at_most(proof, PROOF_SECOND), NULL, &evidence->before);
        if (r == 0)
                r = perform(proof);
        if (r == 0 && evidence->is_local)
                r = wait_for_probation(proof);
        if (r == 0)
                r = take_at_rest(proof, at_most(proof, REST_LIMIT), &evidence->before,
                                 &evidence->after);
        if (r == 0)
                evidence->down = ask_connect(&proof->target, at_most(proof, PROOF_SECOND)) < 0;
        return r;
}

/* What is written through TLS to a server that has closed raises a signal; plain writes do not. */
static int open_signals(struct proof *proof, sigset_t *ret_before, struct sigaction *ret_pipe)
{
        const struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigset_t set;

        sigaction(SIGPIPE, &ignore, ret_pipe);
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &set, ret_before) < 0)
                return -errno;
        proof->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return proof->signal_fd < 0 ? -errno : 0;
}

/* What has ended the proof has done its work: it must not end this process as well, nor must another like it. */
static void forget_signals(const struct proof *proof)
{
        struct signalfd_siginfo info;

        while (read(proof->signal_fd, &info, sizeof(info)) == sizeof(info))
                continue;
}

int proof_run(const struct proof_options *options, struct proof_evidence *ret, char *problem,
              size_t size)
{
        struct proof proof = {
                .options = options,
                .evidence = ret,
                .with_path = *options,
                .subject = {.output_fd = -EBADF, .output_end = -EBADF},
                .signal_fd = -EBADF,
                .problem = problem,
                .problem_size = size,
        };
        struct sigaction pipe;
        sigset_t before;
        int r;

        *ret = (struct proof_evidence){.options = options};
        ret->lineage.overlap = options->overlap;
        family_init(&ret->family);
        snprintf(ret->fault, sizeof(ret->fault), "%s", fault_describe(options->fault));
        r = open_signals(&proof, &before, &pipe);
        if (r == 0)
                r = subject_init(&proof.subject, &before, options->program != NULL,
                                 options->verbose);
        if (r < 0)
                return cannot(&proof, r, "%s", strerror(-r));
        ret->options = &proof.with_path;
        r = play(&proof);
        ret->options = options;
        ret->interrupted = r == -EINTR;
        /* Whether two descriptors are one can only be asked while their process lives. */
        if (r == 0)
                findings_gather(ret);
        subject_end(&proof.subject, hot__clock_now() + STOP_LIMIT, family_group(&ret->family));
        if (r == -EINTR)
                forget_signals(&proof);
        hot__fd_close(proof.signal_fd);
        sigprocmask(SIG_SETMASK, &before, NULL);
        sigaction(SIGPIPE, &pipe, NULL);
        return r == -EINTR ? PROOF_INTERRUPTED : r;
}
