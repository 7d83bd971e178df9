/* SPDX-License-Identifier: MIT */
/*
 * Frames that were never recorded: whatever comes is either understood as the protocol says or refused,
 * and what nobody would take is not written.
 */
#include <errno.h>
#include <stdlib.h>

#include "frame_bytes.h"

static void put_u32(struct frame_bytes *bytes, uint32_t value)
{
        for (int i = 0; i < 4; i++, value >>= 8)
                bytes->at[bytes->len++] = (uint8_t)value;
}

/* A header with the right length before the fields in @body. */
static void put_frame(struct frame_bytes *bytes, uint16_t type, const char *body)
{
        size_t length_at;

        bytes->len = 0;
        put_u32(bytes, type);
        length_at = bytes->len;
        put_u32(bytes, 0);
        put_hex(bytes, body);
        bytes->at[length_at] = (uint8_t)(bytes->len - 8);
        bytes->at[length_at + 1] = (uint8_t)((bytes->len - 8) >> 8);
}

/* Fields, as hexadecimal text */

#define LOWEST_1     "0180 0000 04000000 01000000 "
#define LOWEST_2     "0180 0000 04000000 02000000 "
#define HIGHEST_1    "0280 0000 04000000 01000000 "
#define VERSION      "0300 0000 03000000 302e31 "
#define PROTOCOL_1   "0480 0000 04000000 01000000 "
#define GENERATION_2 "0580 0000 08000000 0200000000000000 "
#define N_ITEMS(n)   "0680 0000 04000000 " n "000000 "
#define KIND_1       "1080 0000 04000000 01000000 "
#define FD_3         "1180 0000 04000000 03000000 "
#define NAME_A       "1280 0000 01000000 61 "
#define ITEM(len)    "0780 0000 " len "000000 "
#define ERROR_95     "0880 0000 04000000 5f000000 "
#define OPTIONAL     "6300 0000 02000000 ffff "
#define OPTIONAL_0   "6400 0000 00000000 "
#define CRITICAL     "6380 0000 02000000 ffff "

#define BATCH_1  "0d80 0000 04000000 01000000 "
#define KIND_8   "1080 0000 04000000 08000000 "
#define INPUT_3  "1680 0000 04000000 03000000 "
#define OUTPUT_1 "1780 0000 04000000 01000000 "
#define BYTES_3  "1880 0000 03000000 616263 "
#define BULK_3   "1980 0000 04000000 03000000 "

#define OFFER(n) PROTOCOL_1 GENERATION_2 N_ITEMS(n)
#define ITEM_A   ITEM("21") KIND_1 FD_3 NAME_A

static const struct decoded {
        const char *why;
        uint16_t type;
        const char *body;
        int expected;
        uint32_t tag; /* with -EOPNOTSUPP */
} decoded[] = {
        {"as it should be", HOT__HELLO, LOWEST_1 HIGHEST_1, 0, 0},
        {"fields in another order", HOT__HELLO, VERSION HIGHEST_1 LOWEST_1, 0, 0},
        {"an unknown optional field", HOT__HELLO, LOWEST_1 OPTIONAL HIGHEST_1, 0, 0},
        {"unknown optional fields twice", HOT__HELLO, OPTIONAL LOWEST_1 HIGHEST_1 OPTIONAL, 0, 0},
        {"an unknown optional field of no bytes", HOT__READY, OPTIONAL_0, 0, 0},
        {"nothing to inherit", HOT__OFFER, OFFER("00"), 0, 0},
        {"one item", HOT__OFFER, OFFER("01") ITEM_A, 0, 0},
        {"an item before the other fields", HOT__OFFER, ITEM_A OFFER("01"), 0, 0},
        {"a part of an offer", HOT__OFFER, OFFER("02") ITEM_A, 0, 0},
        {"an item with an unknown optional field", HOT__OFFER,
         OFFER("01") ITEM("2b") KIND_1 FD_3 NAME_A OPTIONAL, 0, 0},
        {"an item of a kind that is not known", HOT__OFFER,
         OFFER("01") ITEM("21") "1080 0000 04000000 09000000" FD_3 NAME_A, 0, 0},
        {"why it refuses", HOT__REFUSE, ERROR_95, 0, 0},
        {"a connection, all of whose bytes are input", HOT__GIVE,
         BATCH_1 ITEM("2c") KIND_8 NAME_A INPUT_3 BYTES_3, 0, 0},
        {"the same, in memory of its own", HOT__GIVE,
         BATCH_1 ITEM("2d") KIND_8 NAME_A INPUT_3 BULK_3, 0, 0},
        {"an empty batch", HOT__GIVE, BATCH_1, 0, 0},
        {"an answer that refuses nothing", HOT__TAKEN, BATCH_1, 0, 0},

        {"an unknown critical field", HOT__HELLO, LOWEST_1 HIGHEST_1 CRITICAL, -EOPNOTSUPP, 0x8063},
        {"one in a frame without fields", HOT__READY, CRITICAL, -EOPNOTSUPP, 0x8063},
        {"one in an item", HOT__OFFER, OFFER("01") ITEM("2b") KIND_1 FD_3 NAME_A CRITICAL,
         -EOPNOTSUPP, 0x8063},
        {"a field of another frame", HOT__READY, LOWEST_1, -EOPNOTSUPP, HOT__TAG_LOWEST},
        {"a field of the frame in an item", HOT__OFFER, OFFER("01") ITEM("35") ITEM_A PROTOCOL_1,
         -EOPNOTSUPP, HOT__TAG_ITEM},
        {"an unknown frame type", HOT__TAKEN + 1, "", -EOPNOTSUPP, 0},
        {"frame type 0", 0, "", -EOPNOTSUPP, 0},

        {"a batch without number", HOT__GIVE, ITEM("15") KIND_8 NAME_A, -EPROTO, 0},
        {"more input than bytes", HOT__GIVE, BATCH_1 ITEM("21") KIND_8 NAME_A INPUT_3, -EPROTO, 0},
        {"more input and output than bytes", HOT__GIVE,
         BATCH_1 ITEM("38") KIND_8 NAME_A INPUT_3 OUTPUT_1 BYTES_3, -EPROTO, 0},
        {"bytes in two places", HOT__GIVE, BATCH_1 ITEM("2c") KIND_8 NAME_A BYTES_3 BULK_3, -EPROTO,
         0},
        {"more than may travel", HOT__GIVE,
         BATCH_1 ITEM("21") KIND_8 NAME_A "1980 0000 04000000 01000004", -EPROTO, 0},
        {"no fields", HOT__HELLO, "", -EPROTO, 0},
        {"no lowest", HOT__HELLO, HIGHEST_1 VERSION, -EPROTO, 0},
        {"no highest", HOT__HELLO, LOWEST_1 VERSION, -EPROTO, 0},
        {"lowest above highest", HOT__HELLO, LOWEST_2 HIGHEST_1, -EPROTO, 0},
        {"lowest 0", HOT__HELLO, "0180 0000 04000000 00000000" HIGHEST_1, -EPROTO, 0},
        {"lowest twice", HOT__HELLO, LOWEST_1 LOWEST_1 HIGHEST_1, -EPROTO, 0},
        {"version twice", HOT__HELLO, LOWEST_1 HIGHEST_1 VERSION VERSION, -EPROTO, 0},
        {"lowest in 2 bytes", HOT__HELLO, "0180 0000 02000000 0100" HIGHEST_1, -EPROTO, 0},
        {"lowest in 8 bytes", HOT__HELLO, "0180 0000 08000000 0100000000000000" HIGHEST_1, -EPROTO,
         0},
        {"lowest in no bytes", HOT__HELLO, "0180 0000 00000000" HIGHEST_1, -EPROTO, 0},
        {"version in no bytes", HOT__HELLO, LOWEST_1 HIGHEST_1 "0300 0000 00000000", -EPROTO, 0},
        {"a version with a line feed", HOT__HELLO, LOWEST_1 HIGHEST_1 "0300 0000 02000000 310a",
         -EPROTO, 0},
        {"a version of 32 bytes", HOT__HELLO,
         LOWEST_1 HIGHEST_1 "0300 0000 20000000 31313131313131313131313131313131"
                            "31313131313131313131313131313131",
         -EPROTO, 0},
        {"a field that ends behind the frame", HOT__HELLO, LOWEST_1 "0280 0000 05000000 01000000",
         -EPROTO, 0},
        {"a field of 4 GiB", HOT__HELLO, LOWEST_1 HIGHEST_1 "6300 0000 ffffffff ffff", -EPROTO, 0},
        {"half a header of a field", HOT__HELLO, LOWEST_1 HIGHEST_1 "6300 0000", -EPROTO, 0},
        {"a reserved bit in a field", HOT__HELLO, LOWEST_1 HIGHEST_1 "6300 0100 00000000", -EPROTO,
         0},
        {"no protocol", HOT__OFFER, GENERATION_2 N_ITEMS("00"), -EPROTO, 0},
        {"no generation", HOT__OFFER, PROTOCOL_1 N_ITEMS("00"), -EPROTO, 0},
        {"no number of items", HOT__OFFER, PROTOCOL_1 GENERATION_2, -EPROTO, 0},
        {"a generation in 4 bytes", HOT__OFFER,
         PROTOCOL_1 "0580 0000 04000000 02000000" N_ITEMS("00"), -EPROTO, 0},
        {"items announced, none here", HOT__OFFER, OFFER("01"), -EPROTO, 0},
        {"more items than announced", HOT__OFFER, OFFER("01") ITEM_A ITEM_A, -EPROTO, 0},
        {"an item without kind", HOT__OFFER,
         OFFER("01") ITEM("1f") FD_3 "1280 0000 0b000000 6161616161616161616161", -EPROTO, 0},
        {"an item whose descriptor comes with the frame", HOT__OFFER,
         OFFER("01") ITEM("1f") KIND_1 "1280 0000 0b000000 6161616161616161616161", 0, 0},
        {"an item without name", HOT__OFFER, OFFER("01") ITEM("22") KIND_1 FD_3 OPTIONAL, -EPROTO,
         0},
        {"an item of no bytes", HOT__OFFER, OFFER("01") ITEM("00"), -EPROTO, 0},
        {"an item's kind twice", HOT__OFFER, OFFER("01") ITEM("2d") KIND_1 KIND_1 FD_3 NAME_A,
         -EPROTO, 0},
        {"kind 0", HOT__OFFER, OFFER("01") ITEM("21") "1080 0000 04000000 00000000" FD_3 NAME_A,
         -EPROTO, 0},
        {"descriptor 2", HOT__OFFER,
         OFFER("01") ITEM("21") KIND_1 "1180 0000 04000000 02000000" NAME_A, -EPROTO, 0},
        {"descriptor -1", HOT__OFFER,
         OFFER("01") ITEM("21") KIND_1 "1180 0000 04000000 ffffffff" NAME_A, -EPROTO, 0},
        {"a name with a colon", HOT__OFFER,
         OFFER("01") ITEM("23") KIND_1 FD_3 "1280 0000 03000000 613a62", -EPROTO, 0},
        {"a name with a zero", HOT__OFFER,
         OFFER("01") ITEM("23") KIND_1 FD_3 "1280 0000 03000000 610062", -EPROTO, 0},
        {"a name with an escape", HOT__OFFER,
         OFFER("01") ITEM("23") KIND_1 FD_3 "1280 0000 03000000 1b5b41", -EPROTO, 0},
        {"a name that is not ASCII", HOT__OFFER,
         OFFER("01") ITEM("23") KIND_1 FD_3 "1280 0000 03000000 e282ac", -EPROTO, 0},
        {"a name of no bytes", HOT__OFFER,
         OFFER("01") ITEM("2a") KIND_1 FD_3 "1280 0000 00000000" OPTIONAL, -EPROTO, 0},
        {"an address with a zero", HOT__OFFER,
         OFFER("01") ITEM("2b") KIND_1 FD_3 NAME_A "1380 0000 02000000 6100", -EPROTO, 0},
        {"an address of no bytes", HOT__OFFER,
         OFFER("01") ITEM("29") KIND_1 FD_3 NAME_A "1380 0000 00000000", -EPROTO, 0},
        {"a refusal without error", HOT__REFUSE, "0900 0000 04000000 63800000", -EPROTO, 0},
        {"error 0", HOT__REFUSE, "0880 0000 04000000 00000000", -EPROTO, 0},
        {"an error that is none", HOT__REFUSE, "0880 0000 04000000 00100000", -EPROTO, 0},
        {"a tag above 16 bits", HOT__REFUSE, ERROR_95 "0900 0000 04000000 00000100", -EPROTO, 0},
};

static void test_fields_are_understood_or_refused(void **state)
{
        struct frame_bytes bytes;

        (void)state;
        for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
                struct hot__frame frame = {.lowest = 4711};
                int r;

                put_frame(&bytes, decoded[i].type, decoded[i].body);
                r = hot__frame_decode(bytes.at, bytes.len, &frame);
                if (r != decoded[i].expected)
                        print_error("%s\n", decoded[i].why);
                assert_int_equal(r, decoded[i].expected);
                if (r == 0) {
                        assert_int_equal(frame.type, decoded[i].type);
                        hot__frame_done(&frame);
                } else if (r == -EOPNOTSUPP) {
                        assert_int_equal(frame.type, decoded[i].type);
                        assert_int_equal(frame.tag, decoded[i].tag);
                        assert_null(frame.items);
                } else {
                        assert_int_equal(frame.lowest, 4711);
                }
        }
}

static void test_headers_that_are_none_are_refused(void **state)
{
        static const char *const headers[] = {
                "",
                "03",
                "0300 0000 000000",
                "0300 0100 00000000", /* the reserved zero */
                "0300 0000 01000000", /* a byte less than announced */
                "0300 0000 ffffffff",
                "0300 0000 00000000 00000000", /* more than announced */
        };
        struct hot__frame frame;

        (void)state;
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
                struct frame_bytes bytes = {.len = 0};

                put_hex(&bytes, headers[i]);
                assert_int_equal(hot__frame_decode(bytes.at, bytes.len, &frame), -EPROTO);
        }
}

static void test_a_frame_above_the_limit_is_refused(void **state)
{
        struct frame_bytes bytes = {.len = 0};
        struct hot__frame frame;

        (void)state;
        /* One optional field that fills the frame to the limit, and then to one byte more. */
        for (uint32_t over = 0; over < 2; over++) {
                uint32_t rest = HOT__FRAME_MAX - 8 + over;

                bytes.len = 0;
                put_u32(&bytes, HOT__READY);
                put_u32(&bytes, rest);
                put_u32(&bytes, 0x63);
                put_u32(&bytes, rest - 8);
                assert_int_equal(hot__frame_decode(bytes.at, 8 + rest, &frame), over ? -EPROTO : 0);
        }
}

static void test_a_decoded_frame_can_be_done_twice(void **state)
{
        struct frame_bytes bytes;
        struct hot__frame frame;

        (void)state;
        put_frame(&bytes, HOT__OFFER, OFFER("01") ITEM_A);
        assert_int_equal(hot__frame_decode(bytes.at, bytes.len, &frame), 0);
        assert_int_equal(frame.n_items_here, 1);
        hot__frame_done(&frame);
        hot__frame_done(&frame);
        assert_null(frame.items);
}

/* Encoding */

static void test_frames_that_nobody_would_take_are_not_written(void **state)
{
        struct hot__item colon = {.kind = 1, .fd = 3, .name = "a:b"};
        struct hot__item nameless = {.kind = 1, .fd = 3};
        struct hot__item stdio = {.kind = 1, .fd = 2, .name = "a"};
        struct hot__item endless = {.kind = 1, .fd = 3};
#define OFFER_OF(item)                                                            \
        {                                                                         \
                .type = HOT__OFFER, .protocol = 1, .generation = 2, .n_items = 1, \
                .items = &(item), .n_items_here = 1                               \
        }
        const struct hot__frame frames[] = {
                {.type = 0},
                {.type = HOT__LET_GO + 1},
                {.type = HOT__HELLO, .lowest = 2, .highest = 1},
                {.type = HOT__HELLO},
                {.type = HOT__HELLO, .lowest = 1, .highest = 1, .version = "\n"},
                {.type = HOT__OFFER, .generation = 2},
                {.type = HOT__OFFER, .protocol = 1},
                {.type = HOT__OFFER, .protocol = 1, .generation = 2, .n_items = 1},
                OFFER_OF(colon),
                OFFER_OF(nameless),
                OFFER_OF(stdio),
                OFFER_OF(endless),
                {.type = HOT__REFUSE},
        };
        uint8_t buffer[HOT__FRAME_MAX];

        (void)state;
        memset(endless.name, 'a', sizeof(endless.name)); /* no zero at its end */
        for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
                assert_int_equal(hot__frame_encode(&frames[i], buffer, sizeof(buffer)), -EINVAL);
}

static void test_what_is_optional_is_left_out(void **state)
{
        static const struct hot__frame frames[] = {
                {.type = HOT__HELLO, .lowest = 1, .highest = 2},
                {.type = HOT__OFFER, .protocol = 1, .generation = 2},
                {.type = HOT__REFUSE, .error = EPROTO},
        };
        static const size_t sizes[] = {8 + 2 * 12, 8 + 12 + 16 + 12, 8 + 12};

        (void)state;
        for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
                uint8_t buffer[64];
                struct hot__frame received;

                assert_int_equal(hot__frame_encode(&frames[i], buffer, sizeof(buffer)),
                                 (ssize_t)sizes[i]);
                assert_int_equal(hot__frame_decode(buffer, sizes[i], &received), 0);
                assert_same_frame(&received, &frames[i]);
                hot__frame_done(&received);
        }
}

static struct hot__item *make_items(size_t n, size_t name_len, size_t address_len)
{
        struct hot__item *items = calloc(n, sizeof(*items));

        assert_non_null(items);
        for (size_t i = 0; i < n; i++) {
                items[i].kind = HOT__ITEM_LISTENER;
                items[i].fd = (uint32_t)i + 3;
                memset(items[i].name, 'n', name_len);
                memset(items[i].address, 'a', address_len);
        }
        return items;
}

static void test_what_fits_is_written_and_one_more_is_not(void **state)
{
        static const struct {
                size_t name_len, address_len;
        } sizes[] = {{1, 0}, {4, 11}, {255, 0}, {255, 319}};
        enum { N = 2000 };
        uint8_t buffer[HOT__FRAME_MAX];

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct hot__item *items = make_items(N, sizes[i].name_len, sizes[i].address_len);
                struct hot__frame frame = {.type = HOT__OFFER,
                                           .protocol = 1,
                                           .generation = 2,
                                           .n_items = N,
                                           .items = items};

                memset(frame.version, 'v', sizeof(frame.version) - 1);
                frame.n_items_here = hot__frame_fits(items, N);
                assert_in_range(frame.n_items_here, 1, N - 1);
                assert_true(hot__frame_encode(&frame, buffer, sizeof(buffer)) > 0);
                frame.n_items_here++;
                assert_int_equal(hot__frame_encode(&frame, buffer, sizeof(buffer)), -EMSGSIZE);
                free(items);
        }
        assert_int_equal(hot__frame_fits(NULL, 0), 0);
}

static void test_an_offer_of_many_items_travels_in_parts(void **state)
{
        enum { N = 2000 };
        struct hot__item *items = make_items(N, 10, 30);
        uint8_t buffer[HOT__FRAME_MAX];
        size_t done = 0, parts = 0;

        (void)state;
        while (done < N) {
                struct hot__frame frame = {.type = HOT__OFFER,
                                           .protocol = 1,
                                           .generation = 2,
                                           .n_items = N,
                                           .items = items + done};
                struct hot__frame received;
                ssize_t len;

                frame.n_items_here = hot__frame_fits(items + done, N - done);
                len = hot__frame_encode(&frame, buffer, sizeof(buffer));
                assert_true(len > 0);
                assert_int_equal(hot__frame_decode(buffer, (size_t)len, &received), 0);
                assert_same_frame(&received, &frame);
                done += received.n_items_here;
                parts++;
                hot__frame_done(&received);
        }
        assert_int_equal(done, N);
        assert_true(parts > 1);
        free(items);
}

static void test_the_lower_of_the_two_highest_protocols_is_chosen(void **state)
{
        (void)state;
        assert_int_equal(hot__protocol_choose(1, 1), 1);
        assert_int_equal(hot__protocol_choose(1, 7), HOT__PROTOCOL_HIGHEST);
        assert_int_equal(hot__protocol_choose(1, UINT32_MAX), HOT__PROTOCOL_HIGHEST);
        assert_int_equal(hot__protocol_choose(HOT__PROTOCOL_HIGHEST + 1, HOT__PROTOCOL_HIGHEST + 1),
                         -EPROTONOSUPPORT);
        assert_int_equal(hot__protocol_choose(UINT32_MAX, UINT32_MAX), -EPROTONOSUPPORT);
        assert_int_equal(hot__protocol_choose(0, HOT__PROTOCOL_LOWEST - 1), -EPROTONOSUPPORT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_fields_are_understood_or_refused),
                hot_test(test_headers_that_are_none_are_refused),
                hot_test(test_a_frame_above_the_limit_is_refused),
                hot_test(test_a_decoded_frame_can_be_done_twice),
                hot_test(test_frames_that_nobody_would_take_are_not_written),
                hot_test(test_what_is_optional_is_left_out),
                hot_test(test_what_fits_is_written_and_one_more_is_not),
                hot_test(test_an_offer_of_many_items_travels_in_parts),
                hot_test(test_the_lower_of_the_two_highest_protocols_is_chosen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
