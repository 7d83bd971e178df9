/* SPDX-License-Identifier: MIT */
#include "control_request.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

struct good {
        const char *line;
        struct hot__request request;
};

static const struct good good[] = {
        {"status", {.verb = HOT__REQUEST_STATUS}},
        {"  status  ", {.verb = HOT__REQUEST_STATUS}},
        {"status\r", {.verb = HOT__REQUEST_STATUS}},
        {"restart", {.verb = HOT__REQUEST_RESTART}},
        {"restart force", {.verb = HOT__REQUEST_RESTART, .force = true}},
        {"restart capture", {.verb = HOT__REQUEST_RESTART, .capture = true}},
        {"restart  capture force", {.verb = HOT__REQUEST_RESTART, .force = true, .capture = true}},
        {"stop", {.verb = HOT__REQUEST_STOP}},
        {"stop now", {.verb = HOT__REQUEST_STOP, .now = true}},
        {"commit", {.verb = HOT__REQUEST_COMMIT}},
        {"abort", {.verb = HOT__REQUEST_ABORT}},
        {"events", {.verb = HOT__REQUEST_EVENTS}},
};

static void test_request_is_a_line_of_words(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                struct hot__request request = {0};
                const char *line = good[i].line;

                assert_int_equal(hot__request_parse(line, strlen(line), &request), 0);
                assert_int_equal(request.verb, good[i].request.verb);
                assert_int_equal(request.force, good[i].request.force);
                assert_int_equal(request.capture, good[i].request.capture);
                assert_int_equal(request.now, good[i].request.now);
        }
}

/* None of these may restart or stop anything. */
static void test_request_that_is_none_is_refused(void **state)
{
        static const char *const wrong[] = {
                "",
                " ",
                "\r",
                "Status",
                "STOP",
                "stop\tnow",
                "stopnow",
                "stop later",
                "stop force",
                "stop now please",
                "restart now",
                "restarts",
                "restar",
                "commit force",
                "abort now",
                "status all",
                "GET / HTTP/1.1",
                "{\"type\":\"stop\"}",
                "\x16\x03\x01\x02",
                "stop;",
        };
        struct hot__request request;

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(hot__request_parse(wrong[i], strlen(wrong[i]), &request), -EINVAL);
        assert_int_equal(hot__request_parse("stop\0now", 8, &request), -EINVAL);
        assert_int_equal(hot__request_parse("stop\0", 5, &request), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_request_is_a_line_of_words),
                hot_test(test_request_that_is_none_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
