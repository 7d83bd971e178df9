/* SPDX-License-Identifier: MIT */
/*
 * Who answered: generations told apart by headers, pid or body, and answers from one that should
 * not have accepted any more.
 */
#include "fdcheck.h"
#include "tally.h"

static size_t note(struct hot__generations *generations, uint64_t number, pid_t pid, uint64_t hash,
                   uint64_t now, int expected)
{
        const struct hot__identity identity = {.number = number, .pid = pid, .body_hash = hash};
        size_t position = 99;

        assert_int_equal(hot__generations_note(generations, &identity, 0, now, &position),
                         expected);
        return position;
}

static void test_headers_tell_generations_apart(void **state)
{
        struct hot__generations generations = {.identify = HOT__IDENTIFY_HEADERS};

        (void)state;
        assert_int_equal(note(&generations, 1, 100, 7, 10, 1), 1);
        assert_int_equal(note(&generations, 1, 100, 8, 20, 0), 1);
        assert_int_equal(note(&generations, 2, 101, 7, 30, 1), 2);
        assert_int_equal(note(&generations, 1, 100, 7, 40, 0), 1);
        assert_int_equal(note(&generations, 2, 102, 7, 50, 1), 3);
        assert_int_equal(note(&generations, 0, 100, 7, 60, 0), 0);
        assert_int_equal(generations.count, 3);
        assert_int_equal(hot__generations_get(&generations, 1)->answers[0], 3);
        assert_int_equal(hot__generations_get(&generations, 1)->first, 10);
        assert_int_equal(hot__generations_get(&generations, 1)->last, 40);
        assert_null(hot__generations_get(&generations, 0));
        assert_null(hot__generations_get(&generations, 4));
        hot__generations_done(&generations);
}

static void test_pids_are_numbered_as_they_come(void **state)
{
        struct hot__generations generations = {.identify = HOT__IDENTIFY_PID};

        (void)state;
        assert_int_equal(note(&generations, 0, 500, 1, 1, 1), 1);
        assert_int_equal(note(&generations, 0, 400, 1, 2, 1), 2);
        assert_int_equal(note(&generations, 9, 500, 2, 3, 0), 1);
        assert_int_equal(note(&generations, 9, 0, 2, 3, 0), 0);
        assert_int_equal(hot__generations_get(&generations, 2)->number, 2);
        assert_int_equal(hot__generations_get(&generations, 2)->pid, 400);
        hot__generations_done(&generations);
}

static void test_bodies_are_numbered_as_they_come(void **state)
{
        struct hot__generations generations = {.identify = HOT__IDENTIFY_BODY};

        (void)state;
        assert_int_equal(note(&generations, 0, 0, 111, 1, 1), 1);
        assert_int_equal(note(&generations, 0, 0, 222, 2, 1), 2);
        assert_int_equal(note(&generations, 0, 0, 111, 3, 0), 1);
        assert_int_equal(hot__generations_get(&generations, 2)->number, 2);
        hot__generations_done(&generations);
}

static void test_many_generations_are_all_kept(void **state)
{
        struct hot__generations generations = {.identify = HOT__IDENTIFY_HEADERS};

        (void)state;
        for (uint64_t i = 1; i <= 1000; i++)
                assert_int_equal(note(&generations, i, (pid_t)i, 0, i, 1), i);
        for (uint64_t i = 1; i <= 1000; i++)
                assert_int_equal(hot__generations_get(&generations, i)->number, i);
        hot__generations_done(&generations);
}

static void test_stale_is_older_and_connected_after_a_newer_answered(void **state)
{
        struct hot__generations generations = {.identify = HOT__IDENTIFY_HEADERS};

        (void)state;
        note(&generations, 1, 1, 0, 1000, 1);
        note(&generations, 2, 2, 0, 2000, 1);
        note(&generations, 3, 3, 0, 3000, 1);
        assert_false(hot__generations_is_stale(&generations, 1, 1999, 0));
        assert_false(hot__generations_is_stale(&generations, 1, 2000, 0));
        assert_true(hot__generations_is_stale(&generations, 1, 2001, 0));
        assert_false(hot__generations_is_stale(&generations, 1, 2001, 50));
        assert_true(hot__generations_is_stale(&generations, 1, 2051, 50));
        assert_false(hot__generations_is_stale(&generations, 2, 2001, 0));
        assert_true(hot__generations_is_stale(&generations, 2, 3001, 0));
        assert_false(hot__generations_is_stale(&generations, 3, 9000, 0));
        assert_false(hot__generations_is_stale(&generations, 0, 9000, 0));
        hot__generations_done(&generations);
}

static void test_tally_counts_each_request_once(void **state)
{
        struct hot__tally tally;
        struct hot__tally_profile sum;
        struct hot__record record = {.profile = 1, .due = 100, .end = 150, .bytes = 5};

        (void)state;
        assert_int_equal(hot__tally_init(&tally, 2, HOT__IDENTIFY_HEADERS, 0), 0);
        note(&tally.generations, 1, 1, 0, 10, 1);
        note(&tally.generations, 2, 2, 0, 20, 1);
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++) {
                record.outcome = (enum hot__outcome)i;
                hot__tally_request(&tally, &record);
        }
        record = (struct hot__record){.connect = 21, .answered_by = 1, .under = 1, .latest = 2};
        hot__tally_request(&tally, &record);
        hot__tally_reconnect(&tally, 0, HOT__RECONNECT_IDLE);
        hot__tally_sum(&tally, &sum);
        for (int i = 1; i < HOT__OUTCOME_COUNT; i++)
                assert_int_equal(sum.outcomes[i], 1);
        assert_int_equal(sum.outcomes[HOT__OUTCOME_OK], 2);
        assert_int_equal(hot__tally_sent(&sum), HOT__OUTCOME_COUNT + 1);
        assert_int_equal(hot__tally_failed(&sum), HOT__OUTCOME_COUNT - 2);
        assert_int_equal(sum.overlapped, 1);
        assert_int_equal(sum.stale, 1);
        assert_int_equal(sum.bytes, 5 * HOT__OUTCOME_COUNT);
        assert_int_equal(sum.reconnects[HOT__RECONNECT_IDLE], 1);
        assert_int_equal(tally.profiles[1].latency.count, 1);
        assert_int_equal(tally.profiles[1].latency.highest, 50);
        hot__tally_done(&tally);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_headers_tell_generations_apart),
                hot_test(test_pids_are_numbered_as_they_come),
                hot_test(test_bodies_are_numbered_as_they_come),
                hot_test(test_many_generations_are_all_kept),
                hot_test(test_stale_is_older_and_connected_after_a_newer_answered),
                hot_test(test_tally_counts_each_request_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
