/* SPDX-License-Identifier: MIT */
#include "pace.h"

#include <stddef.h>

#include "fdcheck.h"

static unsigned int take_all(struct hot__pace *pace, uint64_t now)
{
        unsigned int n = 0;

        while (n < 1000 && hot__pace_take(pace, now))
                n++;
        return n;
}

static void test_so_many_a_millisecond(void **state)
{
        static const struct {
                unsigned int per_ms, loops;
                unsigned int first, second, after_long; /* in a ms, in the next, after many */
        } table[] = {
                {0, 1, 1000, 1000, 1000}, {64, 1, 64, 64, 64}, {64, 4, 16, 16, 16},
                {1, 1, 1, 1, 1},          {3, 2, 1, 1, 1},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct hot__pace pace;

                hot__pace_init(&pace, table[i].per_ms, table[i].loops);
                assert_int_equal(take_all(&pace, 5000), table[i].first);
                if (table[i].per_ms)
                        assert_false(hot__pace_take(&pace, 5000));
                assert_int_equal(take_all(&pace, 5001), table[i].second);
                assert_int_equal(take_all(&pace, 9000), table[i].after_long);
        }
}

static void test_less_than_one_a_millisecond_comes_together(void **state)
{
        struct hot__pace pace;
        unsigned int n = 0;

        (void)state;
        hot__pace_init(&pace, 1, 4);
        take_all(&pace, 100);
        for (uint64_t now = 101; now <= 140; now++)
                n += take_all(&pace, now);
        assert_int_equal(n, 10);
}

static void test_slowest_share_is_not_none(void **state)
{
        struct hot__pace pace;

        (void)state;
        hot__pace_init(&pace, 1, 4096);
        take_all(&pace, 1000);
        assert_false(hot__pace_take(&pace, 1001));
        assert_true(hot__pace_take(&pace, 1000 + 5000));
}

static void test_next_one_is_when_it_says(void **state)
{
        static const unsigned int loops[] = {1, 2, 3, 4, 7};

        (void)state;
        for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
                struct hot__pace pace;
                uint64_t now = 1000;

                hot__pace_init(&pace, 1, loops[i]);
                for (int n = 0; n < 20; n++) {
                        uint64_t next;

                        take_all(&pace, now);
                        next = hot__pace_next(&pace);
                        assert_true(next > now);
                        if (next > now + 1)
                                assert_false(hot__pace_take(&pace, next - 1));
                        now = next;
                        assert_true(hot__pace_take(&pace, now));
                }
        }
}

static void test_one_that_was_not_needed_is_there_again(void **state)
{
        struct hot__pace pace;

        (void)state;
        hot__pace_init(&pace, 2, 1);
        take_all(&pace, 10);
        hot__pace_return(&pace);
        assert_true(hot__pace_take(&pace, 10));
        assert_false(hot__pace_take(&pace, 10));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_so_many_a_millisecond),
                hot_test(test_less_than_one_a_millisecond_comes_together),
                hot_test(test_slowest_share_is_not_none),
                hot_test(test_next_one_is_when_it_says),
                hot_test(test_one_that_was_not_needed_is_there_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
