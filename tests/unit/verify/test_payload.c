/* SPDX-License-Identifier: MIT */
/*
 * Payloads: right bodies are right however they are cut into reads, and one wrong, missing or
 * additional byte anywhere is found.
 */
#include "fdcheck.h"
#include "outgoing.h"
#include "payload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Show @check the bytes in reads of @piece. */
static bool judge(struct hot__payload_check check, const char *bytes, size_t count, size_t piece)
{
        for (size_t i = 0; i < count; i += piece)
                hot__payload_see(&check, bytes + i, count - i < piece ? count - i : piece);
        return hot__payload_is_right(&check);
}

/* @right, one byte longer in memory than @count, is the only right body. */
static void check_all_changes(const struct hot__payload_check *check, char *right, size_t count,
                              bool newline_allowed)
{
        for (size_t piece = 1; piece <= count; piece += 1 + piece / 3) {
                assert_true(judge(*check, right, count, piece));
                assert_false(judge(*check, right, count - 1, piece));
                right[count] = 'x';
                assert_false(judge(*check, right, count + 1, piece));
                right[count] = '\n';
                assert_int_equal(judge(*check, right, count + 1, piece), newline_allowed);
        }
        for (size_t i = 0; i < count; i++) {
                right[i] ^= 1;
                assert_false(judge(*check, right, count, count));
                assert_false(judge(*check, right, count, 1));
                right[i] ^= 1;
        }
}

static void test_a_text_is_matched_exactly(void **state)
{
        struct hot__payload_check check;
        char right[] = "test 22222 ";

        (void)state;
        hot__payload_expect_text(&check, "test 22222");
        check_all_changes(&check, right, strlen("test 22222"), false);
}

static void test_the_pattern_is_matched_exactly(void **state)
{
        struct hot__payload_check check;
        char right[101];

        (void)state;
        for (size_t i = 0; i < sizeof(right); i++)
                right[i] = (char)('A' + i % 23);
        hot__payload_expect_pattern(&check, 100);
        check_all_changes(&check, right, 100, false);
}

static void test_anything_is_right_where_nothing_is_expected(void **state)
{
        struct hot__payload_check check;

        (void)state;
        hot__payload_expect_text(&check, NULL);
        assert_true(judge(check, "", 0, 1));
        assert_true(judge(check, "whatever", 8, 3));
}

static void digest_of(uint64_t serial, size_t size, char *ret_text)
{
        static char bytes[10000];
        unsigned char digest[32];
        int length;

        hot__payload_fill(serial, 0, bytes, size);
        assert_int_equal(EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL), 1);
        length = sprintf(ret_text, "%zu ", size);
        for (size_t i = 0; i < sizeof(digest); i++)
                length += sprintf(ret_text + length, "%02x", digest[i]);
}

static void test_the_echo_is_length_and_digest_of_what_was_sent(void **state)
{
        static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 10000};
        struct hot__payload_check check;
        char right[HOT__ECHO_SIZE + 1];

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                assert_int_equal(hot__payload_expect_echo(&check, 42, sizes[i]), 0);
                digest_of(42, sizes[i], right);
                check_all_changes(&check, right, strlen(right), true);
        }
}

static void test_known_digest_of_nothing(void **state)
{
        struct hot__payload_check check;
        const char *right = "0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

        (void)state;
        assert_int_equal(hot__payload_expect_echo(&check, 7, 0), 0);
        assert_true(judge(check, right, strlen(right), 5));
}

static void test_uploads_differ_and_do_not_depend_on_pieces(void **state)
{
        char whole[1000], pieces[1000], other[1000];

        (void)state;
        hot__payload_fill(1, 0, whole, sizeof(whole));
        hot__payload_fill(2, 0, other, sizeof(other));
        assert_memory_not_equal(whole, other, sizeof(whole));
        for (size_t piece = 1; piece < 40; piece++) {
                for (size_t i = 0; i < sizeof(pieces); i += piece)
                        hot__payload_fill(1, i, pieces + i,
                                          sizeof(pieces) - i < piece ? sizeof(pieces) - i : piece);
                assert_memory_equal(whole, pieces, sizeof(whole));
        }
}

/* What leaves is head and body, whatever the kernel takes at once; pieces end where they must. */
static void check_outgoing(size_t piece, size_t taken_at_once)
{
        struct hot__outgoing outgoing = {
                .head = "HEAD", .head_size = 4, .serial = 9, .body_size = 100, .piece = piece};
        char sent[104], expected[104] = "HEAD", buffer[64];
        size_t count, ends = 0;
        const char *bytes;

        hot__payload_fill(9, 0, expected + 4, 100);
        while (!hot__outgoing_is_done(&outgoing)) {
                size_t at = (size_t)outgoing.done;

                count = hot__outgoing_next(&outgoing, buffer, sizeof(buffer), &bytes);
                assert_true(count > 0 && count <= sizeof(sent) - at);
                count = count < taken_at_once ? count : taken_at_once;
                memcpy(sent + at, bytes, count);
                if (hot__outgoing_advance(&outgoing, count)) {
                        assert_int_equal((outgoing.done - 4) % piece, 0);
                        ends++;
                }
                assert_int_equal(hot__outgoing_head_is_done(&outgoing), outgoing.done >= 4);
        }
        assert_memory_equal(sent, expected, sizeof(sent));
        assert_int_equal(ends, piece > 0 ? (100 + piece - 1) / piece - 1 : 0);
}

static void test_what_leaves_is_head_and_body_in_pieces(void **state)
{
        static const size_t pieces[] = {0, 1, 7, 50, 99, 100, 1000};

        (void)state;
        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
                for (size_t taken = 1; taken < 110; taken++)
                        check_outgoing(pieces[i], taken);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_text_is_matched_exactly),
                hot_test(test_the_pattern_is_matched_exactly),
                hot_test(test_anything_is_right_where_nothing_is_expected),
                hot_test(test_the_echo_is_length_and_digest_of_what_was_sent),
                hot_test(test_known_digest_of_nothing),
                hot_test(test_uploads_differ_and_do_not_depend_on_pieces),
                hot_test(test_what_leaves_is_head_and_body_in_pieces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
