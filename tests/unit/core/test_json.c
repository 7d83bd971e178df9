/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

static void assert_text(struct hot__json *json, const char *expected)
{
        assert_int_equal(hot__json_line(json), 0);
        assert_int_equal(json->len, strlen(expected) + 1);
        assert_memory_equal(json->text, expected, strlen(expected));
        assert_int_equal(json->text[json->len - 1], '\n');
        hot__json_done(json);
}

static void test_json_nests_objects_and_arrays(void **state)
{
        struct hot__json json = {0};

        (void)state;
        hot__json_begin_object(&json, NULL);
        hot__json_string(&json, "a", "b");
        hot__json_begin_array(&json, "list");
        hot__json_integer(&json, NULL, -1);
        hot__json_begin_object(&json, NULL);
        hot__json_end_object(&json);
        hot__json_begin_object(&json, NULL);
        hot__json_null(&json, "none");
        hot__json_boolean(&json, "yes", true);
        hot__json_end_object(&json);
        hot__json_end_array(&json);
        hot__json_begin_array(&json, "empty");
        hot__json_end_array(&json);
        hot__json_boolean(&json, "no", false);
        hot__json_end_object(&json);
        assert_text(&json, "{\"a\":\"b\",\"list\":[-1,{},{\"none\":null,\"yes\":true}],"
                           "\"empty\":[],\"no\":false}");
}

static void test_json_writes_the_whole_range_of_numbers(void **state)
{
        struct hot__json json = {0};

        (void)state;
        hot__json_begin_array(&json, NULL);
        hot__json_integer(&json, NULL, INT64_MIN);
        hot__json_integer(&json, NULL, INT64_MAX);
        hot__json_unsigned(&json, NULL, UINT64_MAX);
        hot__json_end_array(&json);
        assert_text(&json, "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}

struct text {
        const char *in;
        size_t len;
        const char *out; /* between the quotes */
};

#define TEXT(in, out)                   \
        {                               \
                in, sizeof(in) - 1, out \
        }
#define WRONG "\xef\xbf\xbd" /* U+FFFD */

static const struct text texts[] = {
        TEXT("", ""),
        TEXT("plain", "plain"),
        TEXT("a\"b\\c/", "a\\\"b\\\\c/"),
        TEXT("one\ntwo\tx\r", "one\\ntwo\\tx\\u000d"),
        TEXT("\x01\x1b[31m\x7f", "\\u0001\\u001b[31m\\u007f"),
        TEXT("zero\0here", "zero" WRONG "here"),
        /* UTF-8 of two, three and four bytes, at its ends */
        TEXT("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"),
        TEXT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
             "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
        TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
        /* and what is none: overlong, surrogates, too large, cut off, lone bytes */
        TEXT("\xc0\x80", WRONG WRONG),
        TEXT("\xc1\xbf", WRONG WRONG),
        TEXT("\xe0\x9f\xbf", WRONG WRONG WRONG),
        TEXT("\xed\xa0\x80", WRONG WRONG WRONG),
        TEXT("\xf0\x8f\xbf\xbf", WRONG WRONG WRONG WRONG),
        TEXT("\xf4\x90\x80\x80", WRONG WRONG WRONG WRONG),
        TEXT("\xf5\x80", WRONG WRONG),
        TEXT("\xff", WRONG),
        TEXT("\x80x", WRONG "x"),
        TEXT("\xc3", WRONG),
        TEXT("\xc3x", WRONG "x"),
        TEXT("\xe2\x82", WRONG WRONG),
        TEXT("\xe2\x82x", WRONG WRONG "x"),
        TEXT("\xf0\x9f\x98", WRONG WRONG WRONG),
};

static void test_json_text_is_utf8_whatever_goes_in(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct hot__json json = {0};
                char expected[128] = "\"";

                strcat(strcat(expected, texts[i].out), "\"");
                hot__json_bytes(&json, NULL, texts[i].in, texts[i].len);
                assert_text(&json, expected);
        }
}

static void test_json_names_are_escaped_too(void **state)
{
        struct hot__json json = {0};

        (void)state;
        hot__json_begin_object(&json, NULL);
        hot__json_unsigned(&json, "a \"name\"\n", 1);
        hot__json_end_object(&json);
        assert_text(&json, "{\"a \\\"name\\\"\\n\":1}");
}

static void test_json_takes_what_another_writer_made(void **state)
{
        struct hot__json inner = {0}, outer = {0};

        (void)state;
        hot__json_begin_object(&inner, NULL);
        hot__json_string(&inner, "x", "y");
        hot__json_end_object(&inner);
        hot__json_begin_array(&outer, NULL);
        hot__json_verbatim(&outer, NULL, inner.text, inner.len);
        hot__json_verbatim(&outer, NULL, inner.text, inner.len);
        hot__json_end_array(&outer);
        hot__json_done(&inner);
        assert_text(&outer, "[{\"x\":\"y\"},{\"x\":\"y\"}]");
}

static void test_json_grows_with_what_it_is_given(void **state)
{
        struct hot__json json = {0};
        char long_text[5000];

        (void)state;
        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = 0;
        hot__json_begin_array(&json, NULL);
        for (int i = 0; i < 100; i++)
                hot__json_string(&json, NULL, long_text);
        hot__json_end_array(&json);
        assert_int_equal(hot__json_line(&json), 0);
        assert_int_equal(json.len, 100 * (sizeof(long_text) - 1 + 3) + 2);
        hot__json_done(&json);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_json_nests_objects_and_arrays),
                hot_test(test_json_writes_the_whole_range_of_numbers),
                hot_test(test_json_text_is_utf8_whatever_goes_in),
                hot_test(test_json_names_are_escaped_too),
                hot_test(test_json_takes_what_another_writer_made),
                hot_test(test_json_grows_with_what_it_is_given),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
