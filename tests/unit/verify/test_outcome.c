/* SPDX-License-Identifier: MIT */
/*
 * The classifier: what each kind of evidence must be called, row by row; and, over all combinations
 * of evidence, what no class may ever be given for.
 */
#include "fdcheck.h"
#include "outcome.h"

#include <errno.h>
#include <string.h>

struct row {
        const char *what;
        struct hot__evidence evidence;
        enum hot__outcome expected;
};

#define CONNECTED .connected = true
#define COMPLETE  CONNECTED, .ending = HOT__ENDING_COMPLETE, .answering = true
#define CLOSED    .ending = HOT__ENDING_CLOSED

static const struct row rows[] = {
        {"a right answer", {COMPLETE, .status_right = true, .bytes_right = true}, HOT__OUTCOME_OK},
        {"a right answer on a kept connection",
         {COMPLETE, .answered_before = true, .status_right = true, .bytes_right = true},
         HOT__OUTCOME_OK},
        {"a wrong status", {COMPLETE, .bytes_right = true}, HOT__OUTCOME_WRONG_STATUS},
        {"a wrong status with other bytes", {COMPLETE}, HOT__OUTCOME_WRONG_STATUS},
        {"wrong bytes", {COMPLETE, .status_right = true}, HOT__OUTCOME_WRONG_BYTES},
        {"nobody listens", {CLOSED, .error = ECONNREFUSED}, HOT__OUTCOME_REFUSED},
        {"no UNIX path", {CLOSED, .error = ENOENT}, HOT__OUTCOME_REFUSED},
        {"no way there", {CLOSED, .error = EHOSTUNREACH}, HOT__OUTCOME_REFUSED},
        {"the kernel gave up connecting",
         {CLOSED, .error = ETIMEDOUT},
         HOT__OUTCOME_CONNECT_TIMEOUT},
        {"we gave up connecting", {.ending = HOT__ENDING_DEADLINE}, HOT__OUTCOME_CONNECT_TIMEOUT},
        {"reset in the queue of a listener that closes",
         {CLOSED, .error = ECONNRESET},
         HOT__OUTCOME_RESET},
        {"reset before a byte", {CLOSED, CONNECTED, .error = ECONNRESET}, HOT__OUTCOME_RESET},
        {"end of file before a byte", {CLOSED, CONNECTED}, HOT__OUTCOME_RESET},
        {"end of file in the answer", {CLOSED, CONNECTED, .answering = true}, HOT__OUTCOME_CUT},
        {"reset in the answer",
         {CLOSED, CONNECTED, .error = ECONNRESET, .answering = true},
         HOT__OUTCOME_CUT},
        {"cut in a later answer of a connection",
         {CLOSED, CONNECTED, .answered_before = true, .answering = true},
         HOT__OUTCOME_CUT},
        {"cut after a right beginning",
         {CLOSED, CONNECTED, .answering = true, .status_right = true, .bytes_right = true},
         HOT__OUTCOME_CUT},
        {"the race, by end of file",
         {CLOSED, CONNECTED, .answered_before = true},
         HOT__OUTCOME_KEEPALIVE_RACE},
        {"the race, by reset",
         {CLOSED, CONNECTED, .error = ECONNRESET, .answered_before = true},
         HOT__OUTCOME_KEEPALIVE_RACE},
        {"no answer in time", {CONNECTED, .ending = HOT__ENDING_DEADLINE}, HOT__OUTCOME_TIMEOUT},
        {"half an answer in time",
         {CONNECTED, .ending = HOT__ENDING_DEADLINE, .answering = true},
         HOT__OUTCOME_TIMEOUT},
        {"no HTTP",
         {CONNECTED, .ending = HOT__ENDING_GARBAGE, .answering = true},
         HOT__OUTCOME_MALFORMED},
        {"behind an announced close",
         {CONNECTED, .ending = HOT__ENDING_ANNOUNCED, .answered_before = true},
         HOT__OUTCOME_UNSERVED},
        {"passed over", {CONNECTED, .ending = HOT__ENDING_SKIPPED}, HOT__OUTCOME_GAP},
        {"once more",
         {CONNECTED, .ending = HOT__ENDING_TWICE, .answered_before = true},
         HOT__OUTCOME_DUPLICATE},
        {"no descriptor left", {CLOSED, .error = EMFILE}, HOT__OUTCOME_CLIENT},
        {"no port left", {CLOSED, .error = EADDRNOTAVAIL}, HOT__OUTCOME_CLIENT},
        {"no memory for a send", {CLOSED, CONNECTED, .error = ENOBUFS}, HOT__OUTCOME_CLIENT},
};

static void test_each_kind_of_evidence_has_its_class(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                enum hot__outcome outcome = hot__outcome_classify(&rows[i].evidence);

                if (outcome != rows[i].expected)
                        fail_msg("%s: %s, not %s", rows[i].what, hot__outcome_name((int)outcome),
                                 hot__outcome_name((int)rows[i].expected));
        }
}

static void test_every_class_has_a_row(void **state)
{
        bool seen[HOT__OUTCOME_COUNT] = {false};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                seen[rows[i].expected] = true;
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++)
                if (!seen[i])
                        fail_msg("no row for %s", hot__outcome_name(i));
}

/* The contract in the words of the header, apart from the order in which the classifier asks. */
static void check_promises(const struct hot__evidence *e)
{
        enum hot__outcome outcome = hot__outcome_classify(e);
        bool closed = e->ending == HOT__ENDING_CLOSED;
        bool ours = closed && e->error == EMFILE;

        assert_true(outcome < HOT__OUTCOME_COUNT);
        assert_int_equal(outcome == HOT__OUTCOME_CLIENT, ours);
        assert_int_equal(outcome == HOT__OUTCOME_OK, e->connected && e->status_right &&
                                                             e->bytes_right &&
                                                             e->ending == HOT__ENDING_COMPLETE);
        assert_int_equal(outcome == HOT__OUTCOME_KEEPALIVE_RACE,
                         e->connected && closed && !ours && e->answered_before && !e->answering);
        assert_int_equal(outcome == HOT__OUTCOME_CUT,
                         e->connected && closed && !ours && e->answering);
        if (e->connected)
                assert_true(outcome != HOT__OUTCOME_REFUSED &&
                            outcome != HOT__OUTCOME_CONNECT_TIMEOUT);
}

static void test_no_combination_is_called_what_it_is_not(void **state)
{
        static const int errors[] = {0, ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, EMFILE};

        (void)state;
        for (int ending = HOT__ENDING_COMPLETE; ending <= HOT__ENDING_TWICE; ending++) {
                for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
                        for (unsigned int bits = 0; bits < 32; bits++) {
                                const struct hot__evidence evidence = {
                                        .ending = (enum hot__ending)ending,
                                        .error = errors[i],
                                        .connected = bits & 1,
                                        .answered_before = bits & 2,
                                        .answering = bits & 4,
                                        .status_right = bits & 8,
                                        .bytes_right = bits & 16,
                                };

                                check_promises(&evidence);
                        }
                }
        }
}

static void test_names_are_all_there_and_all_different(void **state)
{
        (void)state;
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++) {
                assert_string_not_equal(hot__outcome_name(i), "?");
                for (int j = 0; j < i; j++)
                        assert_string_not_equal(hot__outcome_name(i), hot__outcome_name(j));
        }
        for (int i = 0; i < HOT__RECONNECT_COUNT; i++)
                assert_string_not_equal(hot__reconnect_name(i), "?");
        assert_string_equal(hot__outcome_name(HOT__OUTCOME_COUNT), "?");
        assert_string_equal(hot__outcome_name(-1), "?");
        assert_string_equal(hot__reconnect_name(HOT__RECONNECT_COUNT), "?");
}

static void test_only_right_and_unserved_are_no_failures(void **state)
{
        (void)state;
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++)
                assert_int_equal(hot__outcome_is_failure((enum hot__outcome)i),
                                 i != HOT__OUTCOME_OK && i != HOT__OUTCOME_UNSERVED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_each_kind_of_evidence_has_its_class),
                hot_test(test_every_class_has_a_row),
                hot_test(test_no_combination_is_called_what_it_is_not),
                hot_test(test_names_are_all_there_and_all_different),
                hot_test(test_only_right_and_unserved_are_no_failures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
