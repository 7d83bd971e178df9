/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

static void test_request_splits_its_target(void **state)
{
        static const struct {
                const char *target, *path, *query;
        } samples[] = {
                {"/", "/", NULL},
                {"/a", "/a", NULL},
                {"/a?", "/a", ""},
                {"/a?b?c", "/a", "b?c"},
                {"/a?u=http://x/y", "/a", "u=http://x/y"},
                {"http://host/a?b", "/a", "b"},
                {"http://host", "/", NULL},
                {"http://host?b", "/", "b"},
                {"HTTPS://host:1/a/", "/a/", NULL},
                {"*", "*", NULL},
        };
        struct hot_http_request request = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
                hot__request_clear(&request);
                request.target = samples[i].target;
                assert_int_equal(hot__request_set_path(&request), 0);
                assert_string_equal(hot_http_request_path(&request), samples[i].path);
                if (samples[i].query)
                        assert_string_equal(hot_http_request_query(&request), samples[i].query);
                else
                        assert_null(hot_http_request_query(&request));
        }
        hot__request_done(&request);
}

static void test_request_decodes_parameters(void **state)
{
        static const struct {
                const char *query, *name;
                ssize_t result;
                const char *value;
        } samples[] = {
                {"a=b", "a", 1, "b"},
                {"a=b&c=d", "c", 1, "d"},
                {"a=1&a=2", "a", 1, "1"},
                {"a", "a", 0, ""},
                {"a=", "a", 0, ""},
                {"a=b=c", "a", 3, "b=c"},
                {"a=%41+%2b", "a", 3, "A +"},
                {"%61=b", "a", 1, "b"},
                {"ab=c", "a", -ENOENT, NULL},
                {"a=b", "ab", -ENOENT, NULL},
                {"", "a", -ENOENT, NULL},
                {NULL, "a", -ENOENT, NULL},
                {"a=%4", "a", -EINVAL, NULL},
                {"a=%zz", "a", -EINVAL, NULL},
                {"a=%00", "a", -EINVAL, NULL},
                {"a=1234567", "a", 7, "1234567"},
                {"a=12345678", "a", -ENOSPC, NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
                struct hot_http_request request = {.query = samples[i].query};
                char value[8];
                ssize_t r =
                        hot_http_request_parameter(&request, samples[i].name, value, sizeof(value));

                assert_int_equal(r, samples[i].result);
                if (r >= 0)
                        assert_string_equal(value, samples[i].value);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_request_splits_its_target),
                hot_test(test_request_decodes_parameters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
