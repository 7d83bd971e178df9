/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fdcheck.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#define TCP      HOT__SETTINGS_OF_TCP
#define UDP      HOT__SETTINGS_OF_UDP
#define PATH     HOT__SETTINGS_OF_PATH
#define ABSTRACT HOT__SETTINGS_OF_ABSTRACT

static const struct {
        enum hot__settings_of kind;
        const char *text, *canonical;
} accepted[] = {
        {TCP, "backlog=1", "?backlog=1"},
        {TCP, "backlog=2147483647", "?backlog=2147483647"},
        {TCP, "defer_accept=5&v6only=1&fastopen=256&reuseport=4&backlog=4096",
         "?backlog=4096&reuseport=4&fastopen=256&v6only=1&defer_accept=5"},
        {TCP, "device=abcdefghijklmno", "?device=abcdefghijklmno"},
        {TCP, "transparent=1&freebind=0&nodelay=1&keepalive=0&sndbuf=5&rcvbuf=7",
         "?rcvbuf=7&sndbuf=5&keepalive=0&nodelay=1&freebind=0&transparent=1"},
        {TCP, "fastopen=0&defer_accept=0", "?fastopen=0&defer_accept=0"},
        {UDP, "reuseport=1024", "?reuseport=1024"},
        {UDP, "v6only=0&device=br-1.200_x", "?v6only=0&device=br-1.200_x"},
        {PATH, "mode=0&owner=0&group=adm", "?mode=0000&owner=0&group=adm"},
        {PATH, "mode=000777&backlog=1", "?backlog=1&mode=0777"},
        {ABSTRACT, "backlog=7", "?backlog=7"},
};

static const struct {
        enum hot__settings_of kind;
        const char *text;
} rejected[] = {
        {TCP, ""},
        {TCP, "&"},
        {TCP, "="},
        {TCP, "backlog"},
        {TCP, "backlog="},
        {TCP, "backlog=0"},
        {TCP, "backlog=-1"},
        {TCP, "backlog=+1"},
        {TCP, "backlog= 1"},
        {TCP, "backlog=1 "},
        {TCP, "backlog=0x10"},
        {TCP, "backlog=2147483648"},
        {TCP, "backlog=18446744073709551617"},
        {TCP, "backlog=1&"},
        {TCP, "&backlog=1"},
        {TCP, "backlog=1&&v6only=1"},
        {TCP, "backlog=1&backlog=1"},
        {TCP, "Backlog=1"},
        {TCP, "back=1"},
        {TCP, "backlogs=1"},
        {TCP, "backlog=1;v6only=1"},
        {TCP, "reuseport=0"},
        {TCP, "reuseport=1025"},
        {TCP, "v6only=2"},
        {TCP, "defer_accept=3601"},
        {TCP, "device="},
        {TCP, "device=abcdefghijklmnop"},
        {TCP, "device=a/b"},
        {TCP, "device=a=b"},
        {TCP, "mode=0600"},
        {TCP, "owner=root"},
        {UDP, "backlog=1"},
        {UDP, "fastopen=1"},
        {UDP, "defer_accept=1"},
        {PATH, "reuseport=2"},
        {PATH, "mode=0800"},
        {PATH, "mode=01000"},
        {PATH, "mode=rw"},
        {PATH, "owner=a:b"},
        {PATH, "owner=abcdefghijklmnopqrstuvwxyzabcdefg"},
        {PATH, "device=lo"},
        {ABSTRACT, "mode=0600"},
        {ABSTRACT, "owner=root"},
};

static void test_settings_are_understood_and_printed_in_normal_form(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(accepted); i++) {
                struct hot__settings settings, again;
                char text[512];
                int n;

                if (hot__settings_parse(accepted[i].text, accepted[i].kind, &settings) != 0)
                        fail_msg("rejected \"%s\"", accepted[i].text);
                n = hot__settings_format(&settings, UINT32_MAX, text, sizeof(text));
                assert_int_equal(n, strlen(accepted[i].canonical));
                assert_string_equal(text, accepted[i].canonical);
                assert_int_equal(hot__settings_format(&settings, UINT32_MAX, text, (size_t)n),
                                 -ENOSPC);
                assert_int_equal(
                        hot__settings_parse(accepted[i].canonical + 1, accepted[i].kind, &again),
                        0);
                assert_memory_equal(&settings, &again, sizeof(settings));
        }
}

static void test_settings_that_are_none_change_nothing(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(rejected); i++) {
                struct hot__settings settings = {.given = 4711};

                if (hot__settings_parse(rejected[i].text, rejected[i].kind, &settings) != -EINVAL)
                        fail_msg("accepted \"%s\"", rejected[i].text);
                assert_int_equal(settings.given, 4711);
        }
}

static void test_settings_are_told_one_by_one(void **state)
{
        struct hot__settings settings;
        char text[64];

        (void)state;
        assert_int_equal(hot__settings_parse("backlog=5&device=lo", TCP, &settings), 0);
        assert_true(hot__settings_has(&settings, HOT__SETTING_BACKLOG));
        assert_false(hot__settings_has(&settings, HOT__SETTING_V6ONLY));
        assert_int_equal(hot__settings_number(&settings, HOT__SETTING_BACKLOG, 7), 5);
        assert_int_equal(hot__settings_number(&settings, HOT__SETTING_REUSEPORT, 7), 7);
        assert_string_equal(hot__settings_text(&settings, HOT__SETTING_DEVICE), "lo");
        assert_string_equal(hot__settings_text(&settings, HOT__SETTING_OWNER), "");
        assert_int_equal(
                hot__settings_format(&settings, 1U << HOT__SETTING_DEVICE, text, sizeof(text)), 10);
        assert_string_equal(text, "?device=lo");
        assert_int_equal(
                hot__settings_format(&settings, 1U << HOT__SETTING_MODE, text, sizeof(text)), 0);
        assert_string_equal(text, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_settings_are_understood_and_printed_in_normal_form),
                hot_test(test_settings_that_are_none_change_nothing),
                hot_test(test_settings_are_told_one_by_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
