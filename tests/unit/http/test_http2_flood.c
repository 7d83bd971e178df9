/* SPDX-License-Identifier: MIT */
#include "http2_flood.h"

#include "fdcheck.h"

static unsigned int take_all(struct hot__flood *flood, enum hot__flood_kind kind, uint64_t now)
{
        unsigned int n = 0;

        while (hot__flood_take(flood, kind, now))
                n++;
        return n;
}

static void test_a_burst_is_allowed_and_no_more(void **state)
{
        struct hot__flood flood;

        (void)state;
        hot__flood_init(&flood, 1000);
        assert_int_equal(take_all(&flood, HOT__FLOOD_RESET, 1000), 200);
        assert_false(hot__flood_take(&flood, HOT__FLOOD_RESET, 1000));
        assert_true(hot__flood_take(&flood, HOT__FLOOD_CONTROL, 1000)); /* each has its own */
}

static void test_time_gives_credit_up_to_a_burst(void **state)
{
        struct hot__flood flood;

        (void)state;
        hot__flood_init(&flood, 0);
        take_all(&flood, HOT__FLOOD_CONTROL, 0);
        assert_false(hot__flood_take(&flood, HOT__FLOOD_CONTROL, 19));
        assert_true(hot__flood_take(&flood, HOT__FLOOD_CONTROL, 20));
        assert_false(hot__flood_take(&flood, HOT__FLOOD_CONTROL, 20));
        assert_int_equal(take_all(&flood, HOT__FLOOD_CONTROL, 1020), 50);
        assert_int_equal(take_all(&flood, HOT__FLOOD_CONTROL, UINT64_MAX / 2), 200);
}

static void test_a_steady_rate_never_ends(void **state)
{
        struct hot__flood flood;

        (void)state;
        hot__flood_init(&flood, 0);
        for (uint64_t now = 0; now < 1000000; now += 20)
                assert_true(hot__flood_take(&flood, HOT__FLOOD_RESET, now));
}

static void test_time_that_goes_back_gives_nothing(void **state)
{
        struct hot__flood flood;

        (void)state;
        hot__flood_init(&flood, 1000);
        take_all(&flood, HOT__FLOOD_RESET, 1000);
        assert_false(hot__flood_take(&flood, HOT__FLOOD_RESET, 10));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_burst_is_allowed_and_no_more),
                hot_test(test_time_gives_credit_up_to_a_burst),
                hot_test(test_a_steady_rate_never_ends),
                hot_test(test_time_that_goes_back_gives_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
