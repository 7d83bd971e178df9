/* SPDX-License-Identifier: MIT */
/*
 * Timers: the first is always the earliest of those that are set, whatever was done before.
 */
#include "fdcheck.h"
#include "timers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
        COUNT = 50,
};

static struct hot__timer timers_of_test[COUNT];
static bool is_set[COUNT];

static const struct hot__timer *earliest(void)
{
        const struct hot__timer *found = NULL;

        for (size_t i = 0; i < COUNT; i++)
                if (is_set[i] && (!found || timers_of_test[i].at < found->at))
                        found = &timers_of_test[i];
        return found;
}

static void check(const struct hot__timers *timers)
{
        const struct hot__timer *expected = earliest(), *first = hot__timers_first(timers);

        assert_int_equal(!expected, !first);
        if (expected && first)
                assert_int_equal(first->at, expected->at);
}

static void test_first_is_earliest_after_any_changes(void **state)
{
        struct hot__timers timers;
        unsigned short seed[3] = {4, 5, 6};

        (void)state;
        assert_int_equal(hot__timers_init(&timers, COUNT), 0);
        for (int i = 0; i < 20000; i++) {
                size_t which = (size_t)nrand48(seed) % COUNT;

                is_set[which] = nrand48(seed) % 3 != 0;
                if (is_set[which])
                        hot__timers_set(&timers, &timers_of_test[which],
                                        (uint64_t)nrand48(seed) % 100);
                else
                        hot__timers_clear(&timers, &timers_of_test[which]);
                check(&timers);
        }
        hot__timers_done(&timers);
}

static void test_they_come_out_in_order(void **state)
{
        struct hot__timer some[COUNT] = {0}, *first;
        struct hot__timers timers;
        uint64_t before = 0;
        size_t n = 0;

        (void)state;
        assert_int_equal(hot__timers_init(&timers, COUNT), 0);
        for (size_t i = 0; i < COUNT; i++)
                hot__timers_set(&timers, &some[i], i * 37 % COUNT);
        for (; (first = hot__timers_first(&timers)); n++) {
                assert_true(first->at >= before);
                before = first->at;
                hot__timers_clear(&timers, first);
                hot__timers_clear(&timers, first);
        }
        assert_int_equal(n, COUNT);
        hot__timers_done(&timers);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_first_is_earliest_after_any_changes),
                hot_test(test_they_come_out_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
