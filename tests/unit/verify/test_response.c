/* SPDX-License-Identifier: MIT */
/*
 * Answers: read the same however the kernel cuts them, and left exactly where they end.
 */
#include "fdcheck.h"
#include "response.h"

#include <string.h>

struct answer {
        const char *bytes;
        int status;
        bool keep_alive;
        uint64_t generation;
        pid_t pid;
        uint64_t body;
        bool until_end; /* end of file ends it */
};

static const struct answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Generation: 7\r\nx-pid: 1234\r\n\r\nhello", 200,
         true, 7, 1234, 5, false},
        {"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 503, false, 0, 0, 0,
         false},
        {"HTTP/1.1 204 None\r\nX-GENERATION: 2\r\n\r\n", 204, true, 2, 0, 0, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Generation: "
         "18446744073709551615\r\n\r\n"
         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         200, true, UINT64_MAX, 0, 5, false},
        {"HTTP/1.1 100 Continue\r\nX-Generation: 3\r\n\r\n"
         "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         200, true, 0, 0, 2, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, false, 0, 0, 2, false},
        {"HTTP/1.1 200 OK\r\nX-Pid: 5\r\n\r\nuntil the end", 200, false, 0, 5, 13, true},
        {"HTTP/1.1 200 OK\r\nX-Generation: 1x\r\nX-Pid: -4\r\nContent-Length: 0\r\n\r\n", 200, true,
         0, 0, 0, false},
        {"HTTP/1.1 200 OK\r\nX-Generation: 184467440737095516160\r\nX-Pid: 4294967296\r\n"
         "Content-Length: 0\r\n\r\n",
         200, true, 0, 0, 0, false},
        {"HTTP/1.1 200 OK\r\nA-Field-Longer-Than-Any-Of-Ours: X-Pid\r\nX-Generation-Not: 5\r\n"
         "Content-Length: 0\r\n\r\n",
         200, true, 0, 0, 0, false},
};

static void check_facts(const struct answer *answer, const struct hot__response *response)
{
        assert_true(response->complete && response->head_complete && response->begun);
        assert_int_equal(response->status, answer->status);
        assert_int_equal(response->keep_alive, answer->keep_alive);
        assert_int_equal(response->identity.number, answer->generation);
        assert_int_equal(response->identity.pid, answer->pid);
        assert_int_equal(response->check->count, answer->body);
}

/* Read @answer in pieces of @piece, with the first byte of the next answer behind it. */
static void check_answer(const struct answer *answer, size_t piece)
{
        struct hot__payload_check check;
        struct hot__response response;
        size_t length = strlen(answer->bytes), used, at = 0;
        enum hot__response_state state = HOT__RESPONSE_MORE;
        char bytes[512];

        memcpy(bytes, answer->bytes, length);
        bytes[length] = 'H';
        hot__payload_expect_text(&check, NULL);
        hot__response_init(&response, &check);
        while (at < length && state == HOT__RESPONSE_MORE) {
                size_t end = at + piece < length ? at + piece : length;

                /* The last read brings the next answer's first byte with it. */
                if (end == length && !answer->until_end)
                        end++;
                state = hot__response_feed(&response, bytes + at, end - at, &used);
                at += used;
        }
        if (answer->until_end)
                state = hot__response_finish(&response);
        assert_int_equal(state, HOT__RESPONSE_COMPLETE);
        assert_int_equal(at, length);
        check_facts(answer, &response);
}

static void test_answers_are_read_the_same_in_any_pieces(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
                for (size_t piece = 1; piece <= strlen(answers[i].bytes); piece++)
                        check_answer(&answers[i], piece);
}

/* Cut anywhere: never complete, never called garbage; begun as soon as there was a byte. */
static void test_a_cut_answer_is_never_complete(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
                size_t length = strlen(answers[i].bytes);

                for (size_t cut = 0; cut < length && !answers[i].until_end; cut++) {
                        struct hot__payload_check check;
                        struct hot__response response;
                        size_t used;

                        hot__payload_expect_text(&check, NULL);
                        hot__response_init(&response, &check);
                        assert_int_equal(
                                hot__response_feed(&response, answers[i].bytes, cut, &used),
                                HOT__RESPONSE_MORE);
                        assert_int_equal(hot__response_finish(&response), HOT__RESPONSE_MORE);
                        assert_int_equal(response.begun, cut > 0);
                }
        }
}

static void test_what_is_no_http_is_garbage(void **state)
{
        static const char *const texts[] = {
                "HTPP/1.1 200 OK\r\n\r\n",
                "hello, world\r\n",
                "HTTP/1.1 2x0 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                "HTTP/1.1 200 OK\r\nbad field\r\n\r\n",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct hot__payload_check check;
                struct hot__response response;
                size_t used;

                hot__payload_expect_text(&check, NULL);
                hot__response_init(&response, &check);
                if (hot__response_feed(&response, texts[i], strlen(texts[i]), &used) !=
                    HOT__RESPONSE_GARBAGE)
                        fail_msg("not called garbage: %s", texts[i]);
        }
}

static void test_bodies_reach_the_check(void **state)
{
        const char *bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "4\r\ntest\r\n6\r\n 22222\r\n0\r\n\r\n";
        struct hot__payload_check check;
        struct hot__response response;
        size_t used;

        (void)state;
        hot__payload_expect_text(&check, "test 22222");
        hot__response_init(&response, &check);
        assert_int_equal(hot__response_feed(&response, bytes, strlen(bytes), &used),
                         HOT__RESPONSE_COMPLETE);
        assert_true(hot__payload_is_right(&check));
        hot__payload_expect_text(&check, "test 22223");
        hot__response_init(&response, &check);
        hot__response_feed(&response, bytes, strlen(bytes), &used);
        assert_false(hot__payload_is_right(&check));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_answers_are_read_the_same_in_any_pieces),
                hot_test(test_a_cut_answer_is_never_complete),
                hot_test(test_what_is_no_http_is_garbage),
                hot_test(test_bodies_reach_the_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
