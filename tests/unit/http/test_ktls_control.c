/* SPDX-License-Identifier: MIT */
#include "ktls_control.h"

#include <openssl/ssl.h>

#include "fdcheck.h"
#include "ktls.h"

#define V12 TLS1_2_VERSION
#define V13 TLS1_3_VERSION

static const struct {
        int version, type;
        unsigned char head[2];
        size_t len;
        enum hot__ktls_verdict verdict;
        unsigned char level, alert;
} cases[] = {
        /* the end, whatever its level */
        {V12, HOT__KTLS_ALERT, {1, 0}, 2, HOT__KTLS_ENDED, 0, 0},
        {V13, HOT__KTLS_ALERT, {1, 0}, 2, HOT__KTLS_ENDED, 0, 0},
        {V13, HOT__KTLS_ALERT, {2, 0}, 2, HOT__KTLS_ENDED, 0, 0},
        /* the user went away: the end follows */
        {V12, HOT__KTLS_ALERT, {1, 90}, 2, HOT__KTLS_IGNORED, 0, 0},
        {V13, HOT__KTLS_ALERT, {1, 90}, 2, HOT__KTLS_IGNORED, 0, 0},
        /* a warning means something in TLS 1.2 only */
        {V12, HOT__KTLS_ALERT, {1, 100}, 2, HOT__KTLS_IGNORED, 0, 0},
        {V13, HOT__KTLS_ALERT, {1, 100}, 2, HOT__KTLS_BROKEN, 0, 0},
        {V12, HOT__KTLS_ALERT, {2, 20}, 2, HOT__KTLS_BROKEN, 0, 0},
        {V13, HOT__KTLS_ALERT, {2, 20}, 2, HOT__KTLS_BROKEN, 0, 0},
        {V13, HOT__KTLS_ALERT, {1}, 1, HOT__KTLS_BROKEN, 2, 50},
        {V12, HOT__KTLS_ALERT, {0}, 0, HOT__KTLS_BROKEN, 2, 50},
        /* a client that negotiates anew is told that we do not; one that changes keys is lost */
        {V12, HOT__KTLS_HANDSHAKE, {1, 0}, 2, HOT__KTLS_IGNORED, 1, 100},
        {V13, HOT__KTLS_HANDSHAKE, {1, 0}, 2, HOT__KTLS_BROKEN, 2, 10},
        {V13, HOT__KTLS_HANDSHAKE, {24, 0}, 2, HOT__KTLS_KEY_UPDATE, 0, 0},
        {V13, HOT__KTLS_HANDSHAKE, {24}, 1, HOT__KTLS_KEY_UPDATE, 0, 0},
        {V12, HOT__KTLS_HANDSHAKE, {24, 0}, 2, HOT__KTLS_BROKEN, 2, 10},
        {V13, HOT__KTLS_HANDSHAKE, {4, 0}, 2, HOT__KTLS_BROKEN, 2, 10},
        {V13, HOT__KTLS_HANDSHAKE, {0}, 0, HOT__KTLS_BROKEN, 2, 10},
        {V12, HOT__KTLS_HANDSHAKE, {16, 0}, 2, HOT__KTLS_BROKEN, 2, 10},
        /* nothing else belongs behind a handshake */
        {V12, 20, {1}, 1, HOT__KTLS_BROKEN, 2, 10},
        {V13, 20, {1}, 1, HOT__KTLS_BROKEN, 2, 10},
        {V13, 24, {1, 0}, 2, HOT__KTLS_BROKEN, 2, 10},
        {V13, 0, {0}, 0, HOT__KTLS_BROKEN, 2, 10},
};

static void test_records_without_data(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct hot__ktls_judgement judgement = hot__ktls_judge(
                        cases[i].version, cases[i].type, cases[i].head, cases[i].len);

                assert_int_equal(judgement.verdict, cases[i].verdict);
                assert_int_equal(judgement.level, cases[i].level);
                assert_int_equal(judgement.alert, cases[i].alert);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_records_without_data),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
