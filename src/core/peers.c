/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "verdict.h"

/*
 * What other generations say, and that they have ended. Each frame has its phase; a peer's frames are read
 * to their end before its death counts.
 */

static void take_hello(struct hot *hot, const struct hot__frame *frame)
{
        hot->protocol = hot__protocol_choose(frame->lowest, frame->highest);
        if (hot->protocol < 0)
                hot__roll_back(hot, HOT_REASON_VERSION, -hot->protocol, HOT__IN_PEER_BROKE);
        else
                hot__feed(hot, HOT__IN_HELLO);
}

static void take_refusal(struct hot *hot, const struct hot__frame *frame)
{
        /* A host has words for what it does not want, whatever error it chooses. */
        bool version =
                !frame->text[0] && (frame->error == EPROTONOSUPPORT || frame->error == EOPNOTSUPP);
        bool first = !hot->rolling_back;

        hot__roll_back(hot, version ? HOT_REASON_VERSION : HOT_REASON_REFUSED, (int)frame->error,
                       HOT__IN_PEER_BROKE);
        if (first)
                snprintf(hot->rolled_back.words, sizeof(hot->rolled_back.words), "%.511s",
                         frame->text);
}

static void take_ready(struct hot *hot, const struct hot__frame *frame)
{
        hot__leftovers_note(hot, frame->text);
        hot__feed(hot, HOT__IN_PEER_READY);
}

static void break_off(struct hot *hot, enum hot_reason reason, int error)
{
        hot__unwatch(hot, hot->successor.fd);
        hot__channel_done(&hot->successor);
        hot__roll_back(hot, reason, error, HOT__IN_PEER_BROKE);
}

static void take_serving(struct hot *hot, const struct hot__frame *frame)
{
        hot__giving_begin(hot, frame->room);
        hot__feed(hot, HOT__IN_PEER_SERVING);
}

static void take_answer(struct hot *hot, const struct hot__frame *frame)
{
        int r = hot__giving_answered(hot, frame);

        if (r < 0)
                break_off(hot, HOT_REASON_PROTOCOL, -r);
}

/*
 * Each frame has its one phase; everything else breaks the protocol. We listen no longer then, also after
 * the commit, when nothing can be rolled back: frames without end would keep us from every deadline.
 */
static void take_successor_frame(struct hot *hot, const struct hot__frame *frame)
{
        enum hot__phase phase = hot->life.phase;

        if (frame->type == HOT__HELLO && phase == HOT__PHASE_SPAWNED)
                take_hello(hot, frame);
        else if (frame->type == HOT__READY && phase == HOT__PHASE_OFFERED)
                take_ready(hot, frame);
        else if (frame->type == HOT__SERVING && phase == HOT__PHASE_COMMITTING)
                take_serving(hot, frame);
        else if (frame->type == HOT__TAKEN && hot__lifecycle_has_successor(&hot->life))
                take_answer(hot, frame);
        else if (frame->type == HOT__REFUSE && hot__lifecycle_is_restarting(&hot->life))
                take_refusal(hot, frame);
        else if (frame->type == HOT__ASK_RETIRE && hot__lifecycle_has_successor(&hot->life))
                hot__feed(hot, HOT__IN_PEER_ASKS);
        else if (frame->type == HOT__END && hot__lifecycle_has_successor(&hot->life))
                hot__feed(hot, HOT__IN_PEER_ENDS_US);
        else if (frame->type == HOT__QUERY && hot__lifecycle_has_successor(&hot->life))
                hot__control_report(hot);
        else
                break_off(hot, HOT_REASON_PROTOCOL, EPROTO);
}

/* Every generation older than us passes on what it is asked for. */
static void take_older_frame(struct hot *hot, const struct hot__frame *frame)
{
        if (frame->type == HOT__TRIGGER)
                hot__trigger(hot);
        else if (frame->type == HOT__STOP)
                hot__feed(hot, HOT__IN_PREDECESSOR_STOP);
        else if (frame->type == HOT__REPORT)
                hot__control_take_report(hot, hot->message.pid, frame->text);
        else if (frame->type == HOT__CONTROL && hot->message.n_fds == 1)
                hot__control_take_connection_fd(hot, hot__message_steal_fd(&hot->message, 0),
                                                frame->text);
}

/* It cannot be rolled back; what we do not understand changes nothing. */
static void take_predecessor_frame(struct hot *hot, const struct hot__frame *frame)
{
        if (frame->type == HOT__COMMIT) {
                if (!hot->refused)
                        hot__feed(hot, HOT__IN_COMMIT);
        } else if (frame->type == HOT__CHANGED) {
                hot__state_take_news(hot, frame);
        } else if (frame->type == HOT__RETIRED) {
                hot->predecessor_verdict = hot__fd_close(hot->predecessor_verdict);
                hot__chain_add_predecessor(hot);
                hot__feed(hot, HOT__IN_HANDED_ON);
                hot__watchdog_ping(hot);
                hot__leftovers_release(hot, false);
        } else if (frame->type == HOT__ANCESTOR && hot->message.n_fds == HOT__ANCESTOR_N_FDS) {
                hot__chain_take(hot, hot__message_steal_fd(&hot->message, HOT__ANCESTOR_CHANNEL),
                                hot__message_steal_fd(&hot->message, HOT__ANCESTOR_PIDFD),
                                (pid_t)frame->pid, frame->generation);
        } else {
                take_older_frame(hot, frame);
        }
}

/*
 * Only the process that we started speaks for the new generation, and no frame of it brings descriptors.
 * Once we have retired whoever serves may hold the other end.
 */
static bool is_from_successor(const struct hot *hot)
{
        if (hot__lifecycle_has_retired(&hot->life))
                return hot->message.uid == getuid();
        return hot->message.pid == hot->successor_process.pid;
}

static void take_successor_message(struct hot *hot)
{
        pid_t sender = hot->message.pid;
        bool ours = is_from_successor(hot);
        struct hot__frame frame;
        int r = hot->message.n_fds > 0
                        ? -EPROTO
                        : hot__frame_decode(hot->message.bytes, hot->message.len, &frame);

        hot__message_done(&hot->message);
        if (!ours) {
                hot->stranger = sender;
                break_off(hot, HOT_REASON_STRANGER, 0);
        } else if (r < 0) {
                break_off(hot, HOT_REASON_PROTOCOL, -r);
        } else {
                take_successor_frame(hot, &frame);
        }
        if (r == 0)
                hot__frame_done(&frame);
}

/* One message of the successor. Returns whether there was any. */
bool hot__peers_read_successor(struct hot *hot)
{
        int r = hot__channel_receive(&hot->successor, &hot->message);

        if (r == HOT__RECEIVED_NOTHING)
                return false;
        if (r == HOT__RECEIVED_MESSAGE) {
                take_successor_message(hot);
        } else if (r == HOT__RECEIVED_EOF) {
                /* The seed closes what it does not know. Whether it has died, its pidfd tells. */
                hot__remove_heirs_pid(hot);
                hot__unwatch(hot, hot->successor.fd);
                hot__channel_done(&hot->successor);
                if (hot__lifecycle_has_retired(&hot->life)) {
                        hot__giving_lost(hot);
                        hot__control_set_accepting(hot, true); /* nobody else does */
                }
        } else {
                break_off(hot, HOT_REASON_PROTOCOL, -r);
        }
        return true;
}

/* Of those that are older than the last nobody has left us anything: that went to the generation behind them. */
static bool has_left_us_some(const struct hot *hot, unsigned int source)
{
        return source == HOT__SOURCE_PREDECESSOR ||
               hot__chain_is_youngest(hot, (source - HOT__SOURCE_ANCESTOR) / 2);
}

/* One frame of an older generation. Returns enum hot__received, or a negative errno. */
static int read_older(struct hot *hot, struct hot__channel *channel, unsigned int source,
                      void (*take)(struct hot *hot, const struct hot__frame *frame))
{
        struct hot__frame frame;
        int r = hot__channel_receive(channel, &hot->message);
        bool lost = r == -ECHRNG; /* there was no room for its descriptors, but it has been read */

        if (r != HOT__RECEIVED_MESSAGE && !lost)
                return r;
        if (hot__frame_decode(hot->message.bytes, hot->message.len, &frame) == 0) {
                if (frame.type == HOT__GIVE) {
                        hot__taking_begin(hot, channel, source, &frame, lost ? EMFILE : 0);
                        return HOT__RECEIVED_MESSAGE;
                }
                if (frame.type == HOT__LET_GO && has_left_us_some(hot, source))
                        hot__leftovers_release(hot, true);
                else if (!lost)
                        take(hot, &frame);
                hot__frame_done(&frame);
        }
        hot__message_done(&hot->message);
        return r;
}

void hot__peers_lose_predecessor(struct hot *hot)
{
        pid_t pid = hot->predecessor_process.pid;

        hot__forget_predecessor(hot);
        hot__control_lost(hot, pid);
        hot__feed(hot, HOT__IN_PREDECESSOR_DIED);
        hot__leftovers_release(hot, true);
        hot__chain_count(hot);
}

bool hot__peers_read_predecessor(struct hot *hot)
{
        int r = read_older(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, take_predecessor_frame);

        if (r == HOT__RECEIVED_NOTHING || r == HOT__RECEIVED_MESSAGE)
                return r == HOT__RECEIVED_MESSAGE;
        /* Descriptors that we have no room for: nobody accepts now, so it must not wait for a deadline. The
         * channel stays open, since the COMMIT behind them would fail with another reason. */
        if (r < 0 && hot->life.phase == HOT__PHASE_ANNOUNCED && !hot->refused) {
                hot_refuse(hot, -r, "what changed since the offer");
                return true;
        }
        /* Closed, or broken. It goes on as if silent, unless only the channel could tell of its death. */
        hot__unwatch(hot, hot->predecessor.fd);
        hot__channel_done(&hot->predecessor);
        if (hot->predecessor_process.pidfd < 0)
                hot__peers_lose_predecessor(hot);
        return true;
}

static void lose_ancestor(struct hot *hot, size_t index)
{
        bool youngest = hot__chain_is_youngest(hot, index);

        hot__chain_remove(hot, index);
        if (youngest)
                hot__leftovers_release(hot, true);
        hot__chain_count(hot);
}

static bool read_ancestor(struct hot *hot, size_t index)
{
        struct hot__ancestor *link = &hot->ancestors[index];
        int r = read_older(hot, &link->channel, HOT__SOURCE_ANCESTOR + 2 * (unsigned int)index,
                           take_older_frame);

        if (r == HOT__RECEIVED_NOTHING || r == HOT__RECEIVED_MESSAGE)
                return r == HOT__RECEIVED_MESSAGE;
        hot__unwatch(hot, link->channel.fd);
        hot__channel_done(&link->channel);
        if (link->process.pidfd < 0)
                lose_ancestor(hot, index);
        return true;
}

void hot__peers_read_verdict(struct hot *hot)
{
        enum hot__verdict verdict = hot__verdict_read(hot->elder_verdict);

        if (verdict == HOT__VERDICT_OPEN)
                return;
        hot__unwatch(hot, hot->elder_verdict);
        hot->elder_verdict = hot__fd_close(hot->elder_verdict);
        hot__feed(hot,
                  verdict == HOT__VERDICT_RESUMED ? HOT__IN_ELDER_RESUMED : HOT__IN_ELDER_RETIRED);
}

void hot__peers_look_at_ancestor(struct hot *hot, size_t index, bool process)
{
        struct hot__ancestor *link = &hot->ancestors[index];

        if (index >= hot->n_ancestors)
                return;
        if (link->channel.fd >= 0 && read_ancestor(hot, index))
                return;
        if (process)
                lose_ancestor(hot, index);
        else
                hot__watch_channel(hot, &link->channel,
                                   HOT__SOURCE_ANCESTOR + 2 * (unsigned int)index);
}

void hot__peers_bury_successor(struct hot *hot)
{
        int status;

        if (hot->life.phase == HOT__PHASE_CHECKING) {
                status = hot__process_reap(&hot->successor_process);
                hot__forget_successor(hot);
                if (status == 0) {
                        hot__feed(hot, HOT__IN_CHECKED);
                        return;
                }
                hot__note_failure(hot, HOT_STEP_CHECK, HOT_REASON_EXITED, 0, hot->successor_path);
                hot->rolled_back.detail.wait_status = status;
                hot__feed(hot, HOT__IN_SPAWN_FAILED);
        } else if (hot__lifecycle_is_restarting(&hot->life) ||
                   hot->life.phase == HOT__PHASE_PROBATION) {
                hot__roll_back(hot, HOT_REASON_EXITED, 0, HOT__IN_PEER_DIED);
        } else {
                hot__remove_heirs_pid(hot);
                hot__forget_successor_process(hot);
                if (hot->successor.fd < 0)
                        hot__giving_lost(hot);
        }
}
