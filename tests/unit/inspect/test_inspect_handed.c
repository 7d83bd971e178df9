/* SPDX-License-Identifier: MIT */
/*
 * What an environment says of listeners handed over, as text.
 */
#include <string.h>

#include "fdcheck.h"
#include "handed.h"

#define ENVIRONMENT(text) text, sizeof(text) - 1

static void test_announcements(void **state)
{
        static const struct {
                const char *text;
                size_t len;
                bool announced;
                uint64_t number;
        } cases[] = {
                {ENVIRONMENT(""), false, 0},
                {ENVIRONMENT("PATH=/bin\0HOME=/\0"), false, 0},
                {ENVIRONMENT("HOT_CHANNEL=5\0HOT_GENERATION=7\0"), true, 7},
                {ENVIRONMENT("HOT_CONTINUE=1\0"), true, 0},
                {ENVIRONMENT("LISTEN_FDS=1\0LISTEN_PID=42\0"), true, 0},
                {ENVIRONMENT("LISTEN_PID=42\0LISTEN_FDS=1\0"), true, 0},
                /* addressed to another process: this one merely inherited it */
                {ENVIRONMENT("LISTEN_FDS=1\0LISTEN_PID=41\0"), false, 0},
                {ENVIRONMENT("LISTEN_FDS=1\0"), false, 0},
                {ENVIRONMENT("SERVER_STARTER_PORT=80=3\0SERVER_STARTER_GENERATION=12\0"), true, 12},
                {ENVIRONMENT("NGINX=6;7;\0"), true, 0},
                {ENVIRONMENT("NGINXX=6;7;\0XNGINX=1\0"), false, 0},
                /* cut in the middle of a string, as a process may overwrite its own */
                {ENVIRONMENT("HOT_CHANNEL=5\0HOT_GENERATION=3"), true, 3},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct hot__handed handed = hot__handed_parse(cases[i].text, cases[i].len, 42);

                assert_int_equal(handed.announced, cases[i].announced);
                assert_int_equal(handed.number, cases[i].number);
        }
}

static void test_a_title_in_its_place(void **state)
{
        static const char title[] = "ess nginx -c /etc/nginx.conf\0\0\0";

        (void)state;
        assert_true(hot__handed_parse(title, sizeof(title) - 1, 42).overwritten);
        assert_true(hot__handed_parse("\0\0\0", 3, 42).overwritten);
        assert_false(hot__handed_parse("", 0, 42).overwritten);
        assert_false(hot__handed_parse("A=1", 3, 42).overwritten);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_announcements),
                hot_test(test_a_title_in_its_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
