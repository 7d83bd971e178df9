/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

static int setup(void **state)
{
        static struct hot__stream stream;

        stream = (struct hot__stream){0};
        *state = &stream;
        return hot__stream_init(&stream) | hot__stream_prepare(&stream);
}

static int teardown(void **state)
{
        hot__stream_done(*state);
        return 0;
}

static void expect_frame(struct hot__stream *stream, bool last, const char *expected)
{
        const char *data;
        size_t len;

        hot__stream_frame(stream, last, &data, &len);
        assert_int_equal(len, strlen(expected));
        if (len)
                assert_memory_equal(data, expected, len);
        assert_int_equal(stream->ended, last);
}

static void test_stream_frames_chunks(void **state)
{
        struct hot__stream *stream = *state;

        stream->chunked = true;
        assert_int_equal(hot__stream_fill(stream, "hello world!", 12), 12);
        expect_frame(stream, false, "c\r\nhello world!\r\n");
        stream->filled = 0;
        expect_frame(stream, false, "");
        hot__stream_fill(stream, "x", 1);
        expect_frame(stream, true, "1\r\nx\r\n0\r\n\r\n");
        stream->filled = 0;
        expect_frame(stream, true, "0\r\n\r\n");
}

static void test_stream_without_chunks_is_the_content_alone(void **state)
{
        hot__stream_fill(*state, "hello", 5);
        expect_frame(*state, true, "hello");
}

static void test_stream_that_is_muted_sends_nothing(void **state)
{
        struct hot__stream *stream = *state;

        stream->muted = stream->chunked = true;
        hot__stream_fill(stream, "hello", 5);
        expect_frame(stream, true, "");
        assert_int_equal(stream->filled, 0);
}

static void test_stream_takes_a_piece_at_most(void **state)
{
        static char much[HOT__STREAM_PIECE + 1];
        struct hot__stream *stream = *state;
        const char *data;
        size_t len;

        stream->chunked = true;
        assert_int_equal(hot__stream_fill(stream, much, sizeof(much)), HOT__STREAM_PIECE);
        assert_int_equal(hot__stream_fill(stream, much, 1), 0);
        hot__stream_frame(stream, true, &data, &len);
        assert_memory_equal(data, "10000\r\n", 7);
        assert_memory_equal(data + len - 7, "\r\n0\r\n\r\n", 7);
}

static ssize_t results[3];
static size_t asked;

static ssize_t producer(void *data, char *buffer, size_t size)
{
        int *i = data;

        asked = size;
        memset(buffer, 'x', size < 10 ? size : 10);
        return results[(*i)++];
}

static void test_stream_producer_is_held_to_its_promise(void **state)
{
        struct hot__stream *stream = *state;
        int calls = 0;

        stream->producer = producer;
        stream->data = &calls;
        stream->remaining = 7;
        results[0] = 5;
        results[1] = 2;
        assert_int_equal(hot__stream_produce(stream), 0);
        assert_int_equal(asked, 7);
        assert_int_equal(hot__stream_produce(stream), 0);
        assert_int_equal(asked, 2);
        assert_int_equal(hot__stream_produce(stream), 0); /* not asked again */
        assert_int_equal(calls, 2);
        assert_int_equal(stream->filled, 0);
}

static void test_stream_producer_that_ends_early_or_fails_is_cut(void **state)
{
        struct hot__stream *stream = *state;
        int calls = 0;

        stream->producer = producer;
        stream->data = &calls;
        stream->remaining = 7;
        results[0] = 0;
        results[1] = -EIO;
        results[2] = 8;
        assert_int_equal(hot__stream_produce(stream), -EPIPE);
        assert_int_equal(hot__stream_produce(stream), -EIO);
        assert_int_equal(hot__stream_produce(stream), -EINVAL);
}

static void *loop(void *argument)
{
        hot__stream_return(argument, -ECONNRESET);
        return NULL;
}

static void test_stream_writer_waits_for_the_loop(void **state)
{
        struct hot__stream *stream = *state;
        pthread_t thread;

        hot__stream_return(stream, -EIO); /* it is not here: nothing happens */
        hot__stream_fill(stream, "x", 1);
        hot__stream_give(stream);
        pthread_create(&thread, NULL, loop, stream);
        assert_int_equal(hot__stream_wait(stream), -ECONNRESET);
        assert_int_equal(stream->filled, 0);
        pthread_join(thread, NULL);
}

static void done(void *data)
{
        ++*(int *)data;
}

static void test_stream_says_done_once(void **state)
{
        static int done_calls;
        struct hot__stream *stream = *state;

        stream->done = done;
        stream->data = &done_calls;
        hot__stream_clear(stream);
        hot__stream_clear(stream);
        assert_int_equal(done_calls, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_stream_frames_chunks, setup, teardown),
                hot_test_with(test_stream_without_chunks_is_the_content_alone, setup, teardown),
                hot_test_with(test_stream_that_is_muted_sends_nothing, setup, teardown),
                hot_test_with(test_stream_takes_a_piece_at_most, setup, teardown),
                hot_test_with(test_stream_producer_is_held_to_its_promise, setup, teardown),
                hot_test_with(test_stream_producer_that_ends_early_or_fails_is_cut, setup,
                              teardown),
                hot_test_with(test_stream_writer_waits_for_the_loop, setup, teardown),
                hot_test_with(test_stream_says_done_once, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
