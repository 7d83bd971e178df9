/* SPDX-License-Identifier: MIT */
#include "tls_facts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

#define VERSION "\x80\x00\x02\x03\x04"
#define CIPHER  "\x81\x00\x03XYZ"

/* Bytes, in a copy of just their size: one too far is found by the sanitizer. */
static int decode(const char *bytes, size_t len, struct hot__tls_facts **ret_facts)
{
        char *copy = malloc(len + !len);
        int r;

        memcpy(copy, bytes, len);
        r = hot__tls_facts_decode(copy, len, ret_facts);
        free(copy);
        return r;
}

static bool same(const char *a, const char *b)
{
        return !a || !b ? a == b : !strcmp(a, b);
}

static void test_facts_come_back(void **state)
{
        const struct hot__tls_facts all[] = {
                {.version = TLS1_3_VERSION, .cipher = (char[]){"TLS_AES_128_GCM_SHA256"}},
                {.version = TLS1_2_VERSION,
                 .cipher = (char[]){"ECDHE-RSA-CHACHA20-POLY1305"},
                 .server_name = (char[]){"one.test"}},
                {.version = TLS1_3_VERSION,
                 .cipher = (char[]){"x"},
                 .client = (char[]){"CN=alice,O=\\C3"}},
                {.version = TLS1_3_VERSION,
                 .cipher = (char[]){""},
                 .server_name = (char[]){""},
                 .client = (char[]){""}},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                char bytes[HOT__TLS_FACTS_MAX];
                struct hot__tls_facts *facts;
                ssize_t len = hot__tls_facts_encode(&all[i], bytes, sizeof(bytes));

                assert_true(len > 0);
                assert_int_equal(hot__tls_facts_encode(&all[i], bytes, (size_t)len), len);
                assert_int_equal(hot__tls_facts_encode(&all[i], bytes, (size_t)len - 1), -ENOSPC);
                assert_int_equal(decode(bytes, (size_t)len, &facts), 0);
                assert_int_equal(facts->version, all[i].version);
                assert_true(same(facts->cipher, all[i].cipher));
                assert_true(same(facts->server_name, all[i].server_name));
                assert_true(same(facts->client, all[i].client));
                hot__tls_facts_put(facts);
        }
}

#define CASE(bytes, r)                      \
        {                                   \
                bytes, sizeof(bytes) - 1, r \
        }

static const struct {
        const char *bytes;
        size_t len;
        int r;
} cases[] = {
        CASE(VERSION CIPHER, 0),
        CASE(CIPHER VERSION, 0),
        CASE(VERSION CIPHER "\x07\x00\x04skip", 0), /* of a later release, and no harm without */
        CASE(VERSION CIPHER "\x7f\x00\x00", 0),
        CASE(VERSION CIPHER "\x87\x00\x04must", -EPROTO), /* of a later release, and needed */
        CASE(VERSION CIPHER "\xff\x00\x00", -EPROTO),
        CASE("", -EPROTO),
        CASE(VERSION, -EPROTO),
        CASE(CIPHER, -EPROTO),
        CASE(VERSION CIPHER VERSION, -EPROTO),
        CASE(VERSION CIPHER CIPHER, -EPROTO),
        CASE(VERSION CIPHER "\x01\x00\x01"
                            "a\x01\x00\x01"
                            "a",
             -EPROTO),
        CASE("\x80\x00\x02\x03\x02" CIPHER, -EPROTO),
        CASE("\x80\x00\x01\x03" CIPHER, -EPROTO),
        CASE("\x80\x00\x03\x03\x04\x00" CIPHER, -EPROTO),
        CASE("\x80\x00\x00" CIPHER, -EPROTO),
        CASE(VERSION CIPHER "\x01", -EPROTO),
        CASE(VERSION CIPHER "\x01\x00", -EPROTO),
        CASE(VERSION CIPHER "\x01\x00\x02x", -EPROTO),
        CASE(VERSION CIPHER "\x01\xff\xff", -EPROTO),
        CASE(VERSION CIPHER "\x01\x00\x03"
                            "a\0b",
             -EPROTO),
};

static void test_bytes_of_all_kinds(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct hot__tls_facts *facts = NULL;

                assert_int_equal(decode(cases[i].bytes, cases[i].len, &facts), cases[i].r);
                assert_int_equal(!facts, cases[i].r != 0);
                hot__tls_facts_put(facts);
        }
}

static void test_what_is_too_long_does_not_travel(void **state)
{
        static char name[70000];
        static char bytes[80000];
        struct hot__tls_facts facts = {
                .version = TLS1_3_VERSION, .cipher = (char[]){"x"}, .client = name};

        (void)state;
        memset(name, 'a', sizeof(name) - 1);
        assert_int_equal(hot__tls_facts_encode(&facts, bytes, sizeof(bytes)), -ENOSPC);
        name[65535] = 0;
        assert_true(hot__tls_facts_encode(&facts, bytes, sizeof(bytes)) > 65535);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_facts_come_back),
                hot_test(test_bytes_of_all_kinds),
                hot_test(test_what_is_too_long_does_not_travel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
