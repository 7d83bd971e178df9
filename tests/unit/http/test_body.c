/* SPDX-License-Identifier: MIT */
#include "body.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "fdcheck.h"

static void test_body_gives_what_was_put_in(void **state)
{
        struct hot__body body = {0};
        char buffer[16];
        bool room;

        (void)state;
        hot__body_open(&body);
        assert_int_equal(hot__body_put(&body, "hello", 5), 0);
        assert_int_equal(hot__body_read(&body, buffer, 3, &room), 3);
        assert_int_equal(hot__body_put(&body, "!", 1), 0);
        hot__body_end(&body);
        hot__body_fail(&body, -ECONNRESET); /* too late: it was complete */
        assert_int_equal(hot__body_read(&body, buffer + 3, 10, &room), 3);
        assert_memory_equal(buffer, "hello!", 6);
        assert_int_equal(hot__body_read(&body, buffer, 10, &room), 0);
        hot__body_close(&body);
}

static void test_body_gives_what_came_before_the_error(void **state)
{
        struct hot__body body = {0};
        char buffer[16];
        bool room;

        (void)state;
        hot__body_open(&body);
        hot__body_put(&body, "a", 1);
        hot__body_fail(&body, -ETIMEDOUT);
        hot__body_end(&body);
        assert_int_equal(hot__body_read(&body, buffer, 10, &room), 1);
        assert_int_equal(hot__body_read(&body, buffer, 10, &room), -ETIMEDOUT);
        hot__body_close(&body);
}

static void test_body_says_when_there_is_room_again(void **state)
{
        static char window[HOT__BODY_WINDOW];
        struct hot__body body = {0};
        bool room;

        (void)state;
        hot__body_open(&body);
        hot__body_put(&body, window, sizeof(window) - 1);
        assert_false(hot__body_is_full(&body));
        hot__body_put(&body, "a", 1);
        assert_true(hot__body_is_full(&body));
        hot__body_read(&body, window, sizeof(window) / 2 - 1, &room);
        assert_false(room);
        hot__body_read(&body, window, 1, &room);
        assert_true(room);
        hot__body_read(&body, window, 1, &room);
        assert_false(room); /* once is enough */
        assert_false(hot__body_is_full(&body));
        hot__body_close(&body);
}

static void test_body_that_nobody_reads_is_nothing(void **state)
{
        struct hot__body body = {0};

        (void)state;
        assert_int_equal(hot__body_put(&body, "a", 1), 0);
        hot__body_end(&body);
        hot__body_fail(&body, -EPROTO);
        assert_false(hot__body_is_full(&body));
        hot__body_close(&body);
}

static void *put_and_end(void *argument)
{
        hot__body_put(argument, "late", 4);
        hot__body_end(argument);
        return NULL;
}

static void test_body_reader_waits(void **state)
{
        struct hot__body body = {0};
        char buffer[16];
        pthread_t thread;
        bool room;

        (void)state;
        hot__body_open(&body);
        assert_int_equal(pthread_create(&thread, NULL, put_and_end, &body), 0);
        assert_int_equal(hot__body_read(&body, buffer, sizeof(buffer), &room), 4);
        assert_int_equal(hot__body_read(&body, buffer, sizeof(buffer), &room), 0);
        pthread_join(thread, NULL);
        hot__body_close(&body);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_body_gives_what_was_put_in),
                hot_test(test_body_gives_what_came_before_the_error),
                hot_test(test_body_says_when_there_is_room_again),
                hot_test(test_body_that_nobody_reads_is_nothing),
                hot_test(test_body_reader_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
