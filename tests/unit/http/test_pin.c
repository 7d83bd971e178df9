/* SPDX-License-Identifier: MIT */
#include "pin.h"

#include <stdio.h>
#include <string.h>

#include "fdcheck.h"

/* They are names of figures: hot_figure() takes 31 characters, "pinned-" among them. */
static void test_each_reason_has_a_name_of_its_own(void **state)
{
        (void)state;
        for (int i = 0; i < HOT__N_PINS; i++) {
                const char *name = hot__pin_name((enum hot__pin)i);

                assert_non_null(name);
                assert_true(strlen(name) > 0 && strlen("pinned-") + strlen(name) <= 31);
                assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                                 strlen(name));
                for (int j = 0; j < i; j++)
                        assert_string_not_equal(name, hot__pin_name((enum hot__pin)j));
        }
        assert_string_equal(hot__pin_name(HOT__N_PINS), "?");
}

static void test_a_request_passes_and_a_refusal_does_not(void **state)
{
        (void)state;
        assert_true(hot__pin_passes(HOT__PIN_REQUEST));
        assert_true(hot__pin_passes(HOT__PIN_LEAVING));
        assert_false(hot__pin_passes(HOT__PIN_REFUSED));
        assert_false(hot__pin_passes(HOT__PIN_HTTP2));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_each_reason_has_a_name_of_its_own),
                hot_test(test_a_request_passes_and_a_refusal_does_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
