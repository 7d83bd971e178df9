/* SPDX-License-Identifier: MIT */
#include "campaign.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "locate.h"
#include "rehearsal.h"

#define EFFECT_LIMIT (5 * PROOF_SECOND)        /* a restart is given so long to show */
#define FATAL_LIMIT  PROOF_SECOND              /* one that is made to fail shows nothing */
#define SETTLE_LEAST (800 * PROOF_MILLISECOND) /* of traffic after the last one */
#define STEADY_LEAST (300 * PROOF_MILLISECOND) /* of traffic before the first one */
#define AFTER_EFFECT (250 * PROOF_MILLISECOND) /* what belongs to a restart that is done */
#define TURN_LIMIT   (50 * PROOF_MILLISECOND)  /* from look to look when nothing happens */
#define WAIT_BUDGET  (8 * PROOF_SECOND) /* for restarts that take longer than their spacing */
#define GIVE_UP_AFTER \
        (2 * PROOF_SECOND) /* what is under way for so long at the end has no answer */
#define N_DOTS 400         /* of one profile, at most */

static uint64_t larger(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

/* ---- begin and end ---- */

static uint64_t plan(const struct proof_options *options)
{
        return options->restarts * options->every + SETTLE_LEAST + STEADY_LEAST;
}

static int allocate(struct proof_evidence *evidence)
{
        evidence->restarts = calloc(evidence->options->restarts + 1, sizeof(*evidence->restarts));
        evidence->failures = calloc(PROOF_FAILURES_MAX, sizeof(*evidence->failures));
        return evidence->restarts && evidence->failures ? 0 : -ENOMEM;
}

static enum hot__identify identify_of(enum proof_identify identify)
{
        switch (identify) {
        case PROOF_IDENTIFY_PID:
                return HOT__IDENTIFY_PID;
        case PROOF_IDENTIFY_BODY:
                return HOT__IDENTIFY_BODY;
        default:
                return HOT__IDENTIFY_HEADERS;
        }
}

static int open_campaign(struct campaign *campaign)
{
        struct proof_evidence *evidence = campaign->evidence;
        struct hot__load_options options = {
                .target = evidence->address,
                .profiles = evidence->profiles,
                .n_profiles = evidence->n_profiles,
                .tls = evidence->tls,
                .identify = identify_of(evidence->identify),
                .observer = collector_observer(&campaign->collector),
        };
        int r = allocate(evidence);

        campaign->collector = (struct collector){
                .evidence = evidence,
                .watcher = &campaign->watcher,
                .bucket = plan(evidence->options) / N_DOTS,
        };
        collector_prepare(&campaign->collector);
        if (r == 0)
                r = watcher_start(&campaign->watcher, evidence, campaign->target,
                                  rehearsal_path(evidence));
        if (r == 0)
                r = hot__load_new(&campaign->load, &options);
        if (r < 0)
                return r;
        campaign->collector.generations = &hot__load_tally(campaign->load)->generations;
        evidence->began = hot__clock_now();
        campaign->next = evidence->began + larger(evidence->options->every, STEADY_LEAST);
        campaign->waiting_budget = evidence->began +
                                   evidence->options->restarts * evidence->options->every +
                                   WAIT_BUDGET;
        progress_begin(&campaign->progress, evidence->options->quiet);
        return 0;
}

static void give_up_command(struct campaign *campaign, size_t restart);

static void close_campaign(struct campaign *campaign)
{
        struct proof_evidence *evidence = campaign->evidence;

        progress_end(&campaign->progress);
        if (campaign->subject->command != 0 && evidence->n_restarts > 0)
                give_up_command(campaign, evidence->n_restarts - 1);
        if (campaign->load) {
                evidence->unfinished = hot__load_busy(campaign->load);
                collector_finish(&campaign->collector, hot__load_tally(campaign->load));
        }
        watcher_stop(&campaign->watcher);
        campaign->load = hot__load_free(campaign->load);
}

/* ---- restarts ---- */

static int send_signal(pid_t pid)
{
        if (pid <= 0)
                return -ESRCH;
        return kill(pid, SIGUSR2) < 0 ? -errno : 0;
}

static pid_t serving(struct campaign *campaign)
{
        const struct proof_options *options = campaign->evidence->options;
        pid_t pid;

        if (options->pid_file && locate_pid_file(options->pid_file, &pid) == 0)
                return pid;
        return watcher_serving(&campaign->watcher);
}

/*
 * A command that has not ended when the next one is due is not waited for any longer, unless it has become the
 * server itself.
 */
static void give_up_command(struct campaign *campaign, size_t restart)
{
        struct subject *subject = campaign->subject;
        pid_t pid = serving(campaign);
        pid_t group = pid > 0 ? getpgid(pid) : 0;

        if (subject->command == 0)
                return;
        if (group != subject->command) {
                campaign->evidence->restarts[restart].command_status = PROOF_COMMAND_HANGS;
                subject_end_command(subject, group);
        }
        subject->command = 0;
}

static int trigger(struct campaign *campaign)
{
        const struct proof_evidence *evidence = campaign->evidence;
        const struct proof_options *options = evidence->options;
        pid_t pid = serving(campaign);
        int r;

        if (options->fault == PROOF_FAULT_FD_LIMIT && pid > 0)
                (void)fault_limit(pid, options->fault_value);
        if (options->restart_command) {
                if (evidence->n_restarts > 1)
                        give_up_command(campaign, evidence->n_restarts - 2);
                watcher_command(&campaign->watcher, UINT64_MAX);
                return subject_command(campaign->subject, options->restart_command, pid);
        }
        r = send_signal(pid);
        if (r == 0 && options->fault == PROOF_FAULT_DOUBLE_TRIGGER)
                r = send_signal(pid);
        return r;
}

static void restart(struct campaign *campaign)
{
        struct proof_evidence *evidence = campaign->evidence;
        uint64_t now = hot__clock_now();
        int r;

        watcher_triggered(&campaign->watcher, now);
        collector_restart(&campaign->collector, now);
        r = trigger(campaign);
        if (r < 0)
                evidence->restarts[evidence->n_restarts - 1].command_status = PROOF_COMMAND_UNSENT;
        campaign->state = evidence->n_restarts == evidence->options->restarts ? CAMPAIGN_SETTLING
                                                                              : CAMPAIGN_TRAFFIC;
        campaign->next = now + evidence->options->every;
        if (campaign->state == CAMPAIGN_SETTLING)
                campaign->next = now + larger(evidence->options->every, SETTLE_LEAST);
        campaign->patience =
                now + (fault_is_fatal(evidence->options->fault) ? FATAL_LIMIT : EFFECT_LIMIT);
}

static bool is_gone(struct campaign *campaign)
{
        return campaign->subject->is_ours && watcher_alive(&campaign->watcher) == 0 &&
               campaign->subject->command == 0;
}

/* Is the last restart still to show its effect, and is there time to wait for it? */
static bool is_waiting(struct campaign *campaign, uint64_t now)
{
        const struct proof_evidence *evidence = campaign->evidence;
        uint64_t left = evidence->options->restarts - evidence->n_restarts;

        if (is_gone(campaign))
                return false;
        if (evidence->n_restarts == 0 || now >= campaign->patience ||
            now + left * evidence->options->every > campaign->waiting_budget)
                return false;
        if (campaign->subject->command != 0)
                return true;
        /* One that failed has said that there will be none. */
        if (evidence->restarts[evidence->n_restarts - 1].command_status != 0)
                return false;
        return evidence->identified && watcher_effect(&campaign->watcher) == 0;
}

static void end_traffic(struct campaign *campaign)
{
        hot__load_stop(campaign->load);
        campaign->state = CAMPAIGN_ENDING;
}

static void advance(struct campaign *campaign)
{
        struct proof_evidence *evidence = campaign->evidence;
        uint64_t now = hot__clock_now();

        switch (campaign->state) {
        case CAMPAIGN_TRAFFIC:
                if (is_gone(campaign) || now >= campaign->deadline) {
                        campaign->state = CAMPAIGN_SETTLING;
                        campaign->next = now + AFTER_EFFECT;
                        break;
                }
                if (now < campaign->next || is_waiting(campaign, now))
                        break;
                watcher_want_epoch(&campaign->watcher, evidence->n_restarts + 1);
                campaign->state = CAMPAIGN_PREPARED;
                break;
        case CAMPAIGN_PREPARED:
                if (watcher_epoch(&campaign->watcher) == evidence->n_restarts + 1)
                        restart(campaign);
                break;
        case CAMPAIGN_SETTLING:
                if ((now >= campaign->next && !is_waiting(campaign, now)) ||
                    now >= campaign->deadline)
                        end_traffic(campaign);
                break;
        case CAMPAIGN_ENDING:
                if (now >= campaign->deadline)
                        hot__load_give_up(campaign->load, now - GIVE_UP_AFTER);
                if (hot__load_is_done(campaign->load) || now >= campaign->deadline)
                        campaign->state = CAMPAIGN_OVER;
                break;
        case CAMPAIGN_OVER:
                break;
        }
}

/* ---- the loop ---- */

static void take_in_effect(struct campaign *campaign)
{
        uint64_t effect = watcher_effect(&campaign->watcher);

        if (effect == 0 || campaign->effects == campaign->evidence->n_restarts)
                return;
        campaign->effects = campaign->evidence->n_restarts;
        collector_effect(&campaign->collector, effect, effect + AFTER_EFFECT);
}

static void command_ended(struct campaign *campaign)
{
        struct proof_evidence *evidence = campaign->evidence;
        uint64_t now = hot__clock_now();

        watcher_command(&campaign->watcher, now);
        if (evidence->n_restarts == 0)
                return;
        evidence->restarts[evidence->n_restarts - 1].command_ended = now;
        evidence->restarts[evidence->n_restarts - 1].command_status =
                campaign->subject->command_status;
}

/* Returns -EINTR after a signal that ends all. */
static int take_signals(struct campaign *campaign)
{
        struct signalfd_siginfo info;
        bool child = false;
        int r = 0;

        while (read(campaign->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                child |= info.ssi_signo == SIGCHLD;
                if (info.ssi_signo != SIGCHLD)
                        r = -EINTR;
        }
        if (child && subject_reap(campaign->subject))
                command_ended(campaign);
        return r;
}

static void wait_for_something(struct campaign *campaign)
{
        struct pollfd polled[] = {
                {.fd = hot__load_fd(campaign->load), .events = POLLIN},
                {.fd = campaign->signal_fd, .events = POLLIN},
                {.fd = campaign->subject->output_fd, .events = POLLIN},
                {.fd = campaign->watcher.told_fd, .events = POLLIN},
        };
        uint64_t now = hot__clock_now(), at = now + TURN_LIMIT;
        struct timespec left = {0};

        if (hot__load_deadline(campaign->load) < at)
                at = hot__load_deadline(campaign->load);
        if (campaign->next > now && campaign->next < at)
                at = campaign->next;
        if (at > now)
                left.tv_nsec = (long)(at - now);
        ppoll(polled, sizeof(polled) / sizeof(*polled), &left, NULL);
        if (polled[2].revents)
                subject_read(campaign->subject);
        if (polled[3].revents)
                watcher_told(&campaign->watcher);
}

int campaign_run(struct campaign *campaign)
{
        int r;

        campaign->subject->is_traced = fault_is_fatal(campaign->evidence->options->fault);
        r = open_campaign(campaign);
        while (r == 0 && campaign->state != CAMPAIGN_OVER) {
                wait_for_something(campaign);
                r = take_signals(campaign);
                if (r == 0)
                        r = hot__load_process(campaign->load);
                if (r == 0)
                        r = campaign->collector.error;
                take_in_effect(campaign);
                advance(campaign);
                progress_draw(&campaign->progress, campaign->evidence, &campaign->collector);
        }
        close_campaign(campaign);
        campaign->subject->is_traced = false;
        return r;
}
