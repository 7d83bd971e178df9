/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "pidfile.h"
#include "verdict.h"

/*
 * Performs what the lifecycle decides: one function for each action. Nothing here decides on its own
 * whether a restart goes on; what goes wrong is fed back.
 */

/* How long a stop waits for the predecessor to retire: its barrier, and some time to reach it. */
#define AWAIT_MS 10000

/* What a stop may take beyond its drain deadline. */
#define STOP_SPARE_USEC 5000000

/* That the new process is dead is no error: its pidfd tells, and how it died. */
int hot__send_frame(struct hot *hot, struct hot__channel *channel, unsigned int source,
                    const struct hot__frame *frame, const int *fds, size_t n_fds)
{
        uint8_t bytes[HOT__FRAME_MAX];
        ssize_t len = hot__frame_encode(frame, bytes, sizeof(bytes));
        int r;

        if (len < 0)
                return (int)len;
        r = channel->fd < 0 ? -EPIPE : hot__channel_send(channel, bytes, (size_t)len, fds, n_fds);
        hot__watch_channel(hot, channel, source);
        if (r < 0 && channel == &hot->successor && hot__process_has_ended(&hot->successor_process))
                return 0;
        return r;
}

int hot__send_plain(struct hot *hot, struct hot__channel *channel, unsigned int source,
                    enum hot__frame_type type)
{
        return hot__send_frame(hot, channel, source, &(struct hot__frame){.type = (uint16_t)type},
                               NULL, 0);
}

static int tell_successor(struct hot *hot, enum hot__frame_type type)
{
        return hot__send_plain(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, type);
}

static void tell_predecessor(struct hot *hot, enum hot__frame_type type)
{
        hot__send_plain(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, type);
}

/* Who serves may have the other end of the channel by now, and it is still the way to reach us. */
void hot__forget_successor_process(struct hot *hot)
{
        if (hot->successor_process.pid > 0 && hot__process_has_ended(&hot->successor_process)) {
                int status = hot__process_reap(&hot->successor_process);

                if (status >= 0)
                        hot__init_tell(&hot->init, HOT__INIT_ENDED, hot->successor_process.pid,
                                       status);
        }
        hot__unwatch(hot, hot->successor_process.pidfd);
        hot__process_done(&hot->successor_process);
        hot->successor_killed = false;
}

void hot__forget_successor(struct hot *hot)
{
        hot__forget_successor_process(hot);
        hot__unwatch(hot, hot->successor.fd);
        hot__channel_done(&hot->successor);
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
        case HOT__PHASE_CHECKING:
                return HOT_STEP_CHECK;
        case HOT__PHASE_SPAWNED:
                return HOT_STEP_HELLO;
        case HOT__PHASE_OFFERED:
                return HOT_STEP_READY;
        case HOT__PHASE_HELD:
                return HOT_STEP_HELD;
        case HOT__PHASE_ASKING:
                return HOT_STEP_RETIRE;
        case HOT__PHASE_QUIESCING:
                return HOT_STEP_QUIESCE;
        case HOT__PHASE_PROBATION:
                return HOT_STEP_PROBATION;
        default:
                return HOT_STEP_SERVING;
        }
}

void hot__note_failure(struct hot *hot, enum hot_step step, enum hot_reason reason, int error,
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
        hot__note_failure(hot, step_awaited(hot->life.phase), reason, error, hot->successor_path);
        hot__feed(hot, input);
}

uint64_t hot__trigger(struct hot *hot)
{
        char path[PATH_MAX];
        struct hot__file_id now;
        bool restarting = hot__lifecycle_is_restarting(&hot->life);
        uint64_t running = hot->restart;
        bool same = restarting && hot->successor_id.ino != 0 &&
                    hot__program_resolve(&hot->program, path, &now) == 0 &&
                    hot__file_id_equal(&now, &hot->successor_id);

        if (hot__lifecycle_has_successor(&hot->life))
                running = 0;
        else if (!same)
                running++;
        hot__feed(hot, same ? HOT__IN_TRIGGER : HOT__IN_TRIGGER_OTHER);
        return running;
}

void hot__give_up(struct hot *hot)
{
        if (hot__lifecycle_is_restarting(&hot->life) && hot->life.phase < HOT__PHASE_COMMITTING)
                hot__roll_back(hot, HOT_REASON_ABORTED, 0, HOT__IN_ABORT);
}

pid_t hot__main_pid(const struct hot *hot, pid_t own)
{
        return hot->init.pid > 0 ? hot->init.pid : own;
}

/* ---- R1 to R3 ---- */

static void do_begin(struct hot *hot)
{
        hot->rolling_back = false;
        hot__capture_begin(hot);
        hot->restart++;
        hot__listeners_remember(hot);
        hot__set_deadline(hot, hot->options.start_ms);
        hot__event_step(hot, HOT_STEP_TRIGGER, getpid(), hot->generation, "");
        hot__tell_manager(hot, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=restarting",
                          hot__now() / 1000);
}

static void do_check(struct hot *hot)
{
        if (hot__launch_check(hot) < 0)
                hot__feed(hot, HOT__IN_SPAWN_FAILED);
}

static void do_spawn(struct hot *hot)
{
        if (hot__launch(hot) < 0) {
                hot__feed(hot, HOT__IN_SPAWN_FAILED);
                return;
        }
        /* The offer is made when the new one has said hello, and that is read after this event. */
        hot__event_add(hot, HOT_SAVE);
}

/* ---- R5 to R7, as the old generation ---- */

static void do_offer(struct hot *hot)
{
        int r;

        hot__event_step(hot, HOT_STEP_HELLO, hot->successor_process.pid, hot->generation + 1, "");
        r = hot__offer(hot);
        if (r < 0)
                hot__roll_back(hot, HOT_REASON_ERROR, -r, HOT__IN_PEER_BROKE);
        else
                hot__event_step(hot, HOT_STEP_OFFER, hot->successor_process.pid,
                                hot->generation + 1, "");
}

static void step_ready(struct hot *hot)
{
        hot__event_step(hot, HOT_STEP_READY, hot->successor_process.pid, hot->generation + 1, "");
}

/* An operator may take as long as it pleases. */
static void do_hold(struct hot *hot)
{
        step_ready(hot);
        hot__event_step(hot, HOT_STEP_HELD, hot->successor_process.pid, hot->generation + 1, "");
        hot__tell_manager(hot, "STATUS=the new generation is ready and waits for commit or abort");
        hot__control_held(hot);
}

static void do_ask(struct hot *hot)
{
        tell_predecessor(hot, HOT__ASK_RETIRE);
}

static void do_quiesce(struct hot *hot)
{
        if (!hot->life.manner.holds)
                step_ready(hot);
        hot__set_deadline(hot, hot->options.quiesce_ms);
        hot__event_add(hot, HOT_QUIESCE);
}

static void do_commit(struct hot *hot)
{
        int r;

        hot__event_step(hot, HOT_STEP_QUIESCE, getpid(), hot->generation, "");
        hot__set_deadline(hot, hot->options.serve_ms);
        r = hot->life.peer_is_seed ? 0 : hot__offer_news(hot);
        if (r == 0)
                r = tell_successor(hot, HOT__COMMIT);
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
                tell_successor(hot, HOT__STOP);
}

void hot__let_go(struct hot *hot)
{
        tell_successor(hot, HOT__LET_GO);
}

static void do_resume(struct hot *hot)
{
        hot->verdict = hot__verdict_take_resume(hot->verdict);
        hot__giving_resume(hot);
        hot__init_tell(&hot->init, HOT__INIT_SERVES, 0, 0);
        hot__event_add(hot, HOT_RESUME);
        hot__control_serve(hot);
}

static void do_fail(struct hot *hot)
{
        struct hot__event *slot = hot__event_add(hot, HOT_FAILED);
        char words[512], tail[HOT__TAIL_SIZE];

        /* A stop that has to wait for the predecessor gives the restart up without another reason. */
        hot__note_failure(hot, HOT_STEP_TRIGGER, HOT_REASON_ABORTED, 0, hot->successor_path);
        if (hot->successor_process.pid > 0) {
                hot__process_kill_family(&hot->successor_process);
                hot->rolled_back.detail.wait_status = hot__process_reap(&hot->successor_process);
                hot__init_tell(&hot->init, HOT__INIT_ENDED, hot->successor_process.pid,
                               hot->rolled_back.detail.wait_status);
        }
        slot->failure = hot->rolled_back;
        slot->failure.detail.subject = slot->failure.subject;
        slot->failure.detail.words = slot->failure.words;
        slot->event.failure = &slot->failure.detail;
        slot->event.pid = hot->rolled_back.detail.pid;
        slot->event.generation = hot->generation + 1;
        hot__tell_manager(hot, "READY=1\nSTATUS=restart rolled back: %s",
                          hot_failure_string(slot->event.failure, words, sizeof(words)));
        hot__forget_successor(hot);
        hot__capture_text(hot, tail, sizeof(tail));
        hot__control_rolled_back(hot, &slot->failure, tail);
        hot__listeners_put_back(hot);
        hot__leftovers_release(hot, false);
}

/* ---- R6 and R7, as the new generation ---- */

static void do_send_ready(struct hot *hot)
{
        struct hot__frame ready = {.type = HOT__READY};

        hot__leftovers_tell(hot, ready.text, sizeof(ready.text));
        hot__send_frame(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, &ready, NULL, 0);
}

static void do_serve(struct hot *hot)
{
        hot__control_begin(hot);
        hot__init_tell(&hot->init, HOT__INIT_BEGINS, 0, 0);
        hot__listeners_begin(hot);
        hot__event_add(hot, HOT_SERVE);
}

/* The init first: once the predecessor knows, it may retire, and a stop would not reach us through it. */
static void do_announce(struct hot *hot)
{
        hot__listeners_apply(hot);
        hot__init_tell(&hot->init, HOT__INIT_SERVES, 0, 0);
        /* First: the predecessor takes its own name away when it ends, which may be at once. */
        hot__control_serve(hot);
        hot__send_frame(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR,
                        &(struct hot__frame){.type = HOT__SERVING, .room = hot__taking_room(hot)},
                        NULL, 0);
        hot__process_signal(&hot->seed_parent, SIGTERM);
}

static void do_own(struct hot *hot)
{
        bool heir = hot->generation > 1 || hot->seed_parent.pid > 0;
        int r = hot->pid_file ? hot__pidfile_write(hot->pid_file, hot__main_pid(hot, getpid())) : 0;

        if (r < 0)
                hot__event_trouble(hot, HOT_STEP_SERVING, -r, hot->pid_file);
        if (heir && hot->init.pid == 0)
                hot__tell_manager(hot, "MAINPID=%d\nREADY=1\nSTATUS=serving", (int)getpid());
        else
                hot__tell_manager(hot, "READY=1\nSTATUS=serving");
        hot__watchdog_ping(hot);
        hot__process_done(&hot->seed_parent);
}

/* ---- R8 to R11, and stop ---- */

/* The listeners stay open until we can resume no more, but nobody here accepts from them. */
static void do_drain(struct hot *hot)
{
        struct hot__event *slot;

        hot__event_step(hot, HOT_STEP_SERVING, hot->successor_process.pid, hot->generation + 1, "");
        hot->rolling_back = false;
        hot__clear_deadline(hot);
        hot->drain_deadline = hot__now() + (uint64_t)hot->options.drain_ms * 1000000;
        slot = hot__event_add(hot, HOT_DRAIN);
        slot->event.deadline = hot->drain_deadline;
        slot->event.pid = hot->successor_process.pid;
        slot->event.generation = hot->generation + 1;
        if (hot->life.peer_is_seed)
                hot__capture_stay(hot);
        hot__control_committed(hot);
}

/* To the service manager the restart is done; its main process is still this one. */
static void do_probation(struct hot *hot)
{
        hot__set_deadline(hot, hot->options.probation_ms);
        hot__event_step(hot, HOT_STEP_PROBATION, hot->successor_process.pid, hot->generation + 1,
                        "");
        hot__tell_manager(hot, "READY=1\nSTATUS=serving in process %d",
                          (int)hot->successor_process.pid);
}

/* The PID file must be right before the manager hears of the new pid: it looks there. */
static void do_retire(struct hot *hot)
{
        pid_t heir = hot->successor_process.pid;
        int r = hot->pid_file ? hot__pidfile_write(hot->pid_file, hot__main_pid(hot, heir)) : 0;

        hot->verdict = hot__fd_close(hot->verdict);
        hot__giving_retire(hot);
        hot__leftovers_leave(hot);
        if (r < 0)
                hot__event_trouble(hot, HOT_STEP_RETIRE, -r, hot->pid_file);
        hot__tell_manager(hot, "READY=1\nSTATUS=serving");
        if (hot->init.pid == 0)
                hot__tell_manager(hot, "MAINPID=%d", (int)heir);
        if (hot->life.peer_is_seed)
                hot__init_tell(&hot->init, HOT__INIT_SERVES, heir, 0);
        hot__await_manager(hot);
}

static void do_send_retired(struct hot *hot)
{
        hot__chain_pass_on(hot);
        tell_successor(hot, HOT__RETIRED);
        hot__event_step(hot, HOT_STEP_RETIRE, hot->successor_process.pid, hot->generation + 1, "");
        hot__set_deadline_at(hot, hot->drain_deadline);
}

static void do_forward(struct hot *hot)
{
        /* The signal is deadly to a successor that does not handle it; one that closed the channel
         * is out of reach. */
        if (hot->life.peer_is_seed)
                hot__process_signal(&hot->successor_process, SIGUSR2);
        else
                tell_successor(hot, HOT__TRIGGER);
}

static void do_stop(struct hot *hot)
{
        hot->stopping = true;
        if (hot->life.served)
                hot__tell_manager(hot, "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                                  (uint64_t)hot->options.drain_ms * 1000 + STOP_SPARE_USEC);
        hot__set_deadline(hot, hot->options.drain_ms);
        hot__event_add(hot, HOT_STOP);
        hot__control_stopping(hot);
}

static void do_await(struct hot *hot)
{
        hot__set_deadline(hot, AWAIT_MS);
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

/* Or about to: it has let go of the channel, and has given it to no successor. */
static bool heir_has_ended(const struct hot *hot)
{
        struct pollfd channel = {.fd = hot->successor.fd};

        if (hot__process_has_ended(&hot->successor_process))
                return true;
        return !hot->life.peer_is_seed && poll(&channel, 1, 0) == 1 && (channel.revents & POLLHUP);
}

/* An heir that has ended already, as one does that was told to stop twice, cannot do it itself. */
void hot__remove_heirs_pid(struct hot *hot)
{
        if (hot->pid_file && hot->init.pid == 0 && heir_has_ended(hot))
                hot__pidfile_remove(hot->pid_file, hot->successor_process.pid);
}

void hot__remove_own_pid(struct hot *hot)
{
        if (hot->stopping && hot->pid_file)
                hot__pidfile_remove(hot->pid_file, hot__main_pid(hot, getpid()));
}

static void do_exit(struct hot *hot)
{
        struct hot__event *slot = hot__event_add(hot, HOT_EXIT);

        /* One that a second stop kept from waiting has not begun with the first. */
        hot->stopping = hot->stopping || hot->life.stop_queued;
        slot->event.held = atomic_load(&hot->holds);
        hot__remove_heirs_pid(hot);
        hot__control_exit(hot);
        hot__remove_own_pid(hot);
}

/* In the order of enum hot__action's bits. */
static void (*const doers[])(struct hot *hot) = {
        hot__clear_deadline,
        hot__kill_successor,
        do_send_ready,
        do_serve,
        do_announce,
        do_own,
        do_resume,
        do_fail,
        do_begin,
        do_check,
        do_spawn,
        do_offer,
        do_hold,
        do_ask,
        do_quiesce,
        do_commit,
        do_drain,
        do_probation,
        do_retire,
        do_send_retired,
        do_stop_peer,
        do_forward,
        do_stop,
        do_hurry,
        do_await,
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
