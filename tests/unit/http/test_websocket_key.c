/* SPDX-License-Identifier: MIT */
#include "websocket_key.h"

#include "fdcheck.h"

/* RFC 6455 section 1.3. */
static void test_websocket_key_is_answered_as_the_standard_has_it(void **state)
{
        char accept[HOT__WEBSOCKET_ACCEPT_SIZE];

        (void)state;
        assert_int_equal(hot__websocket_key_answer("dGhlIHNhbXBsZSBub25jZQ==", accept), 0);
        assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_websocket_key_is_16_bytes(void **state)
{
        static const char *const bad[] = {"",
                                          "dGhlIHNhbXBsZSBub25jZQ=",
                                          "dGhlIHNhbXBsZSBub25jZQ===",
                                          "dGhlIHNhbXBsZSBub25j!Q==",
                                          "dGhlIHNhbXBsZSBub25jZWE=",
                                          "========================"};

        (void)state;
        assert_true(hot__websocket_key_is_valid("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_false(hot__websocket_key_is_valid(NULL));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_false(hot__websocket_key_is_valid(bad[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_websocket_key_is_answered_as_the_standard_has_it),
                hot_test(test_websocket_key_is_16_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
