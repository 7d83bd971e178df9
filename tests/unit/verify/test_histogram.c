/* SPDX-License-Identifier: MIT */
/*
 * The histogram against what a sorted array says.
 */
#include "fdcheck.h"
#include "histogram.h"

#include <stdlib.h>
#include <string.h>

static struct hot__histogram histogram;

static int clear(void **state)
{
        (void)state;
        memset(&histogram, 0, sizeof(histogram));
        return 0;
}

static void test_empty_says_nothing(void **state)
{
        (void)state;
        assert_int_equal(hot__histogram_at(&histogram, 500), 0);
        assert_int_equal(histogram.lowest, 0);
        assert_int_equal(histogram.highest, 0);
}

static void test_one_value_is_every_percentile(void **state)
{
        (void)state;
        hot__histogram_add(&histogram, 123456789);
        assert_int_equal(hot__histogram_at(&histogram, 0), 123456789);
        assert_int_equal(hot__histogram_at(&histogram, 500), 123456789);
        assert_int_equal(hot__histogram_at(&histogram, 1000), 123456789);
}

/* Alone in the histogram with a larger one, a value is known to 1/64 of itself, never too low. */
static void check_precision(uint64_t value)
{
        uint64_t found;

        memset(&histogram, 0, sizeof(histogram));
        hot__histogram_add(&histogram, value);
        hot__histogram_add(&histogram, UINT64_MAX);
        found = hot__histogram_at(&histogram, 500);
        assert_true(found >= value);
        assert_true(found - value <= value / 64);
}

static void test_precision_holds_over_the_whole_range(void **state)
{
        (void)state;
        for (uint64_t value = 0; value < 5000; value++)
                check_precision(value);
        for (unsigned int shift = 12; shift < 64; shift++) {
                check_precision((UINT64_C(1) << shift) - 1);
                check_precision(UINT64_C(1) << shift);
                check_precision((UINT64_C(1) << shift) + (UINT64_C(1) << shift) / 3);
        }
        check_precision(UINT64_MAX);
}

static int compare(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return left < right ? -1 : left > right;
}

static void test_percentiles_are_those_of_the_sorted_values(void **state)
{
        enum {
                COUNT = 10000,
        };
        static uint64_t values[COUNT];
        static const unsigned int permilles[] = {1, 10, 500, 900, 990, 999, 1000};
        unsigned short seed[3] = {1, 2, 3};

        (void)state;
        for (size_t i = 0; i < COUNT; i++) {
                values[i] = (uint64_t)nrand48(seed) >> (i % 20);
                hot__histogram_add(&histogram, values[i]);
        }
        qsort(values, COUNT, sizeof(values[0]), compare);
        for (size_t i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
                uint64_t exact = values[COUNT * permilles[i] / 1000 - 1];
                uint64_t found = hot__histogram_at(&histogram, permilles[i]);

                assert_true(found >= exact && found - exact <= exact / 64);
        }
        assert_int_equal(histogram.lowest, values[0]);
        assert_int_equal(histogram.highest, values[COUNT - 1]);
        assert_int_equal(histogram.count, COUNT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_empty_says_nothing, clear, NULL),
                hot_test_with(test_one_value_is_every_percentile, clear, NULL),
                hot_test_with(test_precision_holds_over_the_whole_range, clear, NULL),
                hot_test_with(test_percentiles_are_those_of_the_sorted_values, clear, NULL),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
