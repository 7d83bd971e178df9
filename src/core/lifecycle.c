/* SPDX-License-Identifier: MIT */
#include "lifecycle.h"

/*
 * The table has one row for each (phase, input) that means something; everything else is ignored, since
 * peers, signals and deadlines may always be late. What depends on more than the phase stands in the
 * code below: what the host chose (refine), who owns (the gate before R7), what the new process speaks
 * (adjust), and what had to wait (settle).
 */
struct row {
        uint8_t phase, input, next;
        uint32_t actions;
};

#define ROLL_BACK (HOT__DO_DISARM | HOT__DO_FAIL)
#define REVOKE    (HOT__DO_DISARM | HOT__DO_KILL)
#define STOP_NOW  (HOT__DO_DISARM | HOT__DO_LET_GO | HOT__DO_EXIT)
#define END       (HOT__DO_DISARM | HOT__DO_EXIT)

/* While the old one accepts: its death ends the restart, everything else has to kill it first. */
#define ROWS_BEFORE_QUIESCE(phase)                                                      \
        {(phase), HOT__IN_PEER_DIED, HOT__PHASE_SERVING, ROLL_BACK},                    \
                {(phase), HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING, REVOKE},             \
                {(phase), HOT__IN_DEADLINE, HOT__PHASE_REVOKING, REVOKE},               \
                {(phase), HOT__IN_ABORT, HOT__PHASE_REVOKING, REVOKE},                  \
        {                                                                               \
                (phase), HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_KILL | HOT__DO_STOP \
        }

/* The same when its acceptors have been told to stop. */
#define ROWS_SINCE_QUIESCE(phase)                                                      \
        {(phase), HOT__IN_PEER_DIED, HOT__PHASE_RESUMING, ROLL_BACK | HOT__DO_RESUME}, \
                {(phase), HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING_QUIET, REVOKE},      \
        {                                                                              \
                (phase), HOT__IN_DEADLINE, HOT__PHASE_REVOKING_QUIET, REVOKE           \
        }

static const struct row rows[] = {
        /* the new generation */
        {HOT__PHASE_OPENED, HOT__IN_READY, HOT__PHASE_ANNOUNCED, HOT__DO_SEND_READY},
        {HOT__PHASE_OPENED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_ANNOUNCED, HOT__IN_COMMIT, HOT__PHASE_BEGINNING, HOT__DO_SERVE},
        {HOT__PHASE_OPENED, HOT__IN_ELDER_RESUMED, HOT__PHASE_EXITED, HOT__DO_EXIT},
        {HOT__PHASE_ANNOUNCED, HOT__IN_ELDER_RESUMED, HOT__PHASE_EXITED, HOT__DO_EXIT},
        {HOT__PHASE_ANNOUNCED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_ANNOUNCED, HOT__IN_PREDECESSOR_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_BEGINNING, HOT__IN_SERVING, HOT__PHASE_SERVING, HOT__DO_ANNOUNCE},

        /* the old generation: the way to commit */
        {HOT__PHASE_SERVING, HOT__IN_TRIGGER, HOT__PHASE_SPAWNED, HOT__DO_BEGIN | HOT__DO_SPAWN},
        {HOT__PHASE_CHECKING, HOT__IN_CHECKED, HOT__PHASE_SPAWNED, HOT__DO_SPAWN},
        {HOT__PHASE_SPAWNED, HOT__IN_HELLO, HOT__PHASE_OFFERED, HOT__DO_OFFER},
        {HOT__PHASE_SPAWNED, HOT__IN_PEER_SEED_READY, HOT__PHASE_ASKING, 0},
        {HOT__PHASE_OFFERED, HOT__IN_PEER_READY, HOT__PHASE_ASKING, 0},
        {HOT__PHASE_HELD, HOT__IN_GO, HOT__PHASE_ASKING, 0},
        {HOT__PHASE_QUIESCING, HOT__IN_QUIESCED, HOT__PHASE_COMMITTING, HOT__DO_COMMIT},
        {HOT__PHASE_COMMITTING, HOT__IN_PEER_SERVING, HOT__PHASE_RETIRING,
         HOT__DO_DRAIN | HOT__DO_RETIRE},

        /* roll back; the old one goes on only when the new process is dead */
        {HOT__PHASE_CHECKING, HOT__IN_SPAWN_FAILED, HOT__PHASE_SERVING, ROLL_BACK},
        {HOT__PHASE_SPAWNED, HOT__IN_SPAWN_FAILED, HOT__PHASE_SERVING, ROLL_BACK},
        ROWS_BEFORE_QUIESCE(HOT__PHASE_CHECKING),
        ROWS_BEFORE_QUIESCE(HOT__PHASE_SPAWNED),
        ROWS_BEFORE_QUIESCE(HOT__PHASE_OFFERED),
        ROWS_BEFORE_QUIESCE(HOT__PHASE_HELD),
        ROWS_BEFORE_QUIESCE(HOT__PHASE_ASKING),
        ROWS_SINCE_QUIESCE(HOT__PHASE_QUIESCING),
        ROWS_SINCE_QUIESCE(HOT__PHASE_COMMITTING),
        {HOT__PHASE_QUIESCING, HOT__IN_ABORT, HOT__PHASE_REVOKING_QUIET, REVOKE},
        {HOT__PHASE_REVOKING, HOT__IN_PEER_DIED, HOT__PHASE_SERVING, HOT__DO_FAIL},
        {HOT__PHASE_REVOKING_QUIET, HOT__IN_PEER_DIED, HOT__PHASE_RESUMING,
         HOT__DO_FAIL | HOT__DO_RESUME},
        {HOT__PHASE_RESUMING, HOT__IN_SERVING, HOT__PHASE_SERVING, 0},

        /* the old generation: the way out */
        {HOT__PHASE_PROBATION, HOT__IN_PEER_DIED, HOT__PHASE_RESUMING, ROLL_BACK | HOT__DO_RESUME},
        {HOT__PHASE_PROBATION, HOT__IN_DEADLINE, HOT__PHASE_RETIRING, HOT__DO_RETIRE},
        {HOT__PHASE_PROBATION, HOT__IN_PEER_ASKS, HOT__PHASE_RETIRING,
         HOT__DO_DISARM | HOT__DO_RETIRE},
        {HOT__PHASE_PROBATION, HOT__IN_TRIGGER, HOT__PHASE_PROBATION, HOT__DO_FORWARD},
        {HOT__PHASE_RETIRING, HOT__IN_RETIRED, HOT__PHASE_DRAINING, HOT__DO_SEND_RETIRED},
        {HOT__PHASE_RETIRING, HOT__IN_TRIGGER, HOT__PHASE_RETIRING, HOT__DO_FORWARD},
        {HOT__PHASE_DRAINING, HOT__IN_TRIGGER, HOT__PHASE_DRAINING, HOT__DO_FORWARD},
        {HOT__PHASE_DRAINING, HOT__IN_IDLE, HOT__PHASE_EXITED, END},
        {HOT__PHASE_DRAINING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, END},
        {HOT__PHASE_DRAINING, HOT__IN_PEER_ENDS_US, HOT__PHASE_EXITED, END},

        /* stop: a restart that is not committed is given up; one that may be is stopped too */
        {HOT__PHASE_BEGINNING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_SERVING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_DISARM | HOT__DO_STOP},
        {HOT__PHASE_QUIESCING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_KILL | HOT__DO_STOP},
        {HOT__PHASE_COMMITTING, HOT__IN_STOP, HOT__PHASE_STOPPING,
         HOT__DO_STOP_PEER | HOT__DO_STOP},
        {HOT__PHASE_REVOKING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_REVOKING_QUIET, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_RESUMING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_STOPPING, HOT__IN_QUIESCED, HOT__PHASE_ENDING, HOT__DO_LET_GO},
        {HOT__PHASE_STOPPING, HOT__IN_STOP, HOT__PHASE_EXITED, STOP_NOW},
        {HOT__PHASE_STOPPING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, STOP_NOW},
        {HOT__PHASE_ENDING, HOT__IN_IDLE, HOT__PHASE_EXITED, END},
        {HOT__PHASE_ENDING, HOT__IN_STOP, HOT__PHASE_EXITED, END},
        {HOT__PHASE_ENDING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, END},
};

static const char *const phase_names[] = {
        [HOT__PHASE_OPENED] = "opened",           [HOT__PHASE_ANNOUNCED] = "ready",
        [HOT__PHASE_BEGINNING] = "beginning",     [HOT__PHASE_SERVING] = "serving",
        [HOT__PHASE_CHECKING] = "checking",       [HOT__PHASE_SPAWNED] = "spawned",
        [HOT__PHASE_OFFERED] = "offered",         [HOT__PHASE_HELD] = "held",
        [HOT__PHASE_ASKING] = "asking",           [HOT__PHASE_QUIESCING] = "quiescing",
        [HOT__PHASE_COMMITTING] = "committing",   [HOT__PHASE_REVOKING] = "revoking",
        [HOT__PHASE_REVOKING_QUIET] = "revoking", [HOT__PHASE_RESUMING] = "resuming",
        [HOT__PHASE_PROBATION] = "probation",     [HOT__PHASE_RETIRING] = "retiring",
        [HOT__PHASE_DRAINING] = "draining",       [HOT__PHASE_STOPPING] = "stopping",
        [HOT__PHASE_ENDING] = "ending",           [HOT__PHASE_EXITED] = "exited",
};

const char *hot__phase_name(enum hot__phase phase)
{
        return phase_names[phase];
}

void hot__lifecycle_init(struct hot__lifecycle *life, bool has_predecessor, bool has_elder,
                         struct hot__manner manner)
{
        *life = (struct hot__lifecycle){
                .phase = HOT__PHASE_OPENED,
                .manner = manner,
                .has_predecessor = has_predecessor,
                .has_elder = has_elder,
                .owner = !has_predecessor,
        };
}

bool hot__lifecycle_is_restarting(const struct hot__lifecycle *life)
{
        return life->phase >= HOT__PHASE_CHECKING && life->phase <= HOT__PHASE_REVOKING_QUIET;
}

bool hot__lifecycle_has_successor(const struct hot__lifecycle *life)
{
        return life->phase >= HOT__PHASE_PROBATION && life->phase <= HOT__PHASE_DRAINING;
}

bool hot__lifecycle_has_retired(const struct hot__lifecycle *life)
{
        return life->phase == HOT__PHASE_RETIRING || life->phase == HOT__PHASE_DRAINING;
}

bool hot__lifecycle_awaits_idle(const struct hot__lifecycle *life)
{
        return life->phase == HOT__PHASE_DRAINING || life->phase == HOT__PHASE_ENDING;
}

static const struct row *find_row(enum hot__phase phase, enum hot__input input)
{
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].phase == phase && rows[i].input == input)
                        return &rows[i];
        return NULL;
}

static uint32_t follow(struct hot__lifecycle *life, enum hot__input input)
{
        const struct row *row = find_row(life->phase, input);

        if (!row)
                return 0;
        life->phase = row->next;
        return row->actions;
}

/* What an input says about the predecessor, in whatever phase it comes. */
static uint32_t note_predecessor(struct hot__lifecycle *life, enum hot__input input)
{
        bool adopt = false;

        if (input == HOT__IN_PREDECESSOR_DIED)
                /* It left before it could hand PID file and service manager on: they are ours now,
                 * at once if we serve, else as soon as we do. */
                adopt = !life->owner && life->served && life->phase < HOT__PHASE_PROBATION;
        if (input == HOT__IN_ELDER_RETIRED)
                life->has_elder = false;
        if (input == HOT__IN_HANDED_ON || input == HOT__IN_PREDECESSOR_DIED) {
                life->has_predecessor = false;
                life->owner = true;
        }
        return adopt ? HOT__DO_OWN : 0;
}

static bool may_restart(const struct hot__lifecycle *life)
{
        return life->phase == HOT__PHASE_SERVING && !life->crowded && !life->stop_queued;
}

/* A trigger that cannot be followed now waits, unless it joins the restart under way. */
static bool note_trigger(struct hot__lifecycle *life, enum hot__input *input)
{
        if (*input == HOT__IN_TRIGGER_OTHER && !hot__lifecycle_is_restarting(life))
                *input = HOT__IN_TRIGGER;
        if (*input == HOT__IN_TRIGGER_OTHER ||
            (*input == HOT__IN_TRIGGER &&
             ((life->phase <= HOT__PHASE_SERVING && !may_restart(life)) ||
              life->phase == HOT__PHASE_RESUMING))) {
                life->trigger_queued = true;
                return true;
        }
        return false;
}

/*
 * A stop may come twice: passed on by the predecessor, and as the signal that it had itself, if that was
 * sent to all. Those are one. Returns whether it has been heeded already.
 */
static bool note_stop(struct hot__lifecycle *life, enum hot__input *input)
{
        bool heeded = life->stop_queued || life->phase >= HOT__PHASE_STOPPING;
        bool first = !life->stop_was_heard;

        if (*input == HOT__IN_PREDECESSOR_STOP) {
                life->stop_was_passed = true;
                if (life->phase >= HOT__PHASE_BEGINNING && !heeded)
                        *input = HOT__IN_STOP;
                return heeded;
        }
        if (*input != HOT__IN_STOP)
                return false;
        life->stop_was_heard = true;
        return heeded && first && life->stop_was_passed;
}

/*
 * A stop that has to wait. Between HOT_SERVE and its confirmation: the old generation, which has stopped
 * accepting, must learn that the restart was committed and must not resume. And as long as it could
 * resume it would, since it cannot tell our end from a crash: it has to retire first. Who was told by the
 * predecessor itself need not ask it, and a second stop does not wait.
 */
static bool must_wait(const struct hot__lifecycle *life, enum hot__input input)
{
        if (input != HOT__IN_STOP || !life->has_predecessor)
                return false;
        return life->phase == HOT__PHASE_BEGINNING ||
               (life->phase >= HOT__PHASE_SERVING && life->phase <= HOT__PHASE_REVOKING &&
                !life->stop_was_passed);
}

static uint32_t ask(struct hot__lifecycle *life)
{
        if (life->asked)
                return 0;
        life->asked = true;
        return HOT__DO_ASK;
}

static uint32_t wait_with_stop(struct hot__lifecycle *life)
{
        bool restarting = hot__lifecycle_is_restarting(life);

        if (life->stop_queued) {
                life->phase = HOT__PHASE_EXITED;
                return STOP_NOW | (restarting ? HOT__DO_KILL : 0);
        }
        life->stop_queued = true;
        if (life->phase == HOT__PHASE_BEGINNING)
                return 0;
        if (!restarting || life->phase == HOT__PHASE_REVOKING)
                return ask(life);
        life->phase = HOT__PHASE_REVOKING;
        return REVOKE | ask(life);
}

/*
 * A generation with a successor is stopping already: the first stop only hurries it, since a terminal's
 * Ctrl-C and a service manager's stop reach all generations alike, and what is in flight here is as good
 * as elsewhere. In the probation it is the one whose pid the world knows: the successor shall stop too,
 * which must not look like a crash.
 */
static uint32_t stop_with_successor(struct hot__lifecycle *life)
{
        if (life->hurried) {
                bool owed = life->pass_stop && life->phase == HOT__PHASE_RETIRING;

                life->phase = HOT__PHASE_EXITED;
                return END | (owed ? HOT__DO_STOP_PEER : 0);
        }
        life->hurried = true;
        if (life->phase != HOT__PHASE_PROBATION)
                return HOT__DO_HURRY;
        life->phase = HOT__PHASE_RETIRING;
        life->pass_stop = true;
        return HOT__DO_DISARM | HOT__DO_RETIRE | HOT__DO_HURRY;
}

/* What the host chose: a check before the spawn, a word before the commit, a probation after it. */
static uint32_t refine(struct hot__lifecycle *life, enum hot__input input, uint32_t actions)
{
        if (input == HOT__IN_TRIGGER && (actions & HOT__DO_BEGIN) && life->manner.checks) {
                life->phase = HOT__PHASE_CHECKING;
                return (actions & ~(uint32_t)HOT__DO_SPAWN) | HOT__DO_CHECK;
        }
        if (input == HOT__IN_PEER_READY && life->phase == HOT__PHASE_ASKING && life->manner.holds) {
                life->phase = HOT__PHASE_HELD;
                return actions | HOT__DO_DISARM | HOT__DO_HOLD;
        }
        if (input == HOT__IN_PEER_SERVING && (actions & HOT__DO_DRAIN) && life->manner.probation) {
                life->phase = HOT__PHASE_PROBATION;
                return (actions & ~(uint32_t)HOT__DO_RETIRE) | HOT__DO_PROBATION;
        }
        return actions;
}

/*
 * The gate before R7. Who does not own PID file and service manager yet cannot hand them on, and its
 * predecessor could still resume: one probation at a time.
 */
static uint32_t pass_gate(struct hot__lifecycle *life)
{
        if (life->phase != HOT__PHASE_ASKING)
                return 0;
        if (!life->owner)
                return ask(life);
        life->phase = HOT__PHASE_QUIESCING;
        return HOT__DO_QUIESCE;
}

/* The seed's protocol has no COMMIT: a seed that is ready accepts already. */
static uint32_t adjust_to_seed(struct hot__lifecycle *life, enum hot__input input, uint32_t actions)
{
        if (life->peer_is_seed && life->phase == HOT__PHASE_COMMITTING) {
                life->phase = HOT__PHASE_RETIRING;
                return HOT__DO_DRAIN | HOT__DO_RETIRE;
        }
        if (life->peer_is_seed && input == HOT__IN_STOP && (actions & HOT__DO_KILL))
                return (actions & ~(uint32_t)HOT__DO_KILL) | HOT__DO_STOP_PEER;
        return actions;
}

/* A stop that waited for us to serve, and then for the predecessor; but not for ever. */
static uint32_t settle_stop(struct hot__lifecycle *life, enum hot__input input)
{
        bool late = life->awaits && input == HOT__IN_DEADLINE;
        uint32_t actions;

        if (life->owner || life->stop_was_passed || late) {
                life->stop_queued = false;
                return follow(life, HOT__IN_STOP);
        }
        actions = ask(life) | (life->awaits ? 0 : HOT__DO_AWAIT);
        life->awaits = true;
        return actions;
}

/* What had to wait and need not any more. */
static uint32_t settle(struct hot__lifecycle *life, enum hot__input input)
{
        if (life->phase == HOT__PHASE_SERVING && life->stop_queued)
                return settle_stop(life, input);
        if (life->trigger_queued && (may_restart(life) || hot__lifecycle_has_successor(life))) {
                life->trigger_queued = false;
                return refine(life, HOT__IN_TRIGGER, follow(life, HOT__IN_TRIGGER));
        }
        return 0;
}

/*
 * A predecessor that died before its COMMIT leaves us on our own. But if it was in its own probation the
 * one before it accepts again, unless it had retired: only when that is known somebody may go on, and it
 * is one of the two.
 */
static uint32_t begin_alone(struct hot__lifecycle *life, uint32_t actions)
{
        if (life->phase != HOT__PHASE_ANNOUNCED || life->has_predecessor || life->has_elder)
                return actions;
        life->phase = HOT__PHASE_BEGINNING;
        return HOT__DO_SERVE;
}

uint32_t hot__lifecycle_step(struct hot__lifecycle *life, enum hot__input input)
{
        uint32_t actions = note_predecessor(life, input);

        if (note_trigger(life, &input) || note_stop(life, &input))
                return actions;
        if (must_wait(life, input))
                return actions | wait_with_stop(life) | settle(life, input);
        if (input == HOT__IN_STOP && hot__lifecycle_has_successor(life))
                return actions | stop_with_successor(life);

        if (life->phase == HOT__PHASE_SPAWNED && input == HOT__IN_PEER_SEED_READY)
                life->peer_is_seed = true;
        actions |= refine(life, input, adjust_to_seed(life, input, follow(life, input)));
        actions |= pass_gate(life);
        actions = begin_alone(life, actions);
        if (actions & HOT__DO_ANNOUNCE) {
                life->served = true;
                actions |= life->owner ? HOT__DO_OWN : 0;
        }
        if ((actions & HOT__DO_SEND_RETIRED) && life->pass_stop)
                actions |= HOT__DO_STOP_PEER;
        if (actions & (HOT__DO_FAIL | HOT__DO_BEGIN))
                life->peer_is_seed = false;
        return actions | settle(life, input);
}
