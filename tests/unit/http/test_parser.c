/* SPDX-License-Identifier: MIT */
#include "parser.h"

#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

struct parsed {
        struct hot_http_request request;
        struct hot__parser parser;
        char head[512];
};

static int setup(void **state)
{
        struct parsed *p = calloc(1, sizeof(*p));

        hot__request_clear(&p->request);
        *state = p;
        return 0;
}

static int teardown(void **state)
{
        struct parsed *p = *state;

        hot__request_done(&p->request);
        free(p);
        return 0;
}

static int parse(struct parsed *p, const char *head)
{
        hot__request_clear(&p->request);
        strcpy(p->head, head);
        return hot__parser_head(&p->parser, &p->request, 100, p->head, strlen(head));
}

static void test_parser_gives_method_target_and_fields(void **state)
{
        struct parsed *p = *state;
        const char *name, *value;

        assert_int_equal(
                parse(p, "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nEmpty:\r\nB:  c d \t\r\n\r\n"),
                HOT__PARSED_COMPLETE);
        assert_string_equal(hot_http_request_method(&p->request), "GET");
        assert_string_equal(hot_http_request_target(&p->request), "/a/b?c=d");
        assert_string_equal(hot_http_request_path(&p->request), "/a/b");
        assert_string_equal(hot_http_request_query(&p->request), "c=d");
        assert_string_equal(hot_http_request_header(&p->request, "HOST"), "x");
        assert_string_equal(hot_http_request_header(&p->request, "empty"), "");
        assert_string_equal(hot_http_request_header(&p->request, "b"), "c d");
        assert_null(hot_http_request_header(&p->request, "c"));
        assert_true(hot_http_request_header_at(&p->request, 2, &name, &value));
        assert_string_equal(name, "B");
        assert_false(hot_http_request_header_at(&p->request, 3, &name, &value));
        assert_true(p->request.keep_alive);
        assert_false(p->request.http_1_0);
}

static void test_parser_decides_on_keep_alive(void **state)
{
        static const struct {
                const char *head;
                bool keep_alive;
        } samples[] = {
                {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
                {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
                {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
                {"GET / HTTP/1.0\r\n\r\n", false},
                {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        };

        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
                struct parsed *p = *state;

                assert_int_equal(parse(p, samples[i].head), HOT__PARSED_COMPLETE);
                assert_int_equal(p->request.keep_alive, samples[i].keep_alive);
        }
}

static void test_parser_takes_an_upgrade_for_an_ordinary_request(void **state)
{
        assert_int_equal(parse(*state, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                                       "Upgrade: websocket\r\n\r\n"),
                         HOT__PARSED_COMPLETE);
}

static void test_parser_refuses_an_unknown_method_and_a_large_body(void **state)
{
        assert_int_equal(parse(*state, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
        assert_int_equal(parse(*state, "DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
        assert_int_equal(parse(*state, "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n"),
                         HOT__PARSED_MORE);
        assert_int_equal(parse(*state, "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n"), 413);
}

/* Feed a body in pieces. Returns the last result; *ret_used in all. */
static int feed(struct parsed *p, const char *bytes, size_t piece, size_t *ret_used)
{
        size_t len = strlen(bytes), used;
        int r = HOT__PARSED_MORE;

        *ret_used = 0;
        while (r == HOT__PARSED_MORE && *ret_used < len) {
                size_t n = len - *ret_used < piece ? len - *ret_used : piece;

                r = hot__parser_body(&p->parser, bytes + *ret_used, n, &used);
                *ret_used += used;
        }
        return r;
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void test_parser_leaves_what_follows_the_body(void **state)
{
        struct parsed *p = *state;
        size_t used, len;

        parse(p, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
        assert_int_equal(feed(p, "helloGET", 100, &used), HOT__PARSED_COMPLETE);
        assert_int_equal(used, 5);
        assert_memory_equal(hot_http_request_body(&p->request, &len), "hello", 5);
        assert_int_equal(len, 5);
}

static void test_parser_decodes_chunks_in_any_pieces(void **state)
{
        static const char body[] = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET";
        struct parsed *p = *state;

        for (size_t piece = 1; piece < sizeof(body); piece++) {
                size_t used, len;

                assert_int_equal(parse(p, CHUNKED), HOT__PARSED_MORE);
                assert_int_equal(feed(p, body, piece, &used), HOT__PARSED_COMPLETE);
                assert_int_equal(used, sizeof(body) - 1 - 3);
                assert_memory_equal(hot_http_request_body(&p->request, &len), "hello world", 11);
                assert_int_equal(len, 11);
                assert_null(hot_http_request_header(&p->request, "Trailer"));
        }
}

static void test_parser_refuses_bad_chunks(void **state)
{
        static const struct {
                const char *body;
                int status;
        } samples[] = {
                {"g\r\n", 400},
                {"-1\r\n", 400},
                {"0x5\r\nhello\r\n", 400},
                {" 5\r\nhello\r\n", 400},
                {"5 \r\nhello\r\n", 400},
                {"5\nhello\r\n", 400},
                {"5\rhello\r\n", 400},
                {"5\r\nhelloX\r\n", 400},
                {"5\r\nhello\n0\r\n\r\n", 400},
                {"5; a\r\nhello\r\n", 400},
                {"\r\n", 400},
                {"11111111111111111\r\n", 400},
                {"65\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
                 413},
        };
        struct parsed *p = *state;

        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
                size_t used;

                parse(p, CHUNKED);
                assert_int_equal(feed(p, samples[i].body, 1000, &used), samples[i].status);
        }
}

static void test_parser_bounds_what_is_no_content(void **state)
{
        struct parsed *p = *state;
        int r = HOT__PARSED_MORE;
        size_t used;

        parse(p, CHUNKED);
        assert_int_equal(feed(p, "1\r\na\r\n0\r\n", 100, &used), HOT__PARSED_MORE);
        for (int i = 0; i < 10000 && r == HOT__PARSED_MORE; i++)
                r = feed(p, "Trailer: x\r\n", 100, &used);
        assert_int_equal(r, 431);
        parse(p, CHUNKED);
        r = HOT__PARSED_MORE;
        for (int i = 0; i < 10000 && r == HOT__PARSED_MORE; i++)
                r = feed(p, "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n",
                         100, &used);
        assert_int_equal(r, 413);
}

static void test_parser_refuses_a_chunk_by_its_size_alone(void **state)
{
        static const char *const sizes[] = {"65\r\n", "7FFFFFFFFFFFFFFF\r\n",
                                            "ffffffffffffffff\r\n", "1\r\na\r\n64\r\n"};
        struct parsed *p = *state;

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                size_t used;

                parse(p, CHUNKED);
                assert_int_equal(feed(p, sizes[i], 100, &used), 413);
        }
}

static void test_parser_keeps_trailers(void **state)
{
        static const char body[] = "1\r\na\r\n0\r\nDigest: \tb c \r\nE:\r\n\r\nGET";
        struct parsed *p = *state;

        for (size_t piece = 1; piece < sizeof(body); piece++) {
                size_t used;

                parse(p, CHUNKED);
                assert_int_equal(feed(p, body, piece, &used), HOT__PARSED_COMPLETE);
                assert_int_equal(used, sizeof(body) - 1 - 3);
                assert_string_equal(hot_http_request_trailer(&p->request, "digest"), "b c");
                assert_string_equal(hot_http_request_trailer(&p->request, "E"), "");
                assert_null(hot_http_request_trailer(&p->request, "Host"));
                assert_null(hot_http_request_header(&p->request, "Digest"));
        }
}

static void test_parser_is_as_strict_with_trailers_as_with_a_head(void **state)
{
        static const char *const samples[] = {
                "A : b\r\n",
                " A: b\r\n",
                "A: b\r\n c\r\n",
                "A: b\nC: d\r\n",
                "A: b\rC: d\r\n",
                "A\r\n",
                ": b\r\n",
                "A: \x01\r\n",
                "\n",
                "Content-Length: 5\r\n",
                "Transfer-Encoding: chunked\r\n",
                "Host: a\r\n",
        };
        struct parsed *p = *state;

        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
                for (size_t piece = 1; piece < 10; piece++) {
                        size_t used;

                        parse(p, CHUNKED);
                        assert_int_equal(feed(p, "0\r\n", 10, &used), HOT__PARSED_MORE);
                        assert_int_equal(feed(p, samples[i], piece, &used), 400);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_parser_gives_method_target_and_fields, setup, teardown),
                hot_test_with(test_parser_decides_on_keep_alive, setup, teardown),
                hot_test_with(test_parser_takes_an_upgrade_for_an_ordinary_request, setup,
                              teardown),
                hot_test_with(test_parser_refuses_an_unknown_method_and_a_large_body, setup,
                              teardown),
                hot_test_with(test_parser_leaves_what_follows_the_body, setup, teardown),
                hot_test_with(test_parser_decodes_chunks_in_any_pieces, setup, teardown),
                hot_test_with(test_parser_refuses_bad_chunks, setup, teardown),
                hot_test_with(test_parser_bounds_what_is_no_content, setup, teardown),
                hot_test_with(test_parser_refuses_a_chunk_by_its_size_alone, setup, teardown),
                hot_test_with(test_parser_keeps_trailers, setup, teardown),
                hot_test_with(test_parser_is_as_strict_with_trailers_as_with_a_head, setup,
                              teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
