/* SPDX-License-Identifier: MIT */
/* The table of listeners as a host sees it. What becomes of it over a restart: tests/system/test_listeners.py. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdcheck.h"
#include "hot.h"
#include "scratch.h"
#include "sockets.h"

static struct hot *opened(void)
{
        const struct hot_options options = {.size = sizeof(options)};
        struct hot *hot;

        assert_int_equal(hot_open(&hot, &options), 0);
        return hot;
}

static void test_the_members_of_a_group_are_given_one_by_one(void **state)
{
        struct hot *hot = opened();
        int first = hot_listen(hot, "group", "tcp://127.0.0.1:0?reuseport=3");
        int alone = hot_listen(hot, "alone", "tcp://127.0.0.1:0"), fds[3];

        (void)state;
        assert_true(first >= 0 && alone >= 0);
        for (unsigned int i = 0; i < 3; i++) {
                fds[i] = hot_listener_member(hot, first, i);
                assert_true(fds[i] >= 0);
                assert_int_equal(port_of(fds[i]), port_of(first));
        }
        assert_int_equal(fds[0], first);
        assert_true(fds[1] != first && fds[2] != first && fds[1] != fds[2]);
        assert_int_equal(hot_listener_member(hot, first, 3), -ENOENT);
        assert_int_equal(hot_listener_member(hot, fds[1], 0), -ENOENT);
        assert_int_equal(hot_listener_member(hot, alone, 0), alone);
        assert_int_equal(hot_listener_member(hot, alone, 1), -ENOENT);
        assert_int_equal(hot_listener_member(NULL, first, 0), -EINVAL);
        hot_free(hot);
}

static void test_an_address_is_one_place_whatever_its_settings(void **state)
{
        struct hot *hot = opened();
        int fd = hot_listen(hot, "a", "tcp://127.0.0.1:0?backlog=5");

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(hot_listen(hot, "a", "tcp://127.0.0.1:0?backlog=6"), -EEXIST);
        assert_int_equal(hot_listen(hot, "b", "tcp://127.0.0.1:0?backlog=x"), -EINVAL);
        assert_int_equal(hot_listen(hot, "b", "unix:/x?reuseport=2"), -EINVAL);
        hot_free(hot);
}

static void test_nothing_is_left_over_where_nobody_followed(void **state)
{
        struct hot *hot = opened();

        (void)state;
        assert_true(hot_listen(hot, "a", "tcp://127.0.0.1:0") >= 0);
        assert_int_equal(hot_leftover(hot), -ENOENT);
        assert_int_equal(hot_leftover(NULL), -EINVAL);
        hot_free(hot);
}

static void add(struct hot *hot, const char *address, bool claimed)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(hot__listeners_take_fd(hot, fd, HOT__BOUND, "a", address), 0);
        hot->listeners[hot->n_listeners - 1].claimed = claimed;
}

static void test_ready_tells_what_is_not_taken(void **state)
{
        struct hot *hot = opened();
        char text[64], expected[64], small[3];

        (void)state;
        add(hot, "tcp://:1", true);
        hot__leftovers_tell(hot, text, sizeof(text));
        assert_string_equal(text, "");
        add(hot, "tcp://:2", false);
        add(hot, "tcp://:3", false);
        snprintf(expected, sizeof(expected), "%d,%d", hot->listeners[1].fd, hot->listeners[2].fd);
        hot__leftovers_tell(hot, text, sizeof(text));
        assert_string_equal(text, expected);
        snprintf(expected, sizeof(expected), "%d", hot->listeners[1].fd);
        hot__leftovers_tell(hot, small, sizeof(small)); /* whole numbers or none */
        assert_string_equal(small, expected);
        hot_free(hot);
}

static void test_what_is_told_is_left_and_nothing_else(void **state)
{
        static const struct {
                const char *text;
                bool left[3];
        } table[] = {
                {"", {false, false, false}},
                {"3", {true, false, false}},
                {"4,5", {false, true, true}},
                {"2,6,99999999999999999999,4", {false, true, false}},
                {"5,x,3", {false, false, true}},
                {"-3", {false, false, false}},
                {",3", {false, false, false}},
        };
        struct hot *hot = opened();

        (void)state;
        for (int i = 0; i < 3; i++)
                add(hot, "tcp://:1", true);
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                hot__leftovers_note(hot, table[i].text);
                for (int k = 0; k < 3; k++)
                        if (hot->listeners[k].left != table[i].left[k])
                                fail_msg("\"%s\": %d", table[i].text, k);
        }
        hot__leftovers_note(hot, "4");
        assert_int_equal(hot_leftover(hot), hot->listeners[1].fd);
        assert_int_equal(hot_leftover(hot), -ENOENT);
        hot_free(hot);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_the_members_of_a_group_are_given_one_by_one),
                hot_test(test_an_address_is_one_place_whatever_its_settings),
                hot_test(test_nothing_is_left_over_where_nobody_followed),
                hot_test(test_ready_tells_what_is_not_taken),
                hot_test(test_what_is_told_is_left_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
