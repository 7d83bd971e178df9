/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.h"
#include "pidfile.h"

/*
 * Performs what the lifecycle decides: one function for each action. Nothing here decides on its own
 * whether a restart goes on; what goes wrong is fed back.
 */

/* How long we wait for the service manager to have read that MAINPID changed. */
#define BARRIER_MS 5000

static void notify(struct hot *hot, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A manager that cannot be reached changes nothing for those whom we serve. */
static void notify(struct hot *hot, const char *format, ...)
{
        char lines[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(lines, sizeof(lines), format, arguments);
        va_end(arguments);
        hot__notify_send(&hot->notify, lines);
}

/* Returns 0 or a negative errno. That the new process is dead is no error: its pidfd tells, and how it died. */
static int send_frame(struct hot *hot, struct hot__channel *channel, const struct hot__frame *frame)
{
        bool to_successor = channel == &hot->successor;
        uint8_t bytes[HOT__FRAME_MAX];
        ssize_t len = hot__frame_encode(frame, bytes, sizeof(bytes));
        int r;

        if (len < 0)
                return (int)len;
        r = channel->fd < 0 ? -EPIPE : hot__channel_send(channel, bytes, (size_t)len, NULL, 0);
        hot__watch_writable(hot, channel,
                            to_successor ? HOT__SOURCE_SUCCESSOR : HOT__SOURCE_PREDECESSOR);
        if (r < 0 && to_successor && hot__process_has_ended(&hot->successor_process))
                return 0;
        return r;
}

static int send_plain(struct hot *hot, struct hot__channel *channel, enum hot__frame_type type)
{
        return send_frame(hot, channel, &(struct hot__frame){.type = (uint16_t)type});
}

void hot__forget_successor(struct hot *hot)
{
        if (hot->successor_process.pid > 0 && hot__process_has_ended(&hot->successor_process))
                hot__process_reap(&hot->successor_process);
        hot__unwatch(hot, hot->successor.fd);
        hot__unwatch(hot, hot->successor_process.pidfd);
        hot__channel_done(&hot->successor);
        hot__process_done(&hot->successor_process);
        hot->successor_killed = false;
}

void hot__forget_predecessor(struct hot *hot)
{
        hot__unwatch(hot, hot->predecessor.fd);
        hot__unwatch(hot, hot->predecessor_process.pidfd);
        hot__channel_done(&hot->predecessor);
        hot__process_done(&hot->predecessor_process);
}

/* Which step the new process did not complete. */
static enum hot_step step_awaited(enum hot__phase phase)
{
        switch (phase) {
        case HOT__PHASE_SPAWNED:
                return HOT_STEP_HELLO;
        case HOT__PHASE_OFFERED:
                return HOT_STEP_READY;
        case HOT__PHASE_QUIESCING:
                return HOT_STEP_QUIESCE;
        default:
                return HOT_STEP_SERVING;
        }
}

static void note_failure(struct hot *hot, enum hot_step step, enum hot_reason reason, int error,
                         const char *subject)
{
        if (hot->rolling_back)
                return;
        hot->rolling_back = true;
        hot__failure_fill(&hot->rolled_back, step, reason, error, subject);
        hot->rolled_back.detail.pid = hot->successor_process.pid;
        hot->rolled_back.detail.other = reason == HOT_REASON_STRANGER ? hot->stranger : 0;
}

void hot__roll_back(struct hot *hot, enum hot_reason reason, int error, enum hot__input input)
{
        note_failure(hot, step_awaited(hot->life.phase), reason, error, hot->successor_path);
        hot__feed(hot, input);
}

void hot__trigger(struct hot *hot)
{
        char path[PATH_MAX];
        struct hot__file_id now;
        bool same = hot__lifecycle_is_restarting(&hot->life) &&
                    hot__program_resolve(&hot->program, path, &now) == 0 &&
                    hot__file_id_equal(&now, &hot->successor_id);

        hot__feed(hot, same ? HOT__IN_TRIGGER : HOT__IN_TRIGGER_OTHER);
}

void hot__barrier_done(struct hot *hot)
{
        hot__unwatch(hot, hot->barrier_fd);
        hot->barrier_fd = hot__fd_close(hot->barrier_fd);
        hot->barrier_deadline = 0;
        hot__feed(hot, HOT__IN_RETIRED);
}

/* ---- R2, R3 ---- */

/* Descriptors of the child: its standard ones, the listeners, the channel. */
static size_t n_child_fds(const struct hot *hot)
{
        return HOT__FIRST_FD + hot->n_listeners + 1;
}

static int preflight(struct hot *hot)
{
        struct rlimit limit;
        int r;

        r = hot__program_resolve(&hot->program, hot->successor_path, &hot->successor_id);
        if (r < 0) {
                note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, -r, hot->program.name);
                return r;
        }
        hot__event_step(hot, HOT_STEP_PREFLIGHT, 0, hot->generation + 1, hot->successor_path);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && n_child_fds(hot) > limit.rlim_cur) {
                note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, EMFILE,
                             hot->successor_path);
                return -EMFILE;
        }
        return 0;
}

static int build_environment(struct hot *hot, struct hot__environment *ret)
{
        const char **names = calloc(hot->n_listeners + 1, sizeof(*names));
        int r;

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < hot->n_listeners; i++)
                names[i] = hot->listeners[i].name;
        r = hot__environment_build(hot->program.environment, names, hot->n_listeners,
                                   hot->generation + 1, ret);
        free(names);
        return r;
}

static int *build_table(const struct hot *hot, int channel)
{
        int *fds = calloc(n_child_fds(hot), sizeof(int));
        size_t n = 0;

        if (!fds)
                return NULL;
        for (; n < HOT__FIRST_FD; n++)
                fds[n] = hot->stdio[n] && hot__fd_is_open((int)n) ? (int)n : -EBADF;
        for (size_t i = 0; i < hot->n_listeners; i++)
                fds[n++] = hot->listeners[i].fd;
        fds[n] = channel;
        return fds;
}

static int spawn_with(struct hot *hot, const struct hot__environment *environment, int channel,
                      bool *ret_moved_to_root)
{
        int *fds = build_table(hot, channel), r;
        const char *home = hot->program.directory[0] ? hot->program.directory : "/";

        if (!fds)
                return -ENOMEM;
        r = hot__spawn(
                &(struct hot__spawn){
                        .path = hot->successor_path,
                        .argv = hot->program.argv,
                        .environment = environment->entries,
                        .pid_slot = environment->pid_slot,
                        .directory = hot__program_has_moved(&hot->program) ? home : NULL,
                        .fds = fds,
                        .n_fds = n_child_fds(hot),
                        .attributes = &hot->attributes,
                        .also_blocked = &hot->trigger,
                },
                &hot->successor_process, ret_moved_to_root);
        free(fds);
        return r;
}

static int spawn_successor(struct hot *hot)
{
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        struct hot__environment environment;
        bool moved_to_root = false;
        int r;

        r = hot__channel_pair(&hot->successor, &theirs);
        if (r < 0)
                return r;
        r = build_environment(hot, &environment);
        if (r < 0)
                return r;
        r = spawn_with(hot, &environment, theirs, &moved_to_root);
        hot__environment_done(&environment);
        if (r < 0)
                return r;
        hot__event_step(hot, HOT_STEP_SPAWN, hot->successor_process.pid, hot->generation + 1,
                        moved_to_root ? "in / since the start directory cannot be entered" : "");
        r = hot__watch(hot, hot->successor.fd, HOT__SOURCE_SUCCESSOR);
        if (r == 0)
                r = hot__watch(hot, hot->successor_process.pidfd, HOT__SOURCE_SUCCESSOR_PROCESS);
        return r;
}

static void do_arm_start(struct hot *hot)
{
        hot__set_deadline(hot, hot->options.start_ms);
}

static void do_spawn(struct hot *hot)
{
        int r;

        hot->rolling_back = false;
        hot__event_step(hot, HOT_STEP_TRIGGER, getpid(), hot->generation, "");
        notify(hot, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=restarting",
               hot__now() / 1000);
        r = preflight(hot);
        if (r == 0)
                r = spawn_successor(hot);
        if (r < 0) {
                note_failure(hot, HOT_STEP_SPAWN, HOT_REASON_ERROR, -r, hot->successor_path);
                hot__feed(hot, HOT__IN_SPAWN_FAILED);
        }
}

/* ---- R5 to R7, as the old generation ---- */

static void fill_item(struct hot__item *item, const struct hot__listener *l, size_t index)
{
        item->kind = l->activated ? HOT__ITEM_ACTIVATED : HOT__ITEM_LISTENER;
        item->fd = (uint32_t)(HOT__FIRST_FD + index);
        strcpy(item->name, l->name);
        strcpy(item->address, l->origin == HOT__BOUND ? l->address : "");
}

static int send_offer(struct hot *hot, struct hot__item *items)
{
        size_t sent = 0;
        int r;

        for (size_t i = 0; i < hot->n_listeners; i++)
                fill_item(&items[i], &hot->listeners[i], i);
        do {
                struct hot__frame frame = {
                        .type = HOT__OFFER,
                        .protocol = (uint32_t)hot->protocol,
                        .version = HOT_VERSION,
                        .generation = hot->generation + 1,
                        .n_items = (uint32_t)hot->n_listeners,
                        .items = items + sent,
                        .n_items_here = hot__frame_fits(items + sent, hot->n_listeners - sent),
                };

                r = send_frame(hot, &hot->successor, &frame);
                sent += frame.n_items_here;
        } while (r == 0 && sent < hot->n_listeners);
        return r;
}

static void do_offer(struct hot *hot)
{
        struct hot__item *items = calloc(hot->n_listeners + 1, sizeof(*items));
        int r;

        hot__event_step(hot, HOT_STEP_HELLO, hot->successor_process.pid, hot->generation + 1, "");
        r = items ? send_offer(hot, items) : -ENOMEM;
        free(items);
        if (r < 0)
                hot__roll_back(hot, HOT_REASON_ERROR, -r, HOT__IN_PEER_BROKE);
        else
                hot__event_step(hot, HOT_STEP_OFFER, hot->successor_process.pid,
                                hot->generation + 1, "");
}

static void do_quiesce(struct hot *hot)
{
        hot__event_step(hot, HOT_STEP_READY, hot->successor_process.pid, hot->generation + 1, "");
        hot__set_deadline(hot, hot->options.quiesce_ms);
        hot__event_add(hot, HOT_QUIESCE);
}

static void do_commit(struct hot *hot)
{
        int r;

        hot__event_step(hot, HOT_STEP_QUIESCE, getpid(), hot->generation, "");
        hot__set_deadline(hot, hot->options.serve_ms);
        r = send_plain(hot, &hot->successor, HOT__COMMIT);
        /* Nobody accepts now: what cannot come is not waited for. */
        if (r < 0)
                hot__roll_back(hot, HOT_REASON_ERROR, -r, HOT__IN_PEER_BROKE);
        else
                hot__event_step(hot, HOT_STEP_COMMIT, hot->successor_process.pid,
                                hot->generation + 1, "");
}

void hot__kill_successor(struct hot *hot)
{
        hot->successor_killed = hot->successor_process.pid > 0;
        hot__process_kill_family(&hot->successor_process);
}

static void do_stop_peer(struct hot *hot)
{
        if (hot->life.peer_is_seed)
                hot__process_signal(&hot->successor_process, SIGTERM);
        else
                send_plain(hot, &hot->successor, HOT__STOP);
}

static void do_resume(struct hot *hot)
{
        hot__event_add(hot, HOT_RESUME);
}

static void do_fail(struct hot *hot)
{
        struct hot__event *slot = hot__event_add(hot, HOT_FAILED);
        char words[512];

        if (hot->successor_process.pid > 0) {
                hot__process_kill_family(&hot->successor_process);
                hot->rolled_back.detail.wait_status = hot__process_reap(&hot->successor_process);
        }
        slot->failure = hot->rolled_back;
        slot->failure.detail.subject = slot->failure.subject;
        slot->event.failure = &slot->failure.detail;
        slot->event.pid = hot->rolled_back.detail.pid;
        slot->event.generation = hot->generation + 1;
        notify(hot, "READY=1\nSTATUS=restart rolled back: %s",
               hot_failure_string(slot->event.failure, words, sizeof(words)));
        hot__forget_successor(hot);
}

/* ---- R6 and R7, as the new generation ---- */

static void do_send_ready(struct hot *hot)
{
        send_plain(hot, &hot->predecessor, HOT__READY);
}

static void do_serve(struct hot *hot)
{
        hot__event_add(hot, HOT_SERVE);
}

static void do_announce(struct hot *hot)
{
        send_plain(hot, &hot->predecessor, HOT__SERVING);
        hot__process_signal(&hot->seed_parent, SIGTERM);
}

static void do_own(struct hot *hot)
{
        bool heir = hot->generation > 1 || hot->seed_parent.pid > 0;
        int r = hot->pid_file ? hot__pidfile_write(hot->pid_file, getpid()) : 0;

        if (r < 0)
                hot__event_trouble(hot, HOT_STEP_SERVING, -r, hot->pid_file);
        if (heir)
                notify(hot, "MAINPID=%d\nREADY=1\nSTATUS=serving", (int)getpid());
        else
                notify(hot, "READY=1\nSTATUS=serving");
        hot__process_done(&hot->seed_parent);
}

/* ---- R8 to R11, and stop ---- */

static void do_drain(struct hot *hot)
{
        struct hot__event *slot;

        hot__event_step(hot, HOT_STEP_SERVING, hot->successor_process.pid, hot->generation + 1, "");
        hot__set_deadline(hot, hot->options.drain_ms);
        slot = hot__event_add(hot, HOT_DRAIN);
        slot->event.pid = hot->successor_process.pid;
        slot->event.generation = hot->generation + 1;
        hot__listeners_close(hot);
}

/* The PID file must be right before the manager hears of the new pid: it looks there. */
static void do_retire(struct hot *hot)
{
        pid_t heir = hot->successor_process.pid;
        int r = hot->pid_file ? hot__pidfile_write(hot->pid_file, heir) : 0;

        if (r < 0)
                hot__event_trouble(hot, HOT_STEP_RETIRE, -r, hot->pid_file);
        notify(hot, "READY=1\nSTATUS=serving");
        notify(hot, "MAINPID=%d", (int)heir);
        if (hot__notify_barrier(&hot->notify, &hot->barrier_fd) < 0 || hot->barrier_fd < 0 ||
            hot__watch(hot, hot->barrier_fd, HOT__SOURCE_BARRIER) < 0) {
                hot__barrier_done(hot);
                return;
        }
        hot->barrier_deadline = hot__now() + (uint64_t)BARRIER_MS * 1000000;
        hot__set_timer(hot);
}

static void do_send_retired(struct hot *hot)
{
        send_plain(hot, &hot->successor, HOT__RETIRED);
        hot__event_step(hot, HOT_STEP_RETIRE, hot->successor_process.pid, hot->generation + 1, "");
}

static void do_forward(struct hot *hot)
{
        /* The signal is deadly to a successor that does not handle it; one that closed the channel
         * is out of reach. */
        if (hot->life.peer_is_seed)
                hot__process_signal(&hot->successor_process, SIGUSR2);
        else
                send_plain(hot, &hot->successor, HOT__TRIGGER);
}

static void do_stop(struct hot *hot)
{
        hot->stopping = true;
        if (hot->life.served)
                notify(hot, "STOPPING=1\nSTATUS=stopping");
        hot__set_deadline(hot, hot->options.drain_ms);
        hot__event_add(hot, HOT_STOP);
}

static void do_hurry(struct hot *hot)
{
        hot__event_add(hot, HOT_STOP);
}

static void do_let_go(struct hot *hot)
{
        if (hot->life.owner || hot->life.served)
                hot__listeners_unlink(hot);
        /* A host that did not confirm may still poll them: then they stay open until hot_free(). */
        if (hot->life.phase == HOT__PHASE_ENDING)
                hot__listeners_close(hot);
}

static void do_exit(struct hot *hot)
{
        struct hot__event *slot = hot__event_add(hot, HOT_EXIT);

        slot->event.held = atomic_load(&hot->holds);
        if (hot->stopping && hot->pid_file)
                hot__pidfile_remove(hot->pid_file, getpid());
}

/* In the order of enum hot__action's bits. */
static void (*const doers[])(struct hot *hot) = {
        hot__clear_deadline,
        hot__kill_successor,
        do_stop_peer,
        do_send_ready,
        do_serve,
        do_announce,
        do_own,
        do_resume,
        do_fail,
        do_arm_start,
        do_spawn,
        do_offer,
        do_quiesce,
        do_commit,
        do_drain,
        do_retire,
        do_send_retired,
        do_forward,
        do_stop,
        do_hurry,
        do_let_go,
        do_exit,
};

void hot__feed(struct hot *hot, enum hot__input input)
{
        uint32_t actions = hot__lifecycle_step(&hot->life, input);

        for (size_t i = 0; i < sizeof(doers) / sizeof(doers[0]); i++)
                if (actions & (1U << i))
                        doers[i](hot);
}
