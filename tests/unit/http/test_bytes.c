/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "fdcheck.h"

static void test_bytes_grow_and_keep_what_they_have(void **state)
{
        struct hot__bytes bytes = {0};

        (void)state;
        for (int i = 0; i < 1000; i++)
                assert_int_equal(hot__bytes_append_string(&bytes, "abc"), 0);
        assert_int_equal(bytes.len, 3000);
        for (size_t i = 0; i < bytes.len; i++)
                assert_int_equal(bytes.data[i], "abc"[i % 3]);
        hot__bytes_clear(&bytes, 100);
        assert_null(bytes.data);
        hot__bytes_append_string(&bytes, "x");
        hot__bytes_clear(&bytes, 1000);
        assert_non_null(bytes.data);
        assert_int_equal(bytes.len, 0);
        hot__bytes_done(&bytes);
}

static void test_bytes_print_numbers(void **state)
{
        struct hot__bytes bytes = {0};

        (void)state;
        hot__bytes_append_number(&bytes, 0);
        hot__bytes_append_string(&bytes, " ");
        hot__bytes_append_number(&bytes, UINT64_MAX);
        assert_int_equal(bytes.len, strlen("0 18446744073709551615"));
        assert_memory_equal(bytes.data, "0 18446744073709551615", bytes.len);
        hot__bytes_done(&bytes);
}

static void test_bytes_stay_failed(void **state)
{
        struct hot__bytes bytes = {0};

        (void)state;
        assert_int_equal(hot__bytes_reserve(&bytes, SIZE_MAX - 1), -ENOMEM);
        assert_int_equal(hot__bytes_append_string(&bytes, "x"), -ENOMEM);
        assert_true(bytes.failed);
        hot__bytes_clear(&bytes, 0);
        assert_int_equal(hot__bytes_append_string(&bytes, "x"), 0);
        hot__bytes_done(&bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_bytes_grow_and_keep_what_they_have),
                hot_test(test_bytes_print_numbers),
                hot_test(test_bytes_stay_failed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
