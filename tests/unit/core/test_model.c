/* SPDX-License-Identifier: MIT */

/*
 * The state machine as three generations have it, A -> B -> C: over every order in which they can hear of
 * each other, crash, be stopped and be late, what must never be.
 */

#include "fdcheck.h"
#include "lifecycle.h"

#include <stdlib.h>
#include <string.h>

#define P(name) HOT__PHASE_##name
#define I(name) HOT__IN_##name
#define D(name) (uint32_t) HOT__DO_##name

#define N_GENERATIONS 3
#define N_FRAMES      5

/* Frames on their way, as the inputs that they will be. */
struct queue {
        uint8_t frames[N_FRAMES], n;
};

struct generation {
        struct hot__lifecycle life;
        struct queue from_older, from_newer;
        bool spawned, alive;
        bool accepts;
        bool asked;          /* an event that the host must confirm */
        bool retires;        /* R10 is under way */
        bool retired;        /* since R10 began: never again */
        bool resumed;        /* in its probation */
        bool sees_older_end; /* that has been told */
        bool sees_verdict;   /* of the one before the older one */
};

struct world {
        struct generation g[N_GENERATIONS];
        uint8_t n_triggers, n_stops, n_crashes;
        bool must_end; /* somebody who could serve was told to stop */
};

/* How much happens at most. */
struct bounds {
        uint8_t triggers, stops, crashes;
        struct hot__manner manner;
};

static struct bounds bounds;

/* Worlds that were seen, by a hash of 64 bits; and those whose future is still to be explored. */
static uint64_t *seen;
static struct world *todo;
static size_t n_seen, n_todo, todo_size;

#define SEEN (1U << 24)

static uint64_t hash(const struct world *w)
{
        const uint8_t *bytes = (const uint8_t *)w;
        uint64_t h = 14695981039346656037u;

        for (size_t i = 0; i < sizeof(*w); i++)
                h = (h ^ bytes[i]) * 1099511628211u;
        return h ? h : 1;
}

static void visit(const struct world *w)
{
        uint64_t h = hash(w);

        for (size_t at = h % SEEN; seen[at] != h; at = (at + 1) % SEEN) {
                if (seen[at] != 0)
                        continue;
                seen[at] = h;
                assert_true(++n_seen < SEEN / 4 * 3);
                if (n_todo == todo_size) {
                        todo_size = todo_size ? 2 * todo_size : 1024;
                        todo = reallocarray(todo, todo_size, sizeof(*todo));
                        assert_non_null(todo);
                }
                todo[n_todo++] = *w;
                return;
        }
}

static void push(struct queue *queue, enum hot__input input)
{
        assert_true(queue->n < N_FRAMES);
        queue->frames[queue->n++] = (uint8_t)input;
}

static enum hot__input pop(struct queue *queue)
{
        enum hot__input input = (enum hot__input)queue->frames[0];

        memmove(queue->frames, queue->frames + 1, N_FRAMES - 1);
        queue->frames[N_FRAMES - 1] = 0;
        queue->n--;
        return input;
}

static void end(struct generation *g)
{
        g->alive = g->accepts = g->asked = g->retires = false;
}

static bool newer_is_dead(const struct world *w, int i)
{
        return i + 1 < N_GENERATIONS && w->g[i + 1].spawned && !w->g[i + 1].alive;
}

static void forget(struct world *w, int i)
{
        if (i < N_GENERATIONS)
                memset(&w->g[i], 0, sizeof(w->g[i]));
}

static void step(struct world *w, int i, enum hot__input input);

static void spawn(struct world *w, int i)
{
        /* A fourth one fails at once, and so does one beside an orphan, whose place it would take. */
        if (i == N_GENERATIONS || (i + 1 < N_GENERATIONS && w->g[i + 1].spawned)) {
                step(w, i - 1, I(SPAWN_FAILED));
                return;
        }
        hot__lifecycle_init(&w->g[i].life, true, w->g[i - 1].life.has_predecessor, bounds.manner);
        w->g[i].spawned = w->g[i].alive = true;
        push(&w->g[i - 1].from_newer, I(HELLO));
}

static void tell_newer(struct world *w, int i, enum hot__input input)
{
        if (i + 1 < N_GENERATIONS && w->g[i + 1].alive)
                push(&w->g[i + 1].from_older, input);
}

static void tell_older(struct world *w, int i, enum hot__input input)
{
        if (i > 0 && w->g[i - 1].alive)
                push(&w->g[i - 1].from_newer, input);
}

static void step(struct world *w, int i, enum hot__input input)
{
        struct generation *g = &w->g[i];
        bool probation = g->life.phase == P(PROBATION);
        uint32_t actions = hot__lifecycle_step(&g->life, input);

        g->resumed |= probation && (actions & D(RESUME));
        if ((actions & D(KILL)) && i + 1 < N_GENERATIONS && w->g[i + 1].alive)
                end(&w->g[i + 1]);
        if (actions & D(SEND_READY))
                tell_older(w, i, I(PEER_READY));
        if (actions & D(ANNOUNCE))
                tell_older(w, i, I(PEER_SERVING));
        if (actions & D(FAIL))
                forget(w, i + 1);
        if ((actions & D(FAIL)) && g->from_newer.n > 0)
                memset(&g->from_newer, 0, sizeof(g->from_newer));
        if (actions & D(SPAWN))
                spawn(w, i + 1);
        if (actions & D(ASK))
                tell_older(w, i, I(PEER_ASKS));
        if (actions & D(COMMIT))
                tell_newer(w, i, I(COMMIT));
        if (actions & D(RETIRE))
                g->retires = g->retired = true;
        if (actions & D(SEND_RETIRED))
                tell_newer(w, i, I(HANDED_ON));
        if (actions & D(STOP_PEER))
                tell_newer(w, i, I(PREDECESSOR_STOP));
        if (actions & D(FORWARD))
                tell_newer(w, i, I(TRIGGER));
        if (actions & (D(SERVE) | D(QUIESCE) | D(RESUME) | D(STOP)))
                g->asked = true;
        if (actions & D(EXIT))
                end(g);
}

/* The host does what the event that it was given asks for, then confirms, if that is still wanted. */
static void confirm(struct world *w, int i)
{
        struct generation *g = &w->g[i];

        g->asked = false;
        switch (g->life.phase) {
        case P(BEGINNING):
        case P(RESUMING):
                g->accepts = true;
                step(w, i, I(SERVING));
                break;
        case P(QUIESCING):
        case P(STOPPING):
                g->accepts = false;
                step(w, i, I(QUIESCED));
                break;
        default:
                g->accepts = false; /* late */
        }
}

/* What waits for a deadline; and nothing else is left to be heard. */
static bool deadline_may_pass(const struct world *w, int i)
{
        const struct generation *g = &w->g[i];

        if (g->from_newer.n > 0 || g->from_older.n > 0 || newer_is_dead(w, i) ||
            (i > 0 && !w->g[i - 1].alive && !g->sees_older_end))
                return false;
        switch (g->life.phase) {
        case P(SPAWNED):
        case P(OFFERED):
        case P(ASKING):
        case P(QUIESCING):
        case P(COMMITTING):
        case P(PROBATION):
                return true;
        case P(SERVING):
                return g->life.stop_queued;
        default:
                return false;
        }
}

enum choice {
        TRIGGER,
        STOP,
        CRASH,
        WORD, /* the one that HELD waits for */
        CONFIRM,
        IDLE,
        DEADLINE,
        READY,
        RETIRED,
        HEAR_NEWER,
        HEAR_OLDER,
        SEE_NEWER_END,
        SEE_OLDER_END,
        SEE_VERDICT,
        N_CHOICES,
};

static bool from_outside(struct world *w, int i, enum choice choice)
{
        struct generation *g = &w->g[i];
        enum hot__phase phase = g->life.phase;

        if (choice == TRIGGER && w->n_triggers < bounds.triggers) {
                w->n_triggers++;
                step(w, i, I(TRIGGER_OTHER));
                return true;
        }
        if (choice == STOP && w->n_stops < bounds.stops) {
                w->n_stops++;
                w->must_end |= phase >= P(SERVING) && phase <= P(PROBATION);
                step(w, i, I(STOP));
                return true;
        }
        if (choice == CRASH && w->n_crashes < bounds.crashes) {
                w->n_crashes++;
                end(g);
                return true;
        }
        return false;
}

/* Whether the one before the older one goes on or never can: a pipe tells, which has one byte or an end. */
static bool see_verdict(struct world *w, int i)
{
        struct generation *g = &w->g[i];
        const struct generation *elder = &w->g[i - 2 > 0 ? i - 2 : 0];

        if (!g->life.has_elder || g->sees_verdict)
                return false;
        if (!elder->resumed && !elder->retired && elder->alive)
                return false;
        g->sees_verdict = true;
        step(w, i, elder->resumed ? I(ELDER_RESUMED) : I(ELDER_RETIRED));
        return true;
}

/* Returns whether that can happen to generation @i now. */
static bool happen(struct world *w, int i, enum choice choice)
{
        struct generation *g = &w->g[i];
        bool older_ended = i > 0 && !w->g[i - 1].alive;

        if (!g->alive)
                return false;
        switch (choice) {
        case TRIGGER:
        case STOP:
        case CRASH:
                return from_outside(w, i, choice);
        case WORD:
                if (g->life.phase != P(HELD))
                        return false;
                step(w, i, I(GO));
                return true;
        case CONFIRM:
                if (!g->asked)
                        return false;
                confirm(w, i);
                return true;
        case IDLE:
                if (!hot__lifecycle_awaits_idle(&g->life))
                        return false;
                step(w, i, I(IDLE));
                return true;
        case DEADLINE:
                if (!deadline_may_pass(w, i))
                        return false;
                step(w, i, I(DEADLINE));
                return true;
        case READY: /* after the offer, or when nobody is left to make one */
                if (g->life.phase != P(OPENED) ||
                    (i > 0 &&
                     (older_ended ? !g->sees_older_end : w->g[i - 1].life.phase == P(SPAWNED))))
                        return false;
                step(w, i, I(READY));
                return true;
        case RETIRED:
                if (!g->retires)
                        return false;
                g->retires = false;
                step(w, i, I(RETIRED));
                return true;
        case HEAR_NEWER:
                if (g->from_newer.n == 0)
                        return false;
                step(w, i, pop(&g->from_newer));
                return true;
        case HEAR_OLDER:
                if (g->from_older.n == 0)
                        return false;
                step(w, i, pop(&g->from_older));
                return true;
        case SEE_NEWER_END: /* frames first */
                if (!newer_is_dead(w, i) || g->from_newer.n > 0 ||
                    hot__lifecycle_has_successor(&g->life) > (g->life.phase == P(PROBATION)))
                        return false;
                step(w, i, I(PEER_DIED));
                return true;
        case SEE_OLDER_END:
                if (!older_ended || g->sees_older_end || g->from_older.n > 0)
                        return false;
                g->sees_older_end = true;
                step(w, i, I(PREDECESSOR_DIED));
                return true;
        case SEE_VERDICT:
                return see_verdict(w, i);
        default:
                return false;
        }
}

static void tell(const struct world *w, const char *what)
{
        fail_msg("%s: phases %d %d %d, alive %d %d %d", what, (int)w->g[0].life.phase,
                 (int)w->g[1].life.phase, (int)w->g[2].life.phase, w->g[0].alive, w->g[1].alive,
                 w->g[2].alive);
}

static void check_always(const struct world *w)
{
        int n_accept = 0, n_probations = 0;

        for (int i = 0; i < N_GENERATIONS; i++) {
                n_accept += w->g[i].accepts;
                n_probations += w->g[i].alive && w->g[i].life.phase == P(PROBATION);
                if (w->g[i].accepts && w->g[i].retired)
                        tell(w, "a retired generation accepts");
        }
        if (n_accept > 1)
                tell(w, "two generations accept");
        if (n_probations > 1)
                tell(w, "two probations at a time");
}

/* Nothing can happen any more but what comes from outside. */
static void check_stuck(const struct world *w)
{
        bool accepts = false, alive = false, could_serve = false;

        for (int i = 0; i < N_GENERATIONS; i++) {
                accepts |= w->g[i].accepts;
                alive |= w->g[i].alive;
                could_serve |= w->g[i].alive && !w->g[i].retired;
        }
        if (w->n_stops == 0 && !accepts && (could_serve || w->n_crashes == 0))
                tell(w, "nobody accepts");
        if (w->must_end && w->n_crashes == 0 && alive)
                tell(w, "the stop was not followed");
}

static void explore(struct bounds chosen)
{
        struct world start, next;

        bounds = chosen;
        seen = calloc(SEEN, sizeof(*seen));
        assert_non_null(seen);
        n_seen = n_todo = todo_size = 0;
        todo = NULL;
        memset(&start, 0, sizeof(start));
        hot__lifecycle_init(&start.g[0].life, false, false, bounds.manner);
        hot__lifecycle_step(&start.g[0].life, I(READY));
        hot__lifecycle_step(&start.g[0].life, I(SERVING));
        start.g[0].spawned = start.g[0].alive = start.g[0].accepts = true;
        visit(&start);
        while (n_todo > 0) {
                struct world w = todo[--n_todo];
                bool stuck = true;

                for (int i = 0; i < N_GENERATIONS * N_CHOICES; i++) {
                        memcpy(&next, &w, sizeof(next));
                        if (!happen(&next, i / N_CHOICES, (enum choice)(i % N_CHOICES)))
                                continue;
                        stuck = stuck && i % N_CHOICES <= CRASH;
                        visit(&next);
                }
                check_always(&w);
                if (stuck)
                        check_stuck(&w);
        }
        print_message("%zu worlds\n", n_seen);
        free(seen);
        free(todo);
}

static void test_two_restarts_with_a_probation(void **state)
{
        (void)state;
        explore((struct bounds){.triggers = 2, .crashes = 2, .manner = {.probation = true}});
        /* The exploration is worth something only if it got around. */
        assert_true(n_seen > 5000);
}

static void test_two_restarts_without_a_probation(void **state)
{
        (void)state;
        explore((struct bounds){.triggers = 2, .crashes = 2});
        assert_true(n_seen > 2000);
}

static void test_stops_at_any_time(void **state)
{
        (void)state;
        explore((struct bounds){.triggers = 2, .stops = 1, .manner = {.probation = true}});
        assert_true(n_seen > 5000);
        explore((struct bounds){
                .triggers = 2, .stops = 2, .crashes = 1, .manner = {.probation = true}});
        assert_true(n_seen > 20000);
}

static void test_restarts_that_wait_for_the_word(void **state)
{
        (void)state;
        explore((struct bounds){.triggers = 2,
                                .stops = 1,
                                .crashes = 1,
                                .manner = {.probation = true, .holds = true}});
        assert_true(n_seen > 5000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_two_restarts_with_a_probation),
                hot_test(test_two_restarts_without_a_probation),
                hot_test(test_stops_at_any_time),
                hot_test(test_restarts_that_wait_for_the_word),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
