/* SPDX-License-Identifier: MIT */
#include "hooks.h"

#include <string.h>

#include "fdcheck.h"

static char called[16];

static bool before(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        (void)request, (void)response;
        strcat(called, data);
        return strcmp(data, "n") != 0;
}

static void after(const struct hot_http_request *request, const struct hot_http_outcome *outcome,
                  void *data)
{
        (void)request, (void)outcome;
        strcat(called, data);
}

static void add(struct hot__hooks *hooks, hot_http_before_hook *b, hot_http_after_hook *a,
                char *data)
{
        assert_int_equal(
                hot__hooks_add(hooks, &(struct hot__hook){.before = b, .after = a, .data = data}),
                0);
}

static void test_hooks_are_called_in_order_until_one_answers(void **state)
{
        static char one[] = "1", no[] = "n", two[] = "2", x[] = "x", y[] = "y";
        struct hot__hooks hooks = {0};

        (void)state;
        assert_true(hot__hooks_before(&hooks, NULL, NULL));
        add(&hooks, before, NULL, one);
        add(&hooks, NULL, after, x);
        assert_true(hot__hooks_before(&hooks, NULL, NULL));
        add(&hooks, before, NULL, no);
        add(&hooks, before, NULL, two);
        add(&hooks, NULL, after, y);
        called[0] = '\0';
        assert_false(hot__hooks_before(&hooks, NULL, NULL));
        hot__hooks_after(&hooks, NULL, NULL);
        assert_string_equal(called, "1nxy");
        hot__hooks_done(&hooks);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_hooks_are_called_in_order_until_one_answers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
