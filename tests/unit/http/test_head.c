/* SPDX-License-Identifier: MIT */
/* What head.c lets through and what it refuses, and that it does not matter in which pieces it comes. */
#include "head.h"

#include <string.h>

#include "fdcheck.h"

#define H "Host: a\r\n"

static const struct hot__head_limits limits = {.size = 1024, .target = 256};

struct sample {
        const char *bytes;
        int result;
};

static const struct sample samples[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", HOT__HEAD_COMPLETE},
        {"\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", HOT__HEAD_COMPLETE},
        {"GET /a?b=%20 HTTP/1.0\r\n\r\n", HOT__HEAD_COMPLETE},
        {"GET http://a/b HTTP/1.1\r\n" H "\r\n", HOT__HEAD_COMPLETE},
        {"OPTIONS * HTTP/1.1\r\n" H "\r\n", HOT__HEAD_COMPLETE},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", HOT__HEAD_COMPLETE},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\nA: \tb c\t \r\n\r\n", HOT__HEAD_COMPLETE},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n", HOT__HEAD_COMPLETE},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", HOT__HEAD_COMPLETE},
        {"POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", HOT__HEAD_COMPLETE},
        {"GET / HTTP/1.1\r\n" H "A: \x80\xff\r\n\r\n", HOT__HEAD_COMPLETE},
        {"", HOT__HEAD_MORE},
        {"\r", HOT__HEAD_MORE},
        {"GET", HOT__HEAD_MORE},
        {"GET / HTTP/1.1\r\n", HOT__HEAD_MORE},
        {"GET / HTTP/1.1\r\n" H "\r", HOT__HEAD_MORE},
        /* the request line */
        {"\x16\x03\x01", 400},
        {" GET / HTTP/1.1\r\n", 400},
        {"G@T / HTTP/1.1\r\n", 400},
        {"GET\t/ HTTP/1.1\r\n", 400},
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET /  HTTP/1.1\r\n", 400},
        {"GET / HTTP/1.1 \r\n", 400},
        {"GET /\r\n", 400},
        {"GET\r\n", 400},
        {"GET / HTTP/1\r\n", 400},
        {"GET / http/1.1\r\n", 400},
        {"GET / HTTP/1.1x\r\n", 400},
        {"GET /a#b HTTP/1.1\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\n", 400},
        {"GET /\x80 HTTP/1.1\r\n", 400},
        {"GET a HTTP/1.1\r\n", 400},
        {"GET * HTTP/1.1\r\n", 400},
        {"GET http:///a HTTP/1.1\r\n", 400},
        {"GET http://a@b/ HTTP/1.1\r\n", 400},
        {"GET http://?a HTTP/1.1\r\n", 400},
        {"GET ftp://a/ HTTP/1.1\r\n", 400},
        {"GET / HTTP/2.0\r\n", 505},
        {"GET / HTTP/1.2\r\n", 505},
        {"GET / HTTP/0.9\r\n", 505},
        {"PRI * HTTP/2.0\r\n", 505},
        {"CONNECT a:80 HTTP/1.1\r\n", 501},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ", 501},
        /* line ends */
        {"GET / HTTP/1.1\n", 400},
        {"\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"GET / HTTP/1.1\r\nA: b\rC: d\r\n", 400},
        {"GET / HTTP/1.1\r\nA: b\r\r\n", 400},
        /* fields */
        {"GET / HTTP/1.1\r\nHost : a\r\n", 400},
        {"GET / HTTP/1.1\r\nHost\t: a\r\n", 400},
        {"GET / HTTP/1.1\r\n Host: a\r\n", 400},
        {"GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n", 400},
        {"GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n", 400},
        {"GET / HTTP/1.1\r\n: a\r\n", 400},
        {"GET / HTTP/1.1\r\nHost\r\n", 400},
        {"GET / HTTP/1.1\r\nH(st: a\r\n", 400},
        {"GET / HTTP/1.1\r\nA: \x01\r\n", 400},
        {"GET / HTTP/1.1\r\nA: \x7f\r\n", 400},
        /* Host */
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" H H, 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n", 400},
        /* where the body ends */
        {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 9999999999999999999\r\n", 413},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
         400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;a=b\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n", 501},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n", 501},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n", 501},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n", 501},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n", 417},
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static int scan_in_pieces(const char *bytes, size_t len, size_t piece, size_t *ret_len)
{
        struct hot__head head = {0};
        int r = HOT__HEAD_MORE;

        for (size_t n = 0; r == HOT__HEAD_MORE && n < len;) {
                n = n + piece < len ? n + piece : len;
                r = hot__head_scan(&head, &limits, bytes, n, ret_len);
        }
        return r;
}

static void test_head_takes_and_refuses(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_SAMPLES; i++) {
                size_t len = strlen(samples[i].bytes), complete = 0;
                int r = scan_in_pieces(samples[i].bytes, len, len, &complete);

                if (r != samples[i].result)
                        print_error("%zu: %d for %s\n", i, r, samples[i].bytes);
                assert_int_equal(r, samples[i].result);
                if (r == HOT__HEAD_COMPLETE)
                        assert_int_equal(complete, len);
        }
}

static void test_head_in_any_pieces_is_the_same(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_SAMPLES; i++)
                for (size_t piece = 1; piece < 8; piece++) {
                        size_t len = strlen(samples[i].bytes), complete = 0;
                        int r = scan_in_pieces(samples[i].bytes, len, piece, &complete);

                        assert_int_equal(r, samples[i].result);
                }
}

static void test_head_refuses_a_zero_byte_anywhere(void **state)
{
        static const char whole[] = "GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
        const size_t len = sizeof(whole) - 1;

        (void)state;
        for (size_t at = 0; at < len; at++) {
                char bytes[sizeof(whole)];
                size_t complete;

                memcpy(bytes, whole, sizeof(whole));
                bytes[at] = '\0';
                assert_true(scan_in_pieces(bytes, len, len, &complete) != HOT__HEAD_COMPLETE);
                if (at != len - 1) /* else the end is not there yet */
                        assert_true(scan_in_pieces(bytes, len, len, &complete) >= 400);
        }
}

static void test_head_ends_where_the_next_request_begins(void **state)
{
        static const char two[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b";
        size_t len = 0;

        (void)state;
        assert_int_equal(scan_in_pieces(two, sizeof(two) - 1, sizeof(two), &len),
                         HOT__HEAD_COMPLETE);
        assert_int_equal(len, sizeof(two) - 1 - strlen("GET /b"));
}

static int scan_filled(const char *before, char fill, size_t n, const char *after)
{
        static char bytes[8192];
        size_t len = strlen(before), complete;
        struct hot__head head = {0};

        memcpy(bytes, before, len);
        memset(bytes + len, fill, n);
        len += n;
        memcpy(bytes + len, after, strlen(after));
        return hot__head_scan(&head, &limits, bytes, len + strlen(after), &complete);
}

static void test_head_limits(void **state)
{
        (void)state;
        assert_int_equal(scan_filled("GET /", 'a', 255, " HTTP/1.1\r\n" H "\r\n"), 1);
        assert_int_equal(scan_filled("GET /", 'a', 256, " HTTP/1.1\r\n" H "\r\n"), 414);
        assert_int_equal(scan_filled("GET /", 'a', 600, ""), 414);
        assert_int_equal(scan_filled("GET / HTTP/1.1\r\n" H "A: ", 'a', 900, "\r\n\r\n"), 1);
        assert_int_equal(scan_filled("GET / HTTP/1.1\r\n" H "A: ", 'a', 1100, "\r\n\r\n"), 431);
        assert_int_equal(scan_filled("GET / HTTP/1.1\r\n" H "A: ", 'a', 1100, ""), 431);
}

static void test_head_limits_the_number_of_fields(void **state)
{
        static const struct hot__head_limits wide = {.size = 1 << 16, .target = 256};

        (void)state;
        for (int n = HOT__FIELDS_MAX - 1; n <= HOT__FIELDS_MAX; n++) {
                char bytes[2048] = "GET / HTTP/1.1\r\n" H;
                struct hot__head head = {0};
                size_t complete;

                for (int i = 0; i < n; i++)
                        strcat(bytes, "a: b\r\n");
                strcat(bytes, "\r\n");
                assert_int_equal(hot__head_scan(&head, &wide, bytes, strlen(bytes), &complete),
                                 n < HOT__FIELDS_MAX ? HOT__HEAD_COMPLETE : 431);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_head_takes_and_refuses),
                hot_test(test_head_in_any_pieces_is_the_same),
                hot_test(test_head_refuses_a_zero_byte_anywhere),
                hot_test(test_head_ends_where_the_next_request_begins),
                hot_test(test_head_limits),
                hot_test(test_head_limits_the_number_of_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
