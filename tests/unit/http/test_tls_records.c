/* SPDX-License-Identifier: MIT */
#include "tls_records.h"

#include <string.h>

#include "fdcheck.h"

/* Three records: of 3 bytes, of none, and of 300 whose first eight are a nonce. */
static size_t make_stream(unsigned char *stream)
{
        unsigned char *at = stream;

        memcpy(at, "\x16\x03\x01\x00\x03", 5);
        memcpy(at + 5, "abc", 3);
        at += 8;
        memcpy(at, "\x14\x03\x03\x00\x00", 5);
        at += 5;
        memcpy(at, "\x17\x03\x03\x01\x2c", 5);
        for (int i = 0; i < 300; i++)
                at[5 + i] = (unsigned char)i;
        return (size_t)(at + 305 - stream);
}

static void test_records_are_counted_however_the_stream_is_cut(void **state)
{
        unsigned char stream[400];
        size_t len = make_stream(stream);

        (void)state;
        for (size_t part = 1; part <= len; part++) {
                struct hot__tls_records records = {0};

                for (size_t at = 0; at < len; at += part)
                        hot__tls_records_pass(&records, stream + at,
                                              len - at < part ? len - at : part);
                assert_int_equal(records.n, 3);
                assert_true(hot__tls_records_are_whole(&records));
                assert_memory_equal(records.head, stream + 13, 13);
        }
}

static void test_only_between_records_is_it_whole(void **state)
{
        unsigned char stream[400];
        size_t len = make_stream(stream);
        struct hot__tls_records records = {0};

        (void)state;
        for (size_t at = 0; at < len; at++) {
                assert_int_equal(hot__tls_records_are_whole(&records),
                                 at == 0 || at == 8 || at == 13);
                assert_int_equal(records.n, (at >= 8) + (at >= 13));
                hot__tls_records_pass(&records, stream + at, 1);
        }
        assert_true(hot__tls_records_are_whole(&records));
}

static void test_the_largest_record_has_an_end(void **state)
{
        struct hot__tls_records records = {0};
        static unsigned char record[5 + 65535] = {23, 3, 3, 0xff, 0xff};

        (void)state;
        hot__tls_records_pass(&records, record, sizeof(record) - 1);
        assert_int_equal(records.n, 0);
        hot__tls_records_pass(&records, record, 1);
        assert_int_equal(records.n, 1);
        hot__tls_records_pass(&records, record, 0);
        assert_true(hot__tls_records_are_whole(&records));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_records_are_counted_however_the_stream_is_cut),
                hot_test(test_only_between_records_is_it_whole),
                hot_test(test_the_largest_record_has_an_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
