/* SPDX-License-Identifier: MIT */
#include "response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static struct hot__bytes server_fields;

static struct hot__response_frame frame = {
        .date = DATE,
        .fields = &server_fields,
        .keep_alive = true,
};

static int setup(void **state)
{
        struct hot_http_response *response = calloc(1, sizeof(*response));

        frame = (struct hot__response_frame){
                .date = DATE, .fields = &server_fields, .keep_alive = true};
        *state = response;
        return hot__response_init(response);
}

static int teardown(void **state)
{
        hot__response_done(*state);
        free(*state);
        return 0;
}

/* The whole of it as it would be sent, without the parts that are always the same. */
static const char *sent(struct hot_http_response *response, bool *ret_keep_alive)
{
        bool keep_alive = !frame.keep_alive;

        assert_int_equal(hot__response_begin(response, &frame, &keep_alive), 0);
        if (ret_keep_alive)
                *ret_keep_alive = keep_alive;
        hot__bytes_append(&response->out, "", 1);
        return response->out.data;
}

static void test_response_has_date_type_and_length(void **state)
{
        bool keep_alive;

        hot_http_response_printf(*state, "%s %d", "hello", 1);
        assert_string_equal(
                sent(*state, &keep_alive),
                "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
                "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\n\r\nhello 1");
        assert_true(keep_alive);
}

static void test_response_has_the_fields_of_handler_and_server(void **state)
{
        assert_int_equal(hot_http_response_status(*state, 201), 0);
        assert_int_equal(hot_http_response_header(*state, "Content-Type", "a/b"), 0);
        assert_int_equal(hot_http_response_header(*state, "X", ""), 0);
        hot__bytes_append_string(&server_fields, "S: t\r\n");
        assert_string_equal(sent(*state, NULL), "HTTP/1.1 201 Created\r\nDate: " DATE
                                                "\r\nS: t\r\nContent-Type: a/b\r\nX: \r\n"
                                                "Content-Length: 0\r\n\r\n");
        hot__bytes_done(&server_fields);
}

static void test_response_announces_the_end_of_the_connection(void **state)
{
        bool keep_alive;

        frame.keep_alive = false;
        assert_non_null(strstr(sent(*state, &keep_alive), "\r\nConnection: close\r\n"));
        assert_false(keep_alive);
}

static void test_response_to_http_1_0_says_that_it_keeps_alive(void **state)
{
        frame.http_1_0 = true;
        assert_non_null(strstr(sent(*state, NULL), "\r\nConnection: keep-alive\r\n"));
}

static void test_response_to_head_has_the_length_and_no_body(void **state)
{
        const char *text;

        frame.head_only = true;
        hot_http_response_printf(*state, "hello");
        text = sent(*state, NULL);
        assert_non_null(strstr(text, "Content-Length: 5\r\n"));
        assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void test_response_without_content_has_neither_length_nor_body(void **state)
{
        hot_http_response_status(*state, 204);
        hot_http_response_printf(*state, "hello");
        assert_string_equal(sent(*state, NULL),
                            "HTTP/1.1 204 No Content\r\nDate: " DATE "\r\n\r\n");
}

static void test_response_large_body_follows_separately(void **state)
{
        struct hot_http_response *response = *state;
        static char large[100000];

        hot_http_response_write(response, large, sizeof(large));
        assert_non_null(strstr(sent(response, NULL), "Content-Length: 100000\r\n\r\n"));
        assert_int_equal(response->body.len, sizeof(large));
        assert_true(response->out.len < 1000);
}

static void test_response_refuses_fields_that_it_decides_or_that_split_it(void **state)
{
        static const struct {
                const char *name, *value;
        } bad[] = {
                {"Content-Length", "1"},
                {"transfer-encoding", "chunked"},
                {"Connection", "close"},
                {"Date", "x"},
                {"", "x"},
                {"a b", "x"},
                {"a:", "x"},
                {"a\r\nb", "x"},
                {"a", "x\r\nb: c"},
                {"a", "x\nb"},
                {"a", "\x01"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct hot_http_response *response = *state;

                hot__response_clear(response);
                assert_int_equal(hot_http_response_header(response, bad[i].name, bad[i].value),
                                 -EINVAL);
                assert_non_null(strstr(sent(response, NULL), "HTTP/1.1 500 "));
        }
}

static void test_response_refuses_statuses_that_are_none(void **state)
{
        assert_int_equal(hot_http_response_status(*state, 100), -EINVAL);
        assert_int_equal(hot_http_response_status(*state, 600), -EINVAL);
        assert_int_equal(hot_http_response_status(*state, 599), 0);
}

static ssize_t produce_nothing(void *data, char *buffer, size_t size)
{
        (void)data, (void)buffer, (void)size;
        return 0;
}

static void count(void *data)
{
        ++*(int *)data;
}

static void test_response_produced_is_chunked_or_has_its_length(void **state)
{
        struct hot_http_response *response = *state;
        int done = 0;
        bool keep_alive;

        assert_int_equal(hot_http_response_produce(response, -1, produce_nothing, &done, count), 0);
        assert_non_null(strstr(sent(response, &keep_alive), "\r\nTransfer-Encoding: chunked\r\n"));
        assert_true(keep_alive);
        hot__response_clear(response);
        assert_int_equal(done, 1);

        assert_int_equal(hot_http_response_produce(response, 9, produce_nothing, &done, count), 0);
        assert_non_null(strstr(sent(response, NULL), "\r\nContent-Length: 9\r\n"));
        hot__response_clear(response);

        frame.http_1_0 = true;
        assert_int_equal(hot_http_response_produce(response, -1, produce_nothing, &done, count), 0);
        assert_non_null(strstr(sent(response, &keep_alive), "\r\nConnection: close\r\n"));
        assert_null(strstr(response->out.data, "Transfer-Encoding"));
        assert_false(keep_alive);
        hot__response_clear(response);
        assert_int_equal(done, 3);
}

static void test_response_produces_once_and_not_after_writing(void **state)
{
        struct hot_http_response *response = *state;
        static int done; /* counted when the response is freed, after this function */

        hot_http_response_printf(response, "x");
        assert_int_equal(hot_http_response_produce(response, -1, produce_nothing, &done, count),
                         -EALREADY);
        hot__response_clear(response);
        assert_int_equal(hot_http_response_produce(response, -2, produce_nothing, &done, count),
                         -EINVAL);
        assert_int_equal(hot_http_response_produce(response, 0, produce_nothing, &done, count), 0);
        assert_int_equal(hot_http_response_write(response, "x", 1), -EALREADY);
        assert_int_equal(hot_http_response_status(response, 404), -EALREADY);
}

static void test_response_of_an_inline_handler_is_no_stream(void **state)
{
        assert_int_equal(hot_http_response_stream(*state), -EINVAL);
        assert_int_equal(hot_http_response_flush(*state), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_response_has_date_type_and_length, setup, teardown),
                hot_test_with(test_response_has_the_fields_of_handler_and_server, setup, teardown),
                hot_test_with(test_response_announces_the_end_of_the_connection, setup, teardown),
                hot_test_with(test_response_to_http_1_0_says_that_it_keeps_alive, setup, teardown),
                hot_test_with(test_response_to_head_has_the_length_and_no_body, setup, teardown),
                hot_test_with(test_response_without_content_has_neither_length_nor_body, setup,
                              teardown),
                hot_test_with(test_response_large_body_follows_separately, setup, teardown),
                hot_test_with(test_response_refuses_fields_that_it_decides_or_that_split_it, setup,
                              teardown),
                hot_test_with(test_response_refuses_statuses_that_are_none, setup, teardown),
                hot_test_with(test_response_produced_is_chunked_or_has_its_length, setup, teardown),
                hot_test_with(test_response_produces_once_and_not_after_writing, setup, teardown),
                hot_test_with(test_response_of_an_inline_handler_is_no_stream, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
