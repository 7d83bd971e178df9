/* SPDX-License-Identifier: MIT */
#include "request_id.h"

#include <string.h>

#include "fdcheck.h"

static void test_request_id_takes_short_harmless_words(void **state)
{
        static const char *const good[] = {"a", "0123-ABC._~+/=:z"};
        static const char *const bad[] = {"", "a b", "a\"", "a\n", "\xff", "a,b"};
        char id[HOT__REQUEST_ID_MAX + 1], long_one[HOT__REQUEST_ID_MAX + 2];

        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_int_equal(hot__request_id_take(good[i], id), strlen(good[i]));
                assert_string_equal(id, good[i]);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(hot__request_id_take(bad[i], id), 0);
        assert_int_equal(hot__request_id_take(NULL, id), 0);
        memset(long_one, 'a', sizeof(long_one));
        long_one[HOT__REQUEST_ID_MAX + 1] = '\0';
        assert_int_equal(hot__request_id_take(long_one, id), 0);
        assert_int_equal(hot__request_id_take(long_one + 1, id), HOT__REQUEST_ID_MAX);
}

static void test_request_id_made_names_differ(void **state)
{
        char a[HOT__REQUEST_ID_MAX + 1], b[HOT__REQUEST_ID_MAX + 1];

        (void)state;
        hot__request_id_make(1, 2, a);
        assert_string_equal(a, "000000000000000100000002");
        hot__request_id_make(1, 3, b);
        assert_string_not_equal(a, b);
        assert_int_not_equal(hot__request_id_seed(), hot__request_id_seed());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_request_id_takes_short_harmless_words),
                hot_test(test_request_id_made_names_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
