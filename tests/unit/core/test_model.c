/* SPDX-License-Identifier: MIT */

/*
 * The state machine as two generations have it: over every order in which they can hear of each other, what
 * must never be.
 */

#include "fdcheck.h"
#include "lifecycle.h"

#include <stdlib.h>
#include <string.h>

#define P(name) HOT__PHASE_##name
#define I(name) HOT__IN_##name
#define D(name) (uint32_t) HOT__DO_##name

/*
 * Two generations and everything between them: each side's machine, frames on their way, who is alive,
 * and whether each host accepts. All orders of all things that can happen are tried.
 */
struct world {
        struct hot__lifecycle old, new;
        uint8_t to_new[4], to_old[4]; /* inputs on their way, in order */
        uint8_t n_to_new, n_to_old;
        bool spawned, old_alive, new_alive, old_knows, new_knows;
        bool old_accepts, new_accepts;
        bool old_asked, new_asked; /* an event that the host must confirm */
        bool old_retires;          /* R10 is under way */
        bool new_stopped, old_crashed;
        uint8_t n_triggers, n_stops;
};

static struct world *seen, *todo;
static size_t n_seen, n_todo;

#define WORLDS 2000000

static uint32_t hash(const struct world *w)
{
        const uint8_t *bytes = (const uint8_t *)w;
        uint32_t h = 2166136261u;

        for (size_t i = 0; i < sizeof(*w); i++)
                h = (h ^ bytes[i]) * 16777619u;
        return h;
}

static void visit(const struct world *w)
{
        static const struct world empty;

        for (uint32_t at = hash(w) % WORLDS;; at = (at + 1) % WORLDS) {
                if (memcmp(&seen[at], w, sizeof(*w)) == 0)
                        return;
                if (memcmp(&seen[at], &empty, sizeof(*w)) == 0) {
                        seen[at] = *w;
                        assert_true(++n_seen < WORLDS / 2);
                        todo[n_todo++] = *w;
                        return;
                }
        }
}

static void send_to_new(struct world *w, enum hot__input input)
{
        if (!w->spawned)
                return;
        assert_true(w->n_to_new < sizeof(w->to_new));
        w->to_new[w->n_to_new++] = (uint8_t)input;
}

static void send_to_old(struct world *w, enum hot__input input)
{
        assert_true(w->n_to_old < sizeof(w->to_old));
        w->to_old[w->n_to_old++] = (uint8_t)input;
}

/* The new process is gone, with all that was between the two. */
static void forget_new(struct world *w)
{
        memset(&w->new, 0, sizeof(w->new));
        memset(w->to_new, 0, sizeof(w->to_new));
        memset(w->to_old, 0, sizeof(w->to_old));
        w->n_to_new = w->n_to_old = 0;
        w->spawned = w->new_alive = w->old_knows = w->new_knows = false;
        w->new_accepts = w->new_asked = w->new_stopped = false;
}

static void step_old(struct world *w, enum hot__input input)
{
        uint32_t actions = hot__lifecycle_step(&w->old, input);

        if (actions & D(FAIL))
                forget_new(w);
        if (actions & D(SPAWN)) {
                hot__lifecycle_init(&w->new, true);
                w->spawned = w->new_alive = true;
                send_to_old(w, I(HELLO));
        }
        if (actions & (D(KILL)))
                w->new_alive = w->new_accepts = false;
        if (actions & D(QUIESCE))
                w->old_asked = true;
        if (actions & D(COMMIT))
                send_to_new(w, I(COMMIT));
        if (actions & D(STOP_PEER))
                send_to_new(w, I(PREDECESSOR_STOP));
        if (actions & D(RESUME))
                w->old_asked = true;
        if (actions & D(STOP))
                w->old_asked = true;
        if (actions & D(RETIRE))
                w->old_retires = true;
        if (actions & D(SEND_RETIRED))
                send_to_new(w, I(HANDED_ON));
        if (actions & D(FORWARD))
                send_to_new(w, I(TRIGGER));
        if (actions & D(EXIT))
                w->old_alive = w->old_accepts = w->old_asked = w->old_retires = false;
}

static void step_new(struct world *w, enum hot__input input)
{
        uint32_t actions = hot__lifecycle_step(&w->new, input);

        if (actions & D(SEND_READY))
                send_to_old(w, I(PEER_READY));
        if (actions & (D(SERVE) | D(STOP)))
                w->new_asked = true;
        if (actions & D(SPAWN)) {
                /* A third generation, which fails at once. Nobody else speaks to the manager now. */
                if (w->old_retires)
                        fail_msg("restarts before PID file and service manager are its own");
                hot__lifecycle_step(&w->new, I(SPAWN_FAILED));
        }
        if (actions & D(ANNOUNCE))
                send_to_old(w, I(PEER_SERVING));
        if (actions & D(EXIT))
                w->new_alive = w->new_accepts = w->new_asked = false;
}

/* The host of a generation does what the event it has been given asks for, then confirms. */
static void old_confirms(struct world *w)
{
        w->old_asked = false;
        if (w->old.phase == P(RESUMING)) {
                w->old_accepts = true;
                step_old(w, I(SERVING));
        } else if (w->old.phase == P(QUIESCING) || w->old.phase == P(STOPPING)) {
                w->old_accepts = false;
                step_old(w, I(QUIESCED));
        } else {
                w->old_accepts =
                        false; /* late: it acts on the event, and its confirmation is refused */
                if (w->old.phase == P(REVOKING_QUIET))
                        return;
        }
}

static void new_confirms(struct world *w)
{
        w->new_asked = false;
        if (w->new.phase == P(BEGINNING)) {
                w->new_accepts = true;
                step_new(w, I(SERVING));
        } else if (w->new.phase == P(STOPPING)) {
                w->new_accepts = false;
                step_new(w, I(QUIESCED));
        }
}

static void deliver(uint8_t *queue, uint8_t *n, uint8_t *ret)
{
        *ret = queue[0];
        memmove(queue, queue + 1, (size_t)-- * n);
        queue[*n] = 0;
}

enum choice {
        TRIGGER_OLD,
        STOP_OLD,
        STOP_NEW,
        OLD_CONFIRMS,
        OLD_IDLE,
        OLD_DEADLINE,
        OLD_DIES,
        OLD_HEARS,
        OLD_SEES_DEATH,
        OLD_RETIRES,
        NEW_READY,
        NEW_CONFIRMS,
        NEW_IDLE,
        NEW_DIES,
        NEW_HEARS,
        NEW_SEES_DEATH,
        N_CHOICES,
};

/* Returns whether that can happen now. */
static bool happen(struct world *w, enum choice choice)
{
        uint8_t input;

        switch (choice) {
        case TRIGGER_OLD:
                if (!w->old_alive || w->n_triggers == 2)
                        return false;
                w->n_triggers++;
                step_old(w, I(TRIGGER_OTHER));
                return true;
        case STOP_OLD:
                if (!w->old_alive || w->n_stops == 2)
                        return false;
                w->n_stops++;
                step_old(w, I(STOP));
                return true;
        case STOP_NEW:
                if (!w->new_alive || w->new_stopped)
                        return false;
                w->new_stopped = true;
                step_new(w, I(STOP));
                return true;
        case OLD_CONFIRMS:
                if (!w->old_alive || !w->old_asked)
                        return false;
                old_confirms(w);
                return true;
        case OLD_IDLE:
                if (!w->old_alive || !hot__lifecycle_awaits_idle(&w->old))
                        return false;
                step_old(w, I(IDLE));
                return true;
        case OLD_DEADLINE: /* only when there is nothing else to hear */
                if (!w->old_alive || w->n_to_old > 0 || !hot__lifecycle_is_restarting(&w->old) ||
                    w->old.phase == P(REVOKING) || w->old.phase == P(REVOKING_QUIET))
                        return false;
                step_old(w, I(DEADLINE));
                return true;
        case OLD_DIES:
                if (!w->old_alive || !w->spawned)
                        return false;
                w->old_alive = w->old_accepts = w->old_asked = w->old_retires = false;
                w->old_crashed = true;
                return true;
        case OLD_HEARS:
                if (!w->old_alive || w->n_to_old == 0)
                        return false;
                deliver(w->to_old, &w->n_to_old, &input);
                step_old(w, (enum hot__input)input);
                return true;
        case OLD_SEES_DEATH: /* frames first */
                if (!w->old_alive || !w->spawned || w->new_alive || w->old_knows || w->n_to_old > 0)
                        return false;
                w->old_knows = true;
                step_old(w, I(PEER_DIED));
                return true;
        case OLD_RETIRES:
                if (!w->old_retires)
                        return false;
                w->old_retires = false;
                step_old(w, I(RETIRED));
                return true;
        case NEW_READY: /* after the offer, or when nobody is left to make one */
                if (!w->new_alive || w->new.phase != P(OPENED) ||
                    (w->old_alive ? w->old.phase == P(SPAWNED) : !w->new_knows))
                        return false;
                step_new(w, I(READY));
                return true;
        case NEW_CONFIRMS:
                if (!w->new_alive || !w->new_asked)
                        return false;
                new_confirms(w);
                return true;
        case NEW_IDLE:
                if (!w->new_alive || !hot__lifecycle_awaits_idle(&w->new))
                        return false;
                step_new(w, I(IDLE));
                return true;
        case NEW_DIES:
                if (!w->new_alive)
                        return false;
                w->new_alive = w->new_accepts = w->new_asked = false;
                return true;
        case NEW_HEARS:
                if (!w->new_alive || w->n_to_new == 0)
                        return false;
                deliver(w->to_new, &w->n_to_new, &input);
                step_new(w, (enum hot__input)input);
                return true;
        default:
                if (!w->new_alive || w->old_alive || w->new_knows || w->n_to_new > 0)
                        return false;
                w->new_knows = true;
                step_new(w, I(PREDECESSOR_DIED));
                return true;
        }
}

static void check_world(const struct world *w, bool stuck)
{
        if (w->old_accepts && w->new_accepts)
                fail_msg("two generations accept: old in phase %d, new in phase %d",
                         (int)w->old.phase, (int)w->new.phase);
        /*
         * Nothing can happen any more. Then somebody accepts, unless a stop was asked for, both have
         * crashed, or the new one did after it was committed.
         */
        if (stuck && !w->n_stops && !w->new_stopped && !w->old_accepts && !w->new_accepts &&
            !(w->old_crashed && !w->new_alive) && !w->new.served)
                fail_msg("nobody accepts: old in phase %d, new in phase %d", (int)w->old.phase,
                         (int)w->new.phase);
        if (stuck && w->n_stops && w->old_alive)
                fail_msg("the stop was not followed: phase %d", (int)w->old.phase);
}

static void test_never_two_acceptors_and_never_none(void **state)
{
        struct world start, next;

        (void)state;
        seen = calloc(WORLDS, sizeof(*seen));
        todo = calloc(WORLDS, sizeof(*todo));
        assert_true(seen && todo);
        memset(&start, 0, sizeof(start));
        hot__lifecycle_init(&start.old, false);
        hot__lifecycle_step(&start.old, I(READY));
        hot__lifecycle_step(&start.old, I(SERVING));
        start.old_alive = start.old_accepts = true;
        visit(&start);
        while (n_todo > 0) {
                struct world w = todo[--n_todo];
                bool stuck = true;

                for (int choice = 0; choice < N_CHOICES; choice++) {
                        memcpy(&next, &w, sizeof(next));
                        if (!happen(&next, (enum choice)choice))
                                continue;
                        /* A crash is always possible, so it does not count as a way on. */
                        stuck = stuck &&
                                (choice == OLD_DIES || choice == NEW_DIES || choice == STOP_OLD ||
                                 choice == STOP_NEW || choice == TRIGGER_OLD);
                        visit(&next);
                }
                check_world(&w, stuck);
        }
        /* The exploration is worth something only if it got around. */
        print_message("%zu worlds\n", n_seen);
        assert_true(n_seen > 500);
        free(seen);
        free(todo);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_never_two_acceptors_and_never_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
