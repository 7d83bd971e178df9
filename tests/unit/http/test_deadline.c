/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include "fdcheck.h"

static void test_deadlines_pass_in_order(void **state)
{
        struct hot__deadlines deadlines;
        struct hot__deadline d[4] = {0};

        (void)state;
        hot__deadlines_init(&deadlines);
        assert_int_equal(hot__deadlines_next(&deadlines), UINT64_MAX);
        hot__deadline_set(&deadlines, &d[0], HOT__DEADLINE_BODY, 30);
        hot__deadline_set(&deadlines, &d[1], HOT__DEADLINE_BODY, 10);
        hot__deadline_set(&deadlines, &d[2], HOT__DEADLINE_BODY, 20);
        hot__deadline_set(&deadlines, &d[3], HOT__DEADLINE_IDLE, 15);
        assert_int_equal(hot__deadlines_next(&deadlines), 10);
        assert_null(hot__deadlines_passed(&deadlines, 9));
        assert_ptr_equal(hot__deadlines_passed(&deadlines, 10), &d[1]);
        assert_int_equal(hot__deadlines_next(&deadlines), 15);
        assert_null(hot__deadlines_passed_of(&deadlines, HOT__DEADLINE_IDLE, 14));
        assert_null(hot__deadlines_passed_of(&deadlines, HOT__DEADLINE_LINGER, 99));
        assert_ptr_equal(hot__deadlines_passed(&deadlines, 25), &d[2]);
        assert_ptr_equal(hot__deadlines_passed(&deadlines, 25), &d[3]);
        assert_null(hot__deadlines_passed(&deadlines, 25));
        assert_ptr_equal(hot__deadlines_passed(&deadlines, 99), &d[0]);
        assert_int_equal(hot__deadlines_next(&deadlines), UINT64_MAX);
}

static void test_deadline_is_moved_and_cleared(void **state)
{
        struct hot__deadlines deadlines;
        struct hot__deadline a = {0}, b = {0};

        (void)state;
        hot__deadlines_init(&deadlines);
        hot__deadline_clear(&a);
        hot__deadline_set(&deadlines, &a, HOT__DEADLINE_IDLE, 5);
        hot__deadline_set(&deadlines, &b, HOT__DEADLINE_IDLE, 6);
        hot__deadline_set(&deadlines, &a, HOT__DEADLINE_IDLE, 7);
        hot__deadline_set(&deadlines, &a, HOT__DEADLINE_IDLE, 7);
        assert_int_equal(hot__deadlines_next(&deadlines), 6);
        hot__deadline_set(&deadlines, &b, HOT__DEADLINE_HEAD, 8);
        assert_ptr_equal(hot__deadlines_passed(&deadlines, 7), &a);
        assert_null(a.next);
        hot__deadline_clear(&b);
        assert_null(hot__deadlines_passed(&deadlines, 100));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_deadlines_pass_in_order),
                hot_test(test_deadline_is_moved_and_cleared),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
