/* SPDX-License-Identifier: MIT */
#include "fdcheck.h"
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "memfd.h"

static int null_fd(void)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void test_what_is_kept_is_found_by_kind_and_name(void **state)
{
        int a = null_fd(), b = null_fd(), c = null_fd();
        struct hot__keep keep = {0};

        (void)state;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "counter", a, 0), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_STATE, "counter", b, 7), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "timer", c, 0), 0);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_KEPT, "counter")->fd, a);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_STATE, "counter")->fd, b);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_STATE, "counter")->version, 7);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_KEPT, "timer")->fd, c);
        assert_null(hot__keep_find(&keep, HOT__ITEM_STATE, "timer"));
        assert_null(hot__keep_find(&keep, HOT__ITEM_KEPT, "count"));
        hot__keep_done(&keep);
        hot__keep_done(&keep);
        assert_false(hot__fd_is_open(a) || hot__fd_is_open(b) || hot__fd_is_open(c));
}

/* Somebody may still look at the older one. */
static void test_a_newer_one_is_found_and_the_older_one_stays(void **state)
{
        int a = null_fd(), b = null_fd();
        struct hot__keep keep = {0};

        (void)state;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_STATE, "s", a, 1), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_STATE, "s", b, 2), 0);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_STATE, "s")->version, 2);
        assert_true(hot__fd_is_open(a));
        hot__keep_done(&keep);
}

static void test_taking_over_leaves_one(void **state)
{
        int a = null_fd(), b = null_fd();
        struct hot__keep keep = {0};

        (void)state;
        assert_int_equal(hot__keep_take_over(&keep, HOT__ITEM_STATE, "s", a, 1), 0);
        hot__keep_find(&keep, HOT__ITEM_STATE, "s")->told = true;
        assert_int_equal(hot__keep_take_over(&keep, HOT__ITEM_STATE, "s", b, 2), 0);
        assert_false(hot__fd_is_open(a));
        assert_int_equal(keep.n, 1);
        assert_int_equal(keep.entries[0].version, 2);
        assert_false(keep.entries[0].told); /* it is news again */
        assert_string_equal(keep.entries[0].name, "s");
        hot__keep_done(&keep);
}

static void test_removing_closes_every_one_of_that_name(void **state)
{
        struct hot__keep keep = {0};
        int other = null_fd();

        (void)state;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "a", null_fd(), 0), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "b", other, 0), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "a", null_fd(), 0), 0);
        assert_true(hot__keep_remove(&keep, HOT__ITEM_KEPT, "a"));
        assert_false(hot__keep_remove(&keep, HOT__ITEM_KEPT, "a"));
        assert_false(hot__keep_remove(&keep, HOT__ITEM_STATE, "b"));
        assert_int_equal(keep.n, 1);
        assert_int_equal(hot__keep_find(&keep, HOT__ITEM_KEPT, "b")->fd, other);
        hot__keep_done(&keep);
}

/* What was asked for goes on under its name, in its newest form; state and the rest do not. */
static void test_only_what_was_asked_for_goes_on(void **state)
{
        int old = null_fd(), new = null_fd(), single = null_fd();
        struct hot__keep keep = {0};

        (void)state;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "asked", old, 0), 0);
        hot__keep_find(&keep, HOT__ITEM_KEPT, "asked")->asked = true;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "unknown", null_fd(), 0), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "asked", new, 0), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_STATE, "state", null_fd(), 1), 0);
        hot__keep_find(&keep, HOT__ITEM_STATE, "state")->asked = true;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "single", single, 0), 0);
        hot__keep_find(&keep, HOT__ITEM_KEPT, "single")->asked = true;

        for (int i = 0; i < 2; i++) {
                hot__keep_settle(&keep);
                assert_int_equal(keep.n, 2);
                assert_int_equal(hot__keep_find(&keep, HOT__ITEM_KEPT, "asked")->fd, new);
                assert_int_equal(hot__keep_find(&keep, HOT__ITEM_KEPT, "single")->fd, single);
                assert_false(hot__fd_is_open(old));
        }
        hot__keep_done(&keep);
        hot__keep_settle(&keep);
        assert_int_equal(keep.n, 0);
}

static void test_a_mapping_goes_with_its_entry(void **state)
{
        struct hot__keep keep = {0};
        struct hot__kept *entry;
        int fd = -EBADF;

        (void)state;
        assert_int_equal(hot__memfd_seal("s", "state", 5, &fd), 0);
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_STATE, "s", fd, 1), 0);
        entry = hot__keep_find(&keep, HOT__ITEM_STATE, "s");
        assert_int_equal(hot__memfd_map(entry->fd, &entry->bytes, &entry->len), 0);
        hot__keep_done(&keep);
}

static void test_before_an_offer_nothing_is_told(void **state)
{
        struct hot__keep keep = {0};

        (void)state;
        assert_int_equal(hot__keep_take_fd(&keep, HOT__ITEM_KEPT, "a", null_fd(), 0), 0);
        keep.entries[0].told = true;
        hot__keep_forget_told(&keep);
        assert_false(keep.entries[0].told);
        hot__keep_done(&keep);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_is_kept_is_found_by_kind_and_name),
                hot_test(test_a_newer_one_is_found_and_the_older_one_stays),
                hot_test(test_taking_over_leaves_one),
                hot_test(test_removing_closes_every_one_of_that_name),
                hot_test(test_only_what_was_asked_for_goes_on),
                hot_test(test_a_mapping_goes_with_its_entry),
                hot_test(test_before_an_offer_nothing_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
