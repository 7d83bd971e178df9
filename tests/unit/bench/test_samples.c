/* SPDX-License-Identifier: MIT */
/*
 * Samples: which stretch of time an answer belongs to, and the quantiles against what can be counted by hand.
 */
#include "fdcheck.h"
#include "samples.h"

#include <string.h>

static struct samples *samples;

static int set_up(void **state)
{
        (void)state;
        samples = samples_new();
        return samples ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        samples_free(samples);
        return 0;
}

static void add(uint64_t due, uint64_t end)
{
        assert_int_equal(samples_add(samples, due, end), 0);
}

static void mark(enum stretch stretch, uint64_t from, uint64_t to)
{
        assert_int_equal(samples_mark(samples, stretch, from, to), 0);
}

static struct samples_summary summary(enum stretch stretch)
{
        struct samples_summary summary;

        memset(&summary, 0xff, sizeof(summary));
        assert_int_equal(samples_summarize(samples, stretch, &summary), 0);
        return summary;
}

static void test_nothing_is_zero(void **state)
{
        struct samples_summary empty = summary(STRETCH_STEADY);

        (void)state;
        assert_int_equal(empty.count, 0);
        assert_int_equal(empty.p50, 0);
        assert_int_equal(empty.p999, 0);
        assert_int_equal(empty.highest, 0);
}

/* Latencies of 1 to 100,000, more than a block holds, in an order that is not theirs. */
static void test_quantiles_are_exact(void **state)
{
        const uint64_t count = 100000;
        struct samples_summary all;

        (void)state;
        for (uint64_t i = 0; i < count; i++)
                add(1000, 1000 + 1 + i * 7919 % count);
        all = summary(STRETCH_STEADY);
        assert_int_equal(all.count, count);
        assert_int_equal(all.p50, 50000);
        assert_int_equal(all.p99, 99000);
        assert_int_equal(all.p999, 99900);
        assert_int_equal(all.highest, count);
}

static void test_one_is_every_quantile(void **state)
{
        struct samples_summary one;

        (void)state;
        add(5, 12);
        one = summary(STRETCH_STEADY);
        assert_int_equal(one.count, 1);
        assert_int_equal(one.p50, 7);
        assert_int_equal(one.p99, 7);
        assert_int_equal(one.highest, 7);
}

/* A request that was on its way when the restart came has to do with it, and so has one that waits after it. */
static void test_what_touches_a_restart_is_around_it(void **state)
{
        (void)state;
        mark(STRETCH_AROUND, 100, 200);
        add(10, 99);
        add(50, 100);
        add(150, 151);
        add(200, 900);
        add(201, 900);
        add(10, 900);
        assert_int_equal(summary(STRETCH_AROUND).count, 4);
        assert_int_equal(summary(STRETCH_STEADY).count, 2);
        assert_int_equal(summary(STRETCH_IGNORE).count, 0);
}

/* By when they came alone: one that was wanted long before is an answer of that time too. */
static void test_answers_are_counted_by_when_they_came(void **state)
{
        (void)state;
        mark(STRETCH_IGNORE, 0, 50);
        add(10, 99);
        add(10, 100);
        add(150, 200);
        add(150, 201);
        assert_int_equal(samples_ended(samples, 100, 200), 2);
        assert_int_equal(samples_ended(samples, 300, 400), 0);
}

static void test_what_is_to_be_ignored_is_in_nothing_else(void **state)
{
        (void)state;
        mark(STRETCH_IGNORE, 150, 300);
        mark(STRETCH_AROUND, 100, 200);
        add(110, 120);
        add(160, 170);
        add(250, 260);
        add(400, 410);
        assert_int_equal(summary(STRETCH_AROUND).count, 1);
        assert_int_equal(summary(STRETCH_IGNORE).count, 2);
        assert_int_equal(summary(STRETCH_STEADY).count, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_nothing_is_zero, set_up, tear_down),
                hot_test_with(test_quantiles_are_exact, set_up, tear_down),
                hot_test_with(test_one_is_every_quantile, set_up, tear_down),
                hot_test_with(test_what_touches_a_restart_is_around_it, set_up, tear_down),
                hot_test_with(test_answers_are_counted_by_when_they_came, set_up, tear_down),
                hot_test_with(test_what_is_to_be_ignored_is_in_nothing_else, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
