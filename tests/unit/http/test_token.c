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

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_token_has_exactly_the_characters_of_the_standard),
                hot_test(test_value_has_no_control_characters_but_the_tab),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
