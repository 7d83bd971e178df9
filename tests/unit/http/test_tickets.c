/* SPDX-License-Identifier: MIT */
#include "tickets.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

#define PERIOD_S 100

static uint64_t periods(const struct hot__tickets *tickets, double n)
{
        return tickets->rotate_at + (uint64_t)(n * PERIOD_S * 1000);
}

static void test_a_key_is_found_by_its_name_for_one_period_more(void **state)
{
        struct hot__tickets tickets;
        struct hot__ticket_key made, found;
        uint64_t start;

        (void)state;
        assert_int_equal(hot__tickets_init(&tickets, PERIOD_S), 0);
        start = tickets.rotate_at;
        assert_int_equal(hot__tickets_current(&tickets, start - 1, &made), 0);
        assert_int_equal(hot__tickets_find(&tickets, start - 1, made.name, &found),
                         HOT__TICKET_CURRENT);
        assert_memory_equal(&made, &found, sizeof(made));
        assert_int_equal(hot__tickets_find(&tickets, start, made.name, &found),
                         HOT__TICKET_PREVIOUS);
        assert_memory_equal(&made, &found, sizeof(made));
        assert_int_equal(
                hot__tickets_find(&tickets, start + PERIOD_S * 1000 - 1, made.name, &found),
                HOT__TICKET_PREVIOUS);
        assert_int_equal(hot__tickets_find(&tickets, start + PERIOD_S * 1000, made.name, &found),
                         -ENOENT);
        hot__tickets_done(&tickets);
}

static void test_the_next_key_is_known_before_it_is_used(void **state)
{
        struct hot__tickets old, new;
        unsigned char bytes[HOT__TICKETS_SIZE];
        struct hot__ticket_key key, found;
        uint64_t now;

        (void)state;
        assert_int_equal(hot__tickets_init(&old, PERIOD_S), 0);
        assert_int_equal(hot__tickets_init(&new, PERIOD_S), 0);
        now = old.rotate_at - 1;
        hot__tickets_export(&old, bytes);
        assert_int_equal(hot__tickets_import(&new, now, bytes, sizeof(bytes)), 0);
        /* the next generation rotates, and the one before has to serve again */
        assert_int_equal(hot__tickets_current(&new, now + 1, &key), 0);
        assert_int_equal(hot__tickets_find(&old, now, key.name, &found), HOT__TICKET_NEXT);
        assert_memory_equal(&key, &found, sizeof(key));
        hot__tickets_done(&old);
        hot__tickets_done(&new);
}

static void test_what_was_exported_is_imported_and_nothing_else(void **state)
{
        struct hot__tickets old, new;
        unsigned char bytes[HOT__TICKETS_SIZE];
        struct hot__ticket_key made, found;
        uint64_t now;

        (void)state;
        assert_int_equal(hot__tickets_init(&old, PERIOD_S), 0);
        assert_int_equal(hot__tickets_init(&new, PERIOD_S / 2), 0);
        now = old.rotate_at - PERIOD_S * 1000;
        assert_int_equal(hot__tickets_current(&old, now, &made), 0);
        assert_int_equal(hot__tickets_find(&new, now, made.name, &found), -ENOENT);
        hot__tickets_export(&old, bytes);
        assert_int_equal(hot__tickets_import(&new, now, bytes, sizeof(bytes) - 1), -EINVAL);
        assert_int_equal(hot__tickets_find(&new, now, made.name, &found), -ENOENT);
        assert_int_equal(hot__tickets_import(&new, now, bytes, sizeof(bytes)), 0);
        assert_int_equal(hot__tickets_find(&new, now, made.name, &found), HOT__TICKET_CURRENT);
        assert_true(new.rotate_at <= now + PERIOD_S / 2 * 1000); /* its own period counts */
        hot__tickets_done(&old);
        hot__tickets_done(&new);
}

static void test_a_long_sleep_leaves_no_old_key(void **state)
{
        struct hot__tickets tickets;
        struct hot__ticket_key before[HOT__N_TICKET_KEYS], found;
        uint64_t now;

        (void)state;
        assert_int_equal(hot__tickets_init(&tickets, PERIOD_S), 0);
        memcpy(before, tickets.key, sizeof(before));
        now = periods(&tickets, 1000.5);
        for (int i = 0; i < HOT__N_TICKET_KEYS; i++)
                assert_int_equal(hot__tickets_find(&tickets, now, before[i].name, &found), -ENOENT);
        assert_true(tickets.rotate_at > now && tickets.rotate_at <= now + PERIOD_S * 1000);
        hot__tickets_done(&tickets);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_key_is_found_by_its_name_for_one_period_more),
                hot_test(test_the_next_key_is_known_before_it_is_used),
                hot_test(test_what_was_exported_is_imported_and_nothing_else),
                hot_test(test_a_long_sleep_leaves_no_old_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
