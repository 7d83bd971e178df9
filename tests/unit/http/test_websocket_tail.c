/* SPDX-License-Identifier: MIT */
/*
 * Frames of all shapes, cut at every byte: what is kept at each cut is what a receiver that knows nothing needs to
 * end up where the first one does.
 */
#include "websocket_tail.h"

#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

#define LIMIT 4096

struct frame {
        unsigned char first; /* FIN and opcode */
        unsigned int length; /* of the payload */
        unsigned int form;   /* of the length: 0 as short as it can be, else 126 or 127 */
};

/* A message or a control frame, and what is known of it when it is whole. */
static const struct sequence {
        const char *name;
        struct frame frames[6];
        size_t n;
} sequences[] = {
        {"text", {{0x81, 5, 0}}, 1},
        {"nothing", {{0x82, 0, 0}}, 1},
        {"125", {{0x82, 125, 0}}, 1},
        {"126", {{0x82, 126, 0}}, 1},
        {"300", {{0x82, 300, 0}}, 1},
        {"in 64 bits", {{0x82, 300, 127}}, 1},
        {"in 16 bits", {{0x82, 3, 126}}, 1},
        {"ping", {{0x89, 4, 0}}, 1},
        {"empty pong", {{0x8a, 0, 0}}, 1},
        {"close", {{0x88, 2, 0}}, 1},
        {"two fragments", {{0x01, 5, 0}, {0x80, 7, 0}}, 2},
        {"empty fragments", {{0x02, 0, 0}, {0x00, 0, 0}, {0x80, 0, 0}}, 3},
        {"ping in between", {{0x01, 5, 0}, {0x89, 3, 0}, {0x80, 7, 0}}, 3},
        {"two in between",
         {{0x01, 5, 0}, {0x89, 3, 0}, {0x8a, 0, 0}, {0x00, 200, 0}, {0x89, 125, 0}, {0x80, 1, 0}},
         6},
        {"three messages",
         {{0x81, 1, 0}, {0x89, 1, 0}, {0x82, 2, 0}, {0x01, 1, 0}, {0x80, 1, 0}},
         5},
};

/* Where each byte of a sequence belongs. */
struct laid_out {
        unsigned char bytes[2048];
        size_t len;
        size_t starts[7]; /* of the frames, and the end */
};

static void put_frame(struct laid_out *out, const struct frame *frame)
{
        unsigned int form = frame->form ? frame->form : frame->length < 126 ? 0 : 126;
        unsigned char *at = out->bytes + out->len;

        *at++ = frame->first;
        *at++ = (unsigned char)(0x80 | (form ? form : frame->length));
        for (int shift = form == 127 ? 56 : 8; form && shift >= 0; shift -= 8)
                *at++ = (unsigned char)(shift < 32 ? frame->length >> shift : 0);
        memcpy(at, "mask", 4);
        at += 4;
        for (unsigned int i = 0; i < frame->length; i++)
                *at++ = (unsigned char)(out->len + i);
        out->len = (size_t)(at - out->bytes);
}

static struct laid_out lay_out(const struct sequence *sequence)
{
        struct laid_out out = {.len = 0};

        for (size_t i = 0; i < sequence->n; i++) {
                out.starts[i] = out.len;
                put_frame(&out, &sequence->frames[i]);
        }
        out.starts[sequence->n] = out.len;
        return out;
}

/* What has to be kept when @cut bytes have come, by the frames and not by their bytes. */
static size_t expected(const struct sequence *sequence, const struct laid_out *out, size_t cut,
                       unsigned char *ret)
{
        size_t len = 0;

        for (size_t i = 0; i < sequence->n; i++) {
                size_t start = out->starts[i], end = out->starts[i + 1];
                unsigned char first = sequence->frames[i].first;

                if (cut <= start)
                        break;
                if (cut >= end && first & 0x08)
                        continue; /* answered */
                if (cut >= end && first & 0x80) {
                        len = 0; /* told */
                        continue;
                }
                end = cut < end ? cut : end;
                memcpy(ret + len, out->bytes + start, end - start);
                len += end - start;
        }
        return len;
}

static void assert_kept(const struct hot__websocket_tail *tail, const unsigned char *bytes,
                        size_t len)
{
        assert_false(tail->lost);
        assert_int_equal(tail->bytes.len, len);
        if (len)
                assert_memory_equal(tail->bytes.data, bytes, len);
}

static void cut_at(const struct sequence *sequence, const struct laid_out *out, size_t cut,
                   size_t piece)
{
        struct hot__websocket_tail tail = {.limit = LIMIT};
        unsigned char wanted[2048];
        size_t len = expected(sequence, out, cut, wanted);

        for (size_t at = 0; at < cut; at += piece)
                hot__websocket_tail_add(&tail, out->bytes + at,
                                        cut - at < piece ? cut - at : piece);
        assert_kept(&tail, wanted, len);
        hot__websocket_tail_done(&tail);
}

/* Whoever gets what was kept, and then the rest, keeps the same as who has seen all. */
static void hand_over_at(const struct laid_out *out, size_t cut)
{
        struct hot__websocket_tail first = {.limit = LIMIT}, second = {.limit = LIMIT};

        hot__websocket_tail_add(&first, out->bytes, cut);
        hot__websocket_tail_add(&second, first.bytes.data, first.bytes.len);
        for (size_t at = cut; at < out->len; at++) {
                hot__websocket_tail_add(&first, out->bytes + at, 1);
                hot__websocket_tail_add(&second, out->bytes + at, 1);
                assert_kept(&second, (unsigned char *)first.bytes.data, first.bytes.len);
        }
        hot__websocket_tail_done(&first);
        hot__websocket_tail_done(&second);
}

static void test_every_cut_of_every_sequence(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
                struct laid_out out = lay_out(&sequences[i]);

                for (size_t cut = 0; cut <= out.len; cut++) {
                        cut_at(&sequences[i], &out, cut, SIZE_MAX / 2);
                        cut_at(&sequences[i], &out, cut, 1);
                        cut_at(&sequences[i], &out, cut, 7);
                        hand_over_at(&out, cut);
                }
        }
}

static void test_a_whole_message_is_never_copied(void **state)
{
        struct hot__websocket_tail tail = {.limit = LIMIT};
        struct laid_out out = lay_out(&sequences[4]);

        (void)state;
        hot__websocket_tail_add(&tail, out.bytes, out.len);
        assert_null(tail.bytes.data);
        hot__websocket_tail_done(&tail);
}

static void test_beyond_the_limit_it_is_lost_until_the_message_is_whole(void **state)
{
        const struct sequence long_one = {"", {{0x01, 60, 0}, {0x89, 9, 0}, {0x80, 60, 0}}, 3};
        struct laid_out out = lay_out(&long_one), after = lay_out(&sequences[10]);
        struct hot__websocket_tail tail = {.limit = 50};

        (void)state;
        for (size_t at = 0; at < out.len; at++) {
                hot__websocket_tail_add(&tail, out.bytes + at, 1);
                assert_int_equal(tail.lost, at + 1 > 50 && at + 1 < out.len);
                assert_true(tail.bytes.len <= 50);
        }
        hot__websocket_tail_add(&tail, after.bytes, 5);
        assert_kept(&tail, after.bytes, 5);
        hot__websocket_tail_done(&tail);
}

/* Frames that cannot be are libwslay's to refuse: here they only have to be survived. */
static void test_any_bytes(void **state)
{
        struct hot__websocket_tail tail = {.limit = LIMIT};
        unsigned char bytes[512];

        (void)state;
        srand(1);
        for (int round = 0; round < 2000; round++) {
                size_t len = (size_t)rand() % sizeof(bytes);

                for (size_t i = 0; i < len; i++)
                        bytes[i] = (unsigned char)rand();
                hot__websocket_tail_add(&tail, bytes, len);
                assert_true(tail.bytes.len <= LIMIT);
                assert_true(tail.frames <= tail.bytes.len);
        }
        hot__websocket_tail_done(&tail);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_every_cut_of_every_sequence),
                hot_test(test_a_whole_message_is_never_copied),
                hot_test(test_beyond_the_limit_it_is_lost_until_the_message_is_whole),
                hot_test(test_any_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
