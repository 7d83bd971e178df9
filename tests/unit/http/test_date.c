/* SPDX-License-Identifier: MIT */
#include "date.h"

#include "fdcheck.h"

static void test_date_is_as_the_standard_writes_it(void **state)
{
        struct hot__date date = {0};

        (void)state;
        assert_string_equal(hot__date_at(&date, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_string_equal(hot__date_at(&date, 784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_string_equal(hot__date_at(&date, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_string_equal(hot__date_at(&date, 1709209812), "Thu, 29 Feb 2024 12:30:12 GMT");
}

static void test_date_of_the_epoch_is_not_taken_for_the_empty_one(void **state)
{
        struct hot__date date = {0};

        (void)state;
        assert_string_equal(hot__date_at(&date, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_date_is_as_the_standard_writes_it),
                hot_test(test_date_of_the_epoch_is_not_taken_for_the_empty_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
