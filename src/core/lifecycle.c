/* SPDX-License-Identifier: MIT */
#include "lifecycle.h"

/*
 * The table has one row for each (phase, input) that means something; everything else is ignored, since
 * peers, signals and deadlines may always be late. What depends on more than the phase stands in the
 * code below: who is our predecessor (begin), what the new process speaks (adjust), and what had to wait
 * (settle).
 */
struct row {
        uint8_t phase, input, next;
        uint32_t actions;
};

#define ROLL_BACK (HOT__DO_DISARM | HOT__DO_FAIL)
#define STOP_NOW  (HOT__DO_DISARM | HOT__DO_LET_GO | HOT__DO_EXIT)

static const struct row rows[] = {
        /* the new generation */
        {HOT__PHASE_OPENED, HOT__IN_READY, HOT__PHASE_ANNOUNCED, HOT__DO_SEND_READY},
        {HOT__PHASE_OPENED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_ANNOUNCED, HOT__IN_COMMIT, HOT__PHASE_BEGINNING, HOT__DO_SERVE},
        {HOT__PHASE_ANNOUNCED, HOT__IN_PREDECESSOR_DIED, HOT__PHASE_BEGINNING, HOT__DO_SERVE},
        {HOT__PHASE_ANNOUNCED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_ANNOUNCED, HOT__IN_PREDECESSOR_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_BEGINNING, HOT__IN_SERVING, HOT__PHASE_SERVING, HOT__DO_ANNOUNCE},
        {HOT__PHASE_SERVING, HOT__IN_PREDECESSOR_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},

        /* the old generation: the way to commit */
        {HOT__PHASE_SERVING, HOT__IN_TRIGGER, HOT__PHASE_SPAWNED,
         HOT__DO_ARM_START | HOT__DO_SPAWN},
        {HOT__PHASE_SPAWNED, HOT__IN_HELLO, HOT__PHASE_OFFERED, HOT__DO_OFFER},
        {HOT__PHASE_SPAWNED, HOT__IN_PEER_SEED_READY, HOT__PHASE_QUIESCING, HOT__DO_QUIESCE},
        {HOT__PHASE_OFFERED, HOT__IN_PEER_READY, HOT__PHASE_QUIESCING, HOT__DO_QUIESCE},
        {HOT__PHASE_QUIESCING, HOT__IN_QUIESCED, HOT__PHASE_COMMITTING, HOT__DO_COMMIT},
        {HOT__PHASE_COMMITTING, HOT__IN_PEER_SERVING, HOT__PHASE_RETIRING,
         HOT__DO_DRAIN | HOT__DO_RETIRE},

        /* roll back; the old one goes on only when the new process is dead */
        {HOT__PHASE_SPAWNED, HOT__IN_SPAWN_FAILED, HOT__PHASE_SERVING, ROLL_BACK},
        {HOT__PHASE_SPAWNED, HOT__IN_PEER_DIED, HOT__PHASE_SERVING, ROLL_BACK},
        {HOT__PHASE_SPAWNED, HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_SPAWNED, HOT__IN_DEADLINE, HOT__PHASE_REVOKING, HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_OFFERED, HOT__IN_PEER_DIED, HOT__PHASE_SERVING, ROLL_BACK},
        {HOT__PHASE_OFFERED, HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_OFFERED, HOT__IN_DEADLINE, HOT__PHASE_REVOKING, HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_QUIESCING, HOT__IN_PEER_DIED, HOT__PHASE_RESUMING, ROLL_BACK | HOT__DO_RESUME},
        {HOT__PHASE_QUIESCING, HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING_QUIET,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_QUIESCING, HOT__IN_DEADLINE, HOT__PHASE_REVOKING_QUIET,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_COMMITTING, HOT__IN_PEER_DIED, HOT__PHASE_RESUMING, ROLL_BACK | HOT__DO_RESUME},
        {HOT__PHASE_COMMITTING, HOT__IN_PEER_BROKE, HOT__PHASE_REVOKING_QUIET,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_COMMITTING, HOT__IN_DEADLINE, HOT__PHASE_REVOKING_QUIET,
         HOT__DO_DISARM | HOT__DO_KILL},
        {HOT__PHASE_REVOKING, HOT__IN_PEER_DIED, HOT__PHASE_SERVING, HOT__DO_FAIL},
        {HOT__PHASE_REVOKING_QUIET, HOT__IN_PEER_DIED, HOT__PHASE_RESUMING,
         HOT__DO_FAIL | HOT__DO_RESUME},
        {HOT__PHASE_RESUMING, HOT__IN_SERVING, HOT__PHASE_SERVING, 0},

        /* the old generation: the way out */
        {HOT__PHASE_RETIRING, HOT__IN_RETIRED, HOT__PHASE_DRAINING, HOT__DO_SEND_RETIRED},
        {HOT__PHASE_RETIRING, HOT__IN_TRIGGER, HOT__PHASE_RETIRING, HOT__DO_FORWARD},
        {HOT__PHASE_RETIRING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},
        {HOT__PHASE_DRAINING, HOT__IN_TRIGGER, HOT__PHASE_DRAINING, HOT__DO_FORWARD},
        {HOT__PHASE_DRAINING, HOT__IN_IDLE, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},
        {HOT__PHASE_DRAINING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},

        /* stop: a restart that is not committed is given up; one that may be is stopped too */
        {HOT__PHASE_BEGINNING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_SERVING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_SPAWNED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_KILL | HOT__DO_STOP},
        {HOT__PHASE_OFFERED, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_KILL | HOT__DO_STOP},
        {HOT__PHASE_QUIESCING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_KILL | HOT__DO_STOP},
        {HOT__PHASE_COMMITTING, HOT__IN_STOP, HOT__PHASE_STOPPING,
         HOT__DO_STOP_PEER | HOT__DO_STOP},
        {HOT__PHASE_REVOKING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_REVOKING_QUIET, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_RESUMING, HOT__IN_STOP, HOT__PHASE_STOPPING, HOT__DO_STOP},
        {HOT__PHASE_STOPPING, HOT__IN_QUIESCED, HOT__PHASE_ENDING, HOT__DO_LET_GO},
        {HOT__PHASE_STOPPING, HOT__IN_STOP, HOT__PHASE_EXITED, STOP_NOW},
        {HOT__PHASE_STOPPING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, STOP_NOW},
        {HOT__PHASE_ENDING, HOT__IN_IDLE, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},
        {HOT__PHASE_ENDING, HOT__IN_STOP, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},
        {HOT__PHASE_ENDING, HOT__IN_DEADLINE, HOT__PHASE_EXITED, HOT__DO_DISARM | HOT__DO_EXIT},
};

void hot__lifecycle_init(struct hot__lifecycle *life, bool has_predecessor)
{
        *life = (struct hot__lifecycle){
                .phase = HOT__PHASE_OPENED,
                .has_predecessor = has_predecessor,
                .owner = !has_predecessor,
        };
}

bool hot__lifecycle_is_restarting(const struct hot__lifecycle *life)
{
        return life->phase >= HOT__PHASE_SPAWNED && life->phase <= HOT__PHASE_REVOKING_QUIET;
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

        if (input == HOT__IN_HANDED_ON)
                life->owner = true;
        if (input == HOT__IN_PREDECESSOR_DIED) {
                /* It left before it could hand PID file and service manager on: they are ours now,
                 * at once if we serve, else as soon as we do. */
                adopt = !life->owner && life->served && life->phase < HOT__PHASE_RETIRING;
                life->has_predecessor = false;
                life->owner = true;
        }
        return adopt ? HOT__DO_OWN : 0;
}

/*
 * Who does not own PID file and service manager yet cannot hand them on: the predecessor, if it is slow,
 * would write our name over that of our successor.
 */
static bool may_restart(const struct hot__lifecycle *life)
{
        return life->phase == HOT__PHASE_SERVING && life->owner;
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

/* A stop between HOT_SERVE and its confirmation waits for it: the old generation, which has stopped
 * accepting, must learn that the restart was committed and must not resume. A second one does not wait. */
static uint32_t stop_beginning(struct hot__lifecycle *life)
{
        if (!life->stop_queued) {
                life->stop_queued = true;
                return 0;
        }
        life->phase = HOT__PHASE_EXITED;
        return STOP_NOW;
}

/* A generation that drains is stopping already: the first stop only hurries it, since a terminal's Ctrl-C and a
 * service manager's stop reach all generations alike, and what is in flight here is as good as elsewhere. */
static uint32_t stop_draining(struct hot__lifecycle *life)
{
        if (!life->hurried) {
                life->hurried = true;
                return HOT__DO_HURRY;
        }
        life->phase = HOT__PHASE_EXITED;
        return HOT__DO_DISARM | HOT__DO_EXIT;
}

/* The seed's protocol has no COMMIT: a seed that is ready accepts already. */
static uint32_t adjust_to_seed(struct hot__lifecycle *life, enum hot__input input, uint32_t actions)
{
        if (input == HOT__IN_PEER_SEED_READY && life->phase == HOT__PHASE_QUIESCING)
                life->peer_is_seed = true;
        if (life->peer_is_seed && life->phase == HOT__PHASE_COMMITTING) {
                life->phase = HOT__PHASE_RETIRING;
                return HOT__DO_DRAIN | HOT__DO_RETIRE;
        }
        if (life->peer_is_seed && input == HOT__IN_STOP && (actions & HOT__DO_KILL))
                return (actions & ~(uint32_t)HOT__DO_KILL) | HOT__DO_STOP_PEER;
        return actions;
}

/* What had to wait and need not any more. */
static uint32_t settle(struct hot__lifecycle *life)
{
        if (life->phase == HOT__PHASE_SERVING && life->stop_queued) {
                life->stop_queued = false;
                return follow(life, HOT__IN_STOP);
        }
        if (life->trigger_queued && (may_restart(life) || life->phase == HOT__PHASE_RETIRING)) {
                life->trigger_queued = false;
                return follow(life, HOT__IN_TRIGGER);
        }
        return 0;
}

uint32_t hot__lifecycle_step(struct hot__lifecycle *life, enum hot__input input)
{
        uint32_t actions = note_predecessor(life, input);

        if (note_trigger(life, &input))
                return actions;
        if (life->phase == HOT__PHASE_BEGINNING && life->has_predecessor &&
            (input == HOT__IN_STOP || input == HOT__IN_PREDECESSOR_STOP))
                return actions | stop_beginning(life);
        if (input == HOT__IN_STOP &&
            (life->phase == HOT__PHASE_RETIRING || life->phase == HOT__PHASE_DRAINING))
                return actions | stop_draining(life);

        actions |= adjust_to_seed(life, input, follow(life, input));
        if (life->phase == HOT__PHASE_ANNOUNCED && !life->has_predecessor) {
                life->phase = HOT__PHASE_BEGINNING;
                actions = HOT__DO_SERVE;
        }
        if (actions & HOT__DO_ANNOUNCE) {
                life->served = true;
                actions |= life->owner ? HOT__DO_OWN : 0;
        }
        if (actions & (HOT__DO_FAIL | HOT__DO_SPAWN))
                life->peer_is_seed = false;
        return actions | settle(life);
}
