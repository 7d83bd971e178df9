/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "pidfile.h"

/*
 * Opening and closing a generation, and what its host asks and confirms.
 */

extern char **environ;

static unsigned int or_default(unsigned int milliseconds, unsigned int otherwise)
{
        return milliseconds ? milliseconds : otherwise;
}

static int copy_text(char **ret, const char *text)
{
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

static int take_options(struct hot *hot, const struct hot_options *options)
{
        struct hot_options *o = &hot->options;

        if (options && (options->size < sizeof(options->size) || options->size > sizeof(*o)))
                return -EINVAL;
        if (options)
                memcpy(o, options, options->size);
        o->start_ms = or_default(o->start_ms, 30000);
        o->quiesce_ms = or_default(o->quiesce_ms, 5000);
        o->serve_ms = or_default(o->serve_ms, 5000);
        o->drain_ms = or_default(o->drain_ms, 60000);
        o->probation_ms = or_default(o->probation_ms, 2000);
        o->max_generations = or_default(o->max_generations, 8);
        if (o->max_generations < 2 || o->max_generations > HOT__N_ANCESTORS)
                return -EINVAL;
        if (copy_text(&hot->pid_file, o->pid_file) < 0 || copy_text(&hot->check, o->check) < 0)
                return -ENOMEM;
        return 0;
}

static const char *value_of(const char *name)
{
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

/* unsetenv(3) moves what is behind the variable up. */
static void forget_announcement(void)
{
        char **entry = environ;

        while (entry && *entry) {
                char name[256];
                size_t len = strcspn(*entry, "=");

                if (!hot__dialect_owns(*entry) || len >= sizeof(name)) {
                        entry++;
                        continue;
                }
                memcpy(name, *entry, len);
                name[len] = '\0';
                unsetenv(name);
        }
}

static struct hot__manner manner(const struct hot *hot)
{
        return (struct hot__manner){
                .checks = hot->check != NULL,
                .holds = hot->options.manual_commit != 0,
                .probation = hot->options.probation_ms != HOT_NONE,
        };
}

static int open_generation(struct hot *hot, const struct hot_options *options)
{
        const char *notify_socket = getuid() == geteuid() ? value_of("NOTIFY_SOCKET") : NULL;
        int r;

        r = take_options(hot, options);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "options");
        hot__attributes_capture(&hot->attributes);
        for (int fd = 0; fd < 3; fd++)
                hot->stdio[fd] = hot__fd_is_open(fd);
        r = hot__program_capture(&hot->program, hot->options.program, hot->options.argv, environ);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "arguments");
        r = hot__notify_init(&hot->notify, notify_socket);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "NOTIFY_SOCKET");
        r = hot__privilege_capture(&hot->privilege);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "privileges");
        hot__watchdog_init(hot, value_of("WATCHDOG_USEC"), value_of("WATCHDOG_PID"));
        r = hot__control_open(hot, value_of("XDG_RUNTIME_DIR"));
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_CONTROL, -r, -EBADF, hot->options.control);
        /* Before anything of ours takes a number that may have been announced. */
        r = hot__inherit(hot, environ);
        forget_announcement();
        if (r < 0)
                return r;
        r = hot__events_init(hot);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "");
        hot__lifecycle_init(&hot->life, hot->predecessor.fd >= 0, hot->elder_verdict >= 0,
                            manner(hot));
        hot->life.crowded = hot__chain_is_crowded(hot);
        return 0;
}

int hot_open(struct hot **ret_hot, const struct hot_options *options)
{
        struct hot *hot = calloc(1, sizeof(*hot));

        *ret_hot = hot;
        if (!hot)
                return -ENOMEM;
        hot->epoll_fd = hot->timer_fd = hot->wake_fd = hot->signal_fd = hot->barrier_fd = -EBADF;
        hot->predecessor.fd = hot->successor.fd = -EBADF;
        hot->predecessor_process.pidfd = hot->successor_process.pidfd = -EBADF;
        hot->seed_parent.pidfd = -EBADF;
        hot->init.channel.fd = -EBADF;
        hot->verdict = hot->predecessor_verdict = hot->elder_verdict = -EBADF;
        hot->tail.fd = hot->own_stderr = hot->taking.fd = -EBADF;
        hot->opened = hot__now();
        sigemptyset(&hot->early);
        return open_generation(hot, options);
}

void hot_free(struct hot *hot)
{
        if (!hot)
                return;
        if (hot__lifecycle_is_restarting(&hot->life))
                hot__kill_successor(hot);
        if (hot->successor_killed)
                hot__process_reap(&hot->successor_process);
        /* A predecessor that retired while we ended has written it since. */
        if (hot->life.phase == HOT__PHASE_EXITED)
                hot__remove_own_pid(hot);
        hot__forget_successor(hot);
        hot__forget_predecessor(hot);
        hot__chain_done(hot);
        hot__capture_done(hot);
        hot__control_done(hot);
        hot__process_done(&hot->seed_parent);
        hot->barrier_fd = hot__fd_close(hot->barrier_fd);
        hot->verdict = hot__fd_close(hot->verdict);
        hot->predecessor_verdict = hot__fd_close(hot->predecessor_verdict);
        hot->elder_verdict = hot__fd_close(hot->elder_verdict);
        hot__giving_done(hot);
        hot__taking_done(hot);
        hot__leftovers_done(hot);
        hot__listeners_close(hot);
        hot__state_done(hot);
        hot__init_done(&hot->init);
        hot__notify_done(&hot->notify);
        hot__events_done(hot);
        hot__privilege_done(&hot->privilege);
        hot__program_done(&hot->program);
        free(hot->pid_file);
        free(hot->check);
        free(hot);
}

uint64_t hot_generation(const struct hot *hot)
{
        return hot->generation;
}

/* After a call of the host: what it caused is told by hot_next(), so hot_fd() must be readable. */
static int fed(struct hot *hot, enum hot__input input)
{
        hot__feed(hot, input);
        hot__wake(hot);
        return 0;
}

int hot_ready(struct hot *hot)
{
        if (!hot)
                return -EINVAL;
        if (hot->life.phase != HOT__PHASE_OPENED)
                return -EALREADY;
        if (!hot->life.has_predecessor)
                hot__listeners_close_unclaimed(hot);
        hot__capture_end(hot);
        return fed(hot, HOT__IN_READY);
}

int hot_serving(struct hot *hot)
{
        if (!hot ||
            (hot->life.phase != HOT__PHASE_BEGINNING && hot->life.phase != HOT__PHASE_RESUMING))
                return -EINVAL;
        if (hot->refused)
                return -EINVAL;
        hot__state_settle(hot);
        return fed(hot, HOT__IN_SERVING);
}

int hot_quiesced(struct hot *hot)
{
        if (hot && hot__leftovers_are_there(hot)) {
                hot__leftovers_quiesced(hot);
                hot__wake(hot);
                return 0;
        }
        if (hot && hot->life.hurried)
                return 0;
        if (!hot ||
            (hot->life.phase != HOT__PHASE_QUIESCING && hot->life.phase != HOT__PHASE_STOPPING))
                return -EINVAL;
        /* A dead one must not be committed: the seed's protocol has no SERVING that would be missed. Its
         * death is about to be read, and HOT_RESUME follows. */
        if (hot->life.phase == HOT__PHASE_QUIESCING &&
            hot__process_has_ended(&hot->successor_process))
                return 0;
        return fed(hot, HOT__IN_QUIESCED);
}

int hot_dropped_privileges(struct hot *hot)
{
        struct hot__privilege now;
        int r;

        if (!hot)
                return -EINVAL;
        r = hot__privilege_capture(&now);
        if (r < 0)
                return r;
        hot__privilege_done(&hot->privilege);
        hot->privilege = now;
        return 0;
}

int hot_restart(struct hot *hot)
{
        atomic_store(&hot->restart_wanted, true);
        hot__wake(hot);
        return 0;
}

int hot_commit(struct hot *hot)
{
        atomic_store(&hot->commit_wanted, true);
        hot__wake(hot);
        return 0;
}

int hot_abort(struct hot *hot)
{
        atomic_store(&hot->abort_wanted, true);
        hot__wake(hot);
        return 0;
}

int hot_stop(struct hot *hot)
{
        atomic_fetch_add(&hot->stops_wanted, 1);
        hot__wake(hot);
        return 0;
}

int hot_figure(struct hot *hot, const char *name, const long *value)
{
        size_t len = name ? strlen(name) : 0;

        if (!hot || !value || len == 0 || len >= sizeof(hot->figures[0].name))
                return -EINVAL;
        for (size_t i = 0; i < hot->n_figures; i++)
                if (strcmp(hot->figures[i].name, name) == 0)
                        return -EEXIST;
        if (hot->n_figures == HOT__N_FIGURES)
                return -ENOSPC;
        strcpy(hot->figures[hot->n_figures].name, name);
        hot->figures[hot->n_figures++].value = value;
        return 0;
}

void hot_hold(struct hot *hot)
{
        atomic_fetch_add(&hot->holds, 1);
}

void hot_release(struct hot *hot)
{
        if (atomic_fetch_sub(&hot->holds, 1) == 1)
                hot__wake(hot);
}

/* A shell starts background jobs with SIGINT ignored, so that Ctrl-C leaves them alone: respect it. */
static void choose_signals(const struct hot *hot, sigset_t *ret)
{
        sigemptyset(ret);
        sigaddset(ret, SIGUSR2);
        sigaddset(ret, SIGTERM);
        if (sigismember(&hot->attributes.ignored, SIGINT) != 1)
                sigaddset(ret, SIGINT);
}

int hot_signals(struct hot *hot)
{
        sigset_t wanted;
        int fd, r;

        if (!hot)
                return -EINVAL;
        if (hot->signal_fd >= 0)
                return -EALREADY;
        choose_signals(hot, &wanted);
        fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, errno, -EBADF, "signalfd");
        hot->signal_fd = hot__fd_take_above_stdio(fd);
        r = hot->signal_fd < 0 ? hot->signal_fd
                               : hot__watch(hot, hot->signal_fd, HOT__SOURCE_SIGNALS);
        if (r < 0) {
                hot->signal_fd = hot__fd_close(hot->signal_fd);
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, "signalfd");
        }
        /* Blocked ones are queued whatever their disposition is, an inherited SIG_IGN included. */
        pthread_sigmask(SIG_BLOCK, &wanted, NULL);
        return hot_signal_block(hot, SIGUSR2);
}

int hot_signal_block(struct hot *hot, int signal)
{
        if (!hot || signal == SIGKILL || signal == SIGSTOP || sigaddset(&hot->early, signal) < 0)
                return -EINVAL;
        return 0;
}
