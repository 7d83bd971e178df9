/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

#include "fdcheck.h"

/* RFC 9110 section 5.6.2, written out. */
static void test_token_has_exactly_the_characters_of_the_standard(void **state)
{
        static const char tchar[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

        (void)state;
        for (int c = 0; c < 256; c++) {
                char byte = (char)c;

                assert_int_equal(hot__token_length(&byte, 1), c && strchr(tchar, c) ? 1 : 0);
        }
        assert_int_equal(hot__token_length("abc def", 7), 3);
}

static void test_value_has_no_control_characters_but_the_tab(void **state)
{
        (void)state;
        for (int c = 0; c < 256; c++) {
                char byte = (char)c;
                bool control = c < 0x20 || c == 0x7f;

                assert_int_equal(hot__value_is_valid(&byte, 1), !control || c == '\t');
        }
}

/* Values are looked at in words: no place in one may hide a byte. */
static void test_value_is_looked_at_in_every_place(void **state)
{
        char value[40];

        (void)state;
        for (size_t len = 1; len <= sizeof(value); len++)
                for (size_t at = 0; at < len; at++)
                        for (int c = 0; c < 256; c++) {
                                bool control = c < 0x20 || c == 0x7f;

                                memset(value, at % 2 ? 'a' : (char)0xff, len);
                                value[at] = (char)c;
                                assert_int_equal(hot__value_is_valid(value, len),
                                                 !control || c == '\t');
                        }
}

static void test_authority_and_target_have_what_they_may(void **state)
{
        static const char *const rightly[] = {"a:",    "a:80",     "a.b:65535",
                                              "[::1]", "[::1]:80", "1.2.3.4:5",
                                              "a%2db", "%41%42",   "[::ffff:1.2.3.4]:"};
        static const char *const wrongly[] = {
                "a@b", "a:b", "a:65536", "a:000080", "a:80:80", ":80", "::1", "[::1", "[::1]x",
                "[]",  "[a]", "[[::1]]", "a[::1]",   "::1]",    "a%4", "a%",  "%zz",  "a:8%30"};

        (void)state;
        for (int c = 0; c < 256; c++) {
                char byte = (char)c;
                bool visible = c > 0x20 && c < 0x7f;

                assert_int_equal(hot__token_is_authority(&byte, 1),
                                 visible && !strchr("/?#@\\,\"<>^`{|}%:[]", c));
                assert_int_equal(hot__token_is_target(&byte, 1), visible && c != '#');
        }
        assert_true(hot__token_is_authority("", 0));
        for (size_t i = 0; i < sizeof(rightly) / sizeof(*rightly); i++)
                assert_true(hot__token_is_authority(rightly[i], strlen(rightly[i])));
        for (size_t i = 0; i < sizeof(wrongly) / sizeof(*wrongly); i++)
                assert_false(hot__token_is_authority(wrongly[i], strlen(wrongly[i])));
        assert_false(hot__token_is_target("/a b", 4));
}

static void test_words_of_a_list(void **state)
{
        (void)state;
        assert_true(hot__token_in_list("Upgrade", "upgrade"));
        assert_true(hot__token_in_list("keep-alive, Upgrade", "upgrade"));
        assert_true(hot__token_in_list("a,\tb ,,upgrade", "upgrade"));
        assert_false(hot__token_in_list("upgraded, up, grade", "upgrade"));
        assert_false(hot__token_in_list("", "upgrade"));
        assert_false(hot__token_in_list(NULL, "upgrade"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_token_has_exactly_the_characters_of_the_standard),
                hot_test(test_value_has_no_control_characters_but_the_tab),
                hot_test(test_value_is_looked_at_in_every_place),
                hot_test(test_authority_and_target_have_what_they_may),
                hot_test(test_words_of_a_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
