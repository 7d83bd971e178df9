/* SPDX-License-Identifier: MIT */

/*
 * The state machine is walked as a whole: what each (phase, input) does, and what waits for what.
 */

#include "fdcheck.h"
#include "lifecycle.h"

static struct hot__lifecycle in(enum hot__phase phase)
{
        return (struct hot__lifecycle){.phase = phase,
                                       .has_predecessor = phase == HOT__PHASE_ANNOUNCED,
                                       .owner = true,
                                       .served = true};
}

static const struct hot__manner plain; /* no check, no word, no probation */

struct expectation {
        enum hot__phase phase;
        enum hot__input input;
        enum hot__phase next;
        uint32_t actions;
};

#define P(name) HOT__PHASE_##name
#define I(name) HOT__IN_##name
#define D(name) (uint32_t) HOT__DO_##name

#define FAILED  (D(DISARM) | D(FAIL))
#define REVOKED (D(DISARM) | D(KILL))
#define GONE    (D(DISARM) | D(EXIT))

/* While the old one accepts. */
#define BEFORE_QUIESCE(phase)                                                \
        {(phase), I(PEER_DIED), P(SERVING), FAILED},                         \
                {(phase), I(PEER_BROKE), P(REVOKING), REVOKED},              \
                {(phase), I(DEADLINE), P(REVOKING), REVOKED},                \
                {(phase), I(ABORT), P(REVOKING), REVOKED},                   \
                {(phase), I(STOP), P(STOPPING), D(KILL) | D(STOP)},          \
        {                                                                    \
                (phase), I(PREDECESSOR_STOP), P(STOPPING), D(KILL) | D(STOP) \
        }

/* What is not in this list must change nothing. ASKING is where no owner passes. */
static const struct expectation expectations[] = {
        {P(OPENED), I(READY), P(BEGINNING), D(SERVE)},
        {P(OPENED), I(STOP), P(STOPPING), D(STOP)},
        {P(OPENED), I(ELDER_RESUMED), P(EXITED), D(EXIT)},
        {P(ANNOUNCED), I(COMMIT), P(BEGINNING), D(SERVE)},
        {P(ANNOUNCED), I(PREDECESSOR_DIED), P(BEGINNING), D(SERVE)},
        {P(ANNOUNCED), I(HANDED_ON), P(BEGINNING), D(SERVE)},
        {P(ANNOUNCED), I(STOP), P(STOPPING), D(STOP)},
        {P(ANNOUNCED), I(PREDECESSOR_STOP), P(STOPPING), D(STOP)},
        {P(ANNOUNCED), I(ELDER_RESUMED), P(EXITED), D(EXIT)},
        {P(BEGINNING), I(SERVING), P(SERVING), D(ANNOUNCE) | D(OWN)},
        {P(BEGINNING), I(STOP), P(STOPPING), D(STOP)},
        {P(BEGINNING), I(PREDECESSOR_STOP), P(STOPPING), D(STOP)},

        {P(SERVING), I(TRIGGER), P(SPAWNED), D(BEGIN) | D(SPAWN)},
        {P(SERVING), I(TRIGGER_OTHER), P(SPAWNED), D(BEGIN) | D(SPAWN)},
        {P(SERVING), I(STOP), P(STOPPING), D(DISARM) | D(STOP)},
        {P(SERVING), I(PREDECESSOR_STOP), P(STOPPING), D(DISARM) | D(STOP)},

        {P(CHECKING), I(CHECKED), P(SPAWNED), D(SPAWN)},
        {P(CHECKING), I(SPAWN_FAILED), P(SERVING), FAILED},
        BEFORE_QUIESCE(P(CHECKING)),

        {P(SPAWNED), I(HELLO), P(OFFERED), D(OFFER)},
        {P(SPAWNED), I(PEER_SEED_READY), P(QUIESCING), D(QUIESCE)},
        {P(SPAWNED), I(SPAWN_FAILED), P(SERVING), FAILED},
        BEFORE_QUIESCE(P(SPAWNED)),

        {P(OFFERED), I(PEER_READY), P(QUIESCING), D(QUIESCE)},
        BEFORE_QUIESCE(P(OFFERED)),

        {P(HELD), I(GO), P(QUIESCING), D(QUIESCE)},
        BEFORE_QUIESCE(P(HELD)),

        {P(QUIESCING), I(QUIESCED), P(COMMITTING), D(COMMIT)},
        {P(QUIESCING), I(PEER_DIED), P(RESUMING), FAILED | D(RESUME)},
        {P(QUIESCING), I(PEER_BROKE), P(REVOKING_QUIET), REVOKED},
        {P(QUIESCING), I(DEADLINE), P(REVOKING_QUIET), REVOKED},
        {P(QUIESCING), I(ABORT), P(REVOKING_QUIET), REVOKED},
        {P(QUIESCING), I(STOP), P(STOPPING), D(KILL) | D(STOP)},
        {P(QUIESCING), I(PREDECESSOR_STOP), P(STOPPING), D(KILL) | D(STOP)},

        {P(COMMITTING), I(PEER_SERVING), P(RETIRING), D(DRAIN) | D(RETIRE)},
        {P(COMMITTING), I(PEER_DIED), P(RESUMING), FAILED | D(RESUME)},
        {P(COMMITTING), I(PEER_BROKE), P(REVOKING_QUIET), REVOKED},
        {P(COMMITTING), I(DEADLINE), P(REVOKING_QUIET), REVOKED},
        {P(COMMITTING), I(STOP), P(STOPPING), D(STOP_PEER) | D(STOP)},
        {P(COMMITTING), I(PREDECESSOR_STOP), P(STOPPING), D(STOP_PEER) | D(STOP)},

        {P(REVOKING), I(PEER_DIED), P(SERVING), D(FAIL)},
        {P(REVOKING), I(STOP), P(STOPPING), D(STOP)},
        {P(REVOKING), I(PREDECESSOR_STOP), P(STOPPING), D(STOP)},
        {P(REVOKING_QUIET), I(PEER_DIED), P(RESUMING), D(FAIL) | D(RESUME)},
        {P(REVOKING_QUIET), I(STOP), P(STOPPING), D(STOP)},
        {P(REVOKING_QUIET), I(PREDECESSOR_STOP), P(STOPPING), D(STOP)},
        {P(RESUMING), I(SERVING), P(SERVING), 0},
        {P(RESUMING), I(STOP), P(STOPPING), D(STOP)},
        {P(RESUMING), I(PREDECESSOR_STOP), P(STOPPING), D(STOP)},

        {P(PROBATION), I(PEER_DIED), P(RESUMING), FAILED | D(RESUME)},
        {P(PROBATION), I(DEADLINE), P(RETIRING), D(RETIRE)},
        {P(PROBATION), I(PEER_ASKS), P(RETIRING), D(DISARM) | D(RETIRE)},
        {P(PROBATION), I(TRIGGER), P(PROBATION), D(FORWARD)},
        {P(PROBATION), I(TRIGGER_OTHER), P(PROBATION), D(FORWARD)},
        {P(PROBATION), I(STOP), P(RETIRING), D(DISARM) | D(RETIRE) | D(HURRY)},
        {P(PROBATION), I(PREDECESSOR_STOP), P(RETIRING), D(DISARM) | D(RETIRE) | D(HURRY)},

        {P(RETIRING), I(RETIRED), P(DRAINING), D(SEND_RETIRED)},
        {P(RETIRING), I(TRIGGER), P(RETIRING), D(FORWARD)},
        {P(RETIRING), I(TRIGGER_OTHER), P(RETIRING), D(FORWARD)},
        {P(RETIRING), I(STOP), P(RETIRING), D(HURRY)},
        {P(RETIRING), I(PREDECESSOR_STOP), P(RETIRING), D(HURRY)},
        {P(DRAINING), I(TRIGGER), P(DRAINING), D(FORWARD)},
        {P(DRAINING), I(TRIGGER_OTHER), P(DRAINING), D(FORWARD)},
        {P(DRAINING), I(IDLE), P(EXITED), GONE},
        {P(DRAINING), I(DEADLINE), P(EXITED), GONE},
        {P(DRAINING), I(PEER_ENDS_US), P(EXITED), GONE},
        {P(DRAINING), I(STOP), P(DRAINING), D(HURRY)},
        {P(DRAINING), I(PREDECESSOR_STOP), P(DRAINING), D(HURRY)},

        {P(STOPPING), I(QUIESCED), P(ENDING), D(LET_GO)},
        {P(STOPPING), I(STOP), P(EXITED), GONE | D(LET_GO)},
        {P(STOPPING), I(DEADLINE), P(EXITED), GONE | D(LET_GO)},
        {P(ENDING), I(IDLE), P(EXITED), GONE},
        {P(ENDING), I(STOP), P(EXITED), GONE},
        {P(ENDING), I(DEADLINE), P(EXITED), GONE},
};

static const struct expectation *expected(enum hot__phase phase, enum hot__input input)
{
        for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++)
                if (expectations[i].phase == phase && expectations[i].input == input)
                        return &expectations[i];
        return NULL;
}

static void test_every_phase_and_input(void **state)
{
        (void)state;
        for (int phase = 0; phase < HOT__N_PHASES; phase++) {
                for (int input = 0; input < HOT__N_INPUTS; input++) {
                        const struct expectation *e =
                                expected((enum hot__phase)phase, (enum hot__input)input);
                        struct hot__lifecycle life = in((enum hot__phase)phase);
                        uint32_t actions = hot__lifecycle_step(&life, (enum hot__input)input);

                        if (phase == HOT__PHASE_ASKING)
                                continue;
                        if (actions != (e ? e->actions : 0) ||
                            life.phase != (e ? e->next : (enum hot__phase)phase))
                                fail_msg("phase %d, input %d: to %d with %#x", phase, input,
                                         (int)life.phase, actions);
                }
        }
}

static void test_ready_waits_for_a_living_predecessor(void **state)
{
        struct hot__lifecycle life;

        (void)state;
        hot__lifecycle_init(&life, true, false, plain);
        assert_int_equal(hot__lifecycle_step(&life, I(READY)), D(SEND_READY));
        assert_int_equal(life.phase, P(ANNOUNCED));
        assert_int_equal(hot__lifecycle_step(&life, I(COMMIT)), D(SERVE));
        /* Its predecessor still has PID file and service manager: they are not ours yet. */
        assert_int_equal(hot__lifecycle_step(&life, I(SERVING)), D(ANNOUNCE));
        assert_false(life.owner);
        assert_int_equal(hot__lifecycle_step(&life, I(HANDED_ON)), 0);
        assert_true(life.owner);
        assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_DIED)), 0);
}

static void test_predecessor_that_died_leaves_its_things_to_us(void **state)
{
        struct hot__lifecycle life;

        (void)state;
        hot__lifecycle_init(&life, true, false, plain);
        assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_DIED)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(READY)), D(SERVE));
        assert_int_equal(hot__lifecycle_step(&life, I(SERVING)), D(ANNOUNCE) | D(OWN));

        hot__lifecycle_init(&life, true, false, plain);
        hot__lifecycle_step(&life, I(READY));
        hot__lifecycle_step(&life, I(COMMIT));
        hot__lifecycle_step(&life, I(SERVING));
        assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_DIED)), D(OWN));
}

static void test_trigger_joins_a_restart_of_the_same_program(void **state)
{
        struct hot__lifecycle life = in(P(SPAWNED));

        (void)state;
        assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), 0);
        assert_false(life.trigger_queued);
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_DIED)), FAILED);
        assert_int_equal(life.phase, P(SERVING));
}

static void test_trigger_for_another_program_follows_once(void **state)
{
        struct hot__lifecycle life = in(P(OFFERED));

        (void)state;
        hot__lifecycle_step(&life, I(TRIGGER_OTHER));
        hot__lifecycle_step(&life, I(TRIGGER_OTHER));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_DIED)), FAILED | D(BEGIN) | D(SPAWN));
        assert_int_equal(life.phase, P(SPAWNED));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_DIED)), FAILED);
        assert_int_equal(life.phase, P(SERVING));
}

static void test_queued_trigger_is_passed_on_at_commit(void **state)
{
        struct hot__lifecycle life = in(P(COMMITTING));

        (void)state;
        hot__lifecycle_step(&life, I(TRIGGER_OTHER));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_SERVING)),
                         D(DRAIN) | D(RETIRE) | D(FORWARD));
}

static void test_trigger_before_serving_waits(void **state)
{
        struct hot__lifecycle life;

        (void)state;
        hot__lifecycle_init(&life, false, false, plain);
        assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), 0);
        hot__lifecycle_step(&life, I(READY));
        assert_int_equal(hot__lifecycle_step(&life, I(SERVING)),
                         D(ANNOUNCE) | D(OWN) | D(BEGIN) | D(SPAWN));
}

/* A new generation that serves, in the probation of its predecessor. */
static struct hot__lifecycle on_probation(struct hot__manner manner)
{
        struct hot__lifecycle life;

        hot__lifecycle_init(&life, true, false, manner);
        hot__lifecycle_step(&life, I(READY));
        hot__lifecycle_step(&life, I(COMMIT));
        assert_int_equal(hot__lifecycle_step(&life, I(SERVING)), D(ANNOUNCE));
        return life;
}

/* Else the predecessor's word to the service manager could come after ours, and two could resume. */
static void test_commit_waits_until_the_predecessor_has_retired(void **state)
{
        (void)state;
        for (int dies = 0; dies < 2; dies++) {
                struct hot__lifecycle life = on_probation(plain);

                assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), D(BEGIN) | D(SPAWN));
                hot__lifecycle_step(&life, I(HELLO));
                assert_int_equal(hot__lifecycle_step(&life, I(PEER_READY)), D(ASK));
                assert_int_equal(life.phase, P(ASKING));
                assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), 0);
                assert_int_equal(
                        hot__lifecycle_step(&life, dies ? I(PREDECESSOR_DIED) : I(HANDED_ON)),
                        D(QUIESCE) | (dies ? D(OWN) : 0));
                assert_int_equal(life.phase, P(QUIESCING));
        }
}

static void test_stop_on_probation_waits_for_the_predecessor(void **state)
{
        struct hot__lifecycle life = on_probation(plain);

        (void)state;
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), D(ASK) | D(AWAIT));
        assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(HANDED_ON)), D(DISARM) | D(STOP));

        life = on_probation(plain);
        hot__lifecycle_step(&life, I(STOP));
        assert_int_equal(hot__lifecycle_step(&life, I(DEADLINE)), D(DISARM) | D(STOP));

        life = on_probation(plain);
        hot__lifecycle_step(&life, I(STOP));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), GONE | D(LET_GO));
}

static void test_stop_gives_up_a_restart_on_probation(void **state)
{
        struct hot__lifecycle life = on_probation(plain);

        (void)state;
        hot__lifecycle_step(&life, I(TRIGGER));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), REVOKED | D(ASK));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_DIED)), D(FAIL) | D(AWAIT));
        assert_int_equal(hot__lifecycle_step(&life, I(HANDED_ON)), D(DISARM) | D(STOP));
}

/* Sent to all of them, it comes here twice, in either order. */
static void test_stop_that_was_passed_on_counts_once(void **state)
{
        struct hot__lifecycle life = on_probation(plain);

        (void)state;
        hot__lifecycle_step(&life, I(HANDED_ON));
        assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_STOP)), D(DISARM) | D(STOP));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), GONE | D(LET_GO));

        life = on_probation(plain);
        hot__lifecycle_step(&life, I(STOP));
        hot__lifecycle_step(&life, I(HANDED_ON));
        assert_int_equal(life.phase, P(STOPPING));
        assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_STOP)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), GONE | D(LET_GO));
}

static void test_stop_in_a_probation_is_passed_on(void **state)
{
        struct hot__lifecycle life = in(P(PROBATION));

        (void)state;
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), D(DISARM) | D(RETIRE) | D(HURRY));
        assert_int_equal(hot__lifecycle_step(&life, I(RETIRED)), D(SEND_RETIRED) | D(STOP_PEER));

        life = in(P(PROBATION));
        hot__lifecycle_step(&life, I(STOP));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), GONE | D(STOP_PEER));
}

static void test_what_the_host_chose(void **state)
{
        struct hot__lifecycle life = in(P(SERVING));

        (void)state;
        life.manner = (struct hot__manner){.checks = true, .holds = true, .probation = true};
        assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), D(BEGIN) | D(CHECK));
        assert_int_equal(hot__lifecycle_step(&life, I(CHECKED)), D(SPAWN));
        hot__lifecycle_step(&life, I(HELLO));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_READY)), D(DISARM) | D(HOLD));
        assert_int_equal(hot__lifecycle_step(&life, I(DEADLINE)), REVOKED);
        life.phase = P(HELD);
        assert_int_equal(hot__lifecycle_step(&life, I(GO)), D(QUIESCE));
        hot__lifecycle_step(&life, I(QUIESCED));
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_SERVING)), D(DRAIN) | D(PROBATION));
        assert_int_equal(life.phase, P(PROBATION));
}

static void test_trigger_waits_for_room(void **state)
{
        struct hot__lifecycle life = in(P(SERVING));

        (void)state;
        life.crowded = true;
        assert_int_equal(hot__lifecycle_step(&life, I(TRIGGER)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(ROOM)), 0);
        life.crowded = false;
        assert_int_equal(hot__lifecycle_step(&life, I(ROOM)), D(BEGIN) | D(SPAWN));
}

/* Our predecessor died in its own probation: who may go on is for its elder to say. */
static void test_orphan_waits_for_the_verdict(void **state)
{
        struct hot__lifecycle life;

        (void)state;
        for (int resumed = 0; resumed < 2; resumed++) {
                hot__lifecycle_init(&life, true, true, plain);
                assert_int_equal(hot__lifecycle_step(&life, I(READY)), D(SEND_READY));
                assert_int_equal(hot__lifecycle_step(&life, I(PREDECESSOR_DIED)), 0);
                assert_int_equal(
                        hot__lifecycle_step(&life, resumed ? I(ELDER_RESUMED) : I(ELDER_RETIRED)),
                        resumed ? D(EXIT) : D(SERVE));
        }
}

static void test_stop_between_commit_and_serving_tells_the_predecessor_first(void **state)
{
        struct hot__lifecycle life;

        (void)state;
        hot__lifecycle_init(&life, true, false, plain);
        hot__lifecycle_step(&life, I(READY));
        hot__lifecycle_step(&life, I(COMMIT));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), 0);
        assert_int_equal(hot__lifecycle_step(&life, I(SERVING)), D(ANNOUNCE) | D(ASK) | D(AWAIT));
        assert_int_equal(hot__lifecycle_step(&life, I(HANDED_ON)), D(DISARM) | D(STOP));
        assert_int_equal(life.phase, P(STOPPING));
}

/* Ctrl-C reaches the draining and the serving generation alike, and must cut neither. */
static void test_first_stop_hurries_a_drain_and_the_second_ends_it(void **state)
{
        struct hot__lifecycle life = in(P(DRAINING));

        (void)state;
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), D(HURRY));
        assert_int_equal(life.phase, P(DRAINING));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), GONE);
        assert_int_equal(life.phase, P(EXITED));
}

static void test_seed_takes_over_without_commit(void **state)
{
        struct hot__lifecycle life = in(P(SPAWNED));

        (void)state;
        assert_int_equal(hot__lifecycle_step(&life, I(PEER_SEED_READY)), D(QUIESCE));
        assert_int_equal(hot__lifecycle_step(&life, I(QUIESCED)), D(DRAIN) | D(RETIRE));
        assert_int_equal(life.phase, P(RETIRING));
}

static void test_stop_never_kills_a_seed_that_accepts(void **state)
{
        struct hot__lifecycle life = in(P(SPAWNED));

        (void)state;
        hot__lifecycle_step(&life, I(PEER_SEED_READY));
        assert_int_equal(hot__lifecycle_step(&life, I(STOP)), D(STOP_PEER) | D(STOP));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_every_phase_and_input),
                hot_test(test_ready_waits_for_a_living_predecessor),
                hot_test(test_predecessor_that_died_leaves_its_things_to_us),
                hot_test(test_trigger_joins_a_restart_of_the_same_program),
                hot_test(test_trigger_for_another_program_follows_once),
                hot_test(test_queued_trigger_is_passed_on_at_commit),
                hot_test(test_trigger_before_serving_waits),
                hot_test(test_commit_waits_until_the_predecessor_has_retired),
                hot_test(test_stop_on_probation_waits_for_the_predecessor),
                hot_test(test_stop_gives_up_a_restart_on_probation),
                hot_test(test_stop_that_was_passed_on_counts_once),
                hot_test(test_stop_in_a_probation_is_passed_on),
                hot_test(test_what_the_host_chose),
                hot_test(test_trigger_waits_for_room),
                hot_test(test_orphan_waits_for_the_verdict),
                hot_test(test_stop_between_commit_and_serving_tells_the_predecessor_first),
                hot_test(test_first_stop_hurries_a_drain_and_the_second_ends_it),
                hot_test(test_seed_takes_over_without_commit),
                hot_test(test_stop_never_kills_a_seed_that_accepts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
