/* SPDX-License-Identifier: MIT */
/*
 * Recorded frames: those of every released version are read and written byte for byte, for ever. And
 * what is left of one when it is cut anywhere is refused.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame_bytes.h"

static struct hot__item offered[] = {
        {.kind = HOT__ITEM_LISTENER, .fd = 3, .name = "http", .address = "tcp://:9999"},
        {.kind = HOT__ITEM_LISTENER, .fd = 4, .name = "admin", .address = "unix:/run/demo.sock"},
        {.kind = HOT__ITEM_LISTENER, .fd = 5, .name = "from the manager"},
};

static struct hot__item changed[] = {
        {.kind = HOT__ITEM_STATE, .name = "counter", .version = 2},
};

static struct hot__item given[] = {
        {.kind = HOT__ITEM_CONNECTION,
         .name = "chat",
         .version = 2,
         .flags = 1,
         .input_len = 2,
         .output_len = 1,
         .bytes = {(const uint8_t *)"abcstate", 8}},
        {.kind = HOT__ITEM_CONNECTION,
         .name = "chat",
         .version = 2,
         .input_len = 65536,
         .bulk = 70000},
};

static const struct recorded {
        const char *file;
        struct hot__frame frame;
} recorded[] = {
        {"v1/hello", {.type = HOT__HELLO, .lowest = 1, .highest = 1, .version = "0.1.0"}},
        {"v1/offer",
         {.type = HOT__OFFER,
          .protocol = 1,
          .generation = 2,
          .n_items = 3,
          .version = "0.1.0",
          .items = offered,
          .n_items_here = 3}},
        {"v1/ready", {.type = HOT__READY}},
        {"v1/commit", {.type = HOT__COMMIT}},
        {"v1/serving", {.type = HOT__SERVING}},
        {"v1/retired", {.type = HOT__RETIRED}},
        {"v1/trigger", {.type = HOT__TRIGGER}},
        {"v1/stop", {.type = HOT__STOP}},
        {"v1/refuse", {.type = HOT__REFUSE, .error = 95, .tag = 0x8063}},
        {"v1/ask_retire", {.type = HOT__ASK_RETIRE}},
        {"v1/ancestor", {.type = HOT__ANCESTOR, .pid = 4711, .generation = 3}},
        {"v1/query", {.type = HOT__QUERY}},
        {"v1/report", {.type = HOT__REPORT, .text = "{\"held\":1}"}},
        {"v1/end", {.type = HOT__END}},
        {"v1/control", {.type = HOT__CONTROL, .text = "restart"}},
        {"v1/changed", {.type = HOT__CHANGED, .items = changed, .n_items_here = 1}},
        {"v1/let_go", {.type = HOT__LET_GO}},
        {"v1/give", {.type = HOT__GIVE, .batch = 7, .items = given, .n_items_here = 2}},
        {"v1/taken", {.type = HOT__TAKEN, .batch = 7, .room = 1001, .text = "1:95"}},
        {"v1/serving_room", {.type = HOT__SERVING, .room = 1001}},
};

#define N_RECORDED (sizeof(recorded) / sizeof(recorded[0]))

static void read_recorded(const char *name, struct frame_bytes *bytes)
{
        char path[PATH_MAX], here[] = __FILE__, text[4096];
        FILE *file;
        size_t n;

        snprintf(path, sizeof(path), "%s/frames/%s.hex", dirname(here), name);
        file = fopen(path, "r");
        assert_non_null(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        assert_in_range(n, 1, sizeof(text) - 2);
        text[n] = 0;
        bytes->len = 0;
        put_hex(bytes, text);
}

static void test_recorded_frames_are_still_understood(void **state)
{
        struct frame_bytes bytes;
        struct hot__frame frame;

        (void)state;
        for (size_t i = 0; i < N_RECORDED; i++) {
                read_recorded(recorded[i].file, &bytes);
                assert_int_equal(hot__frame_decode(bytes.at, bytes.len, &frame), 0);
                assert_same_frame(&frame, &recorded[i].frame);
                hot__frame_done(&frame);
        }
}

static void test_recorded_frames_are_still_written(void **state)
{
        struct frame_bytes bytes;
        uint8_t buffer[HOT__FRAME_MAX];

        (void)state;
        for (size_t i = 0; i < N_RECORDED; i++) {
                read_recorded(recorded[i].file, &bytes);
                assert_int_equal(hot__frame_encode(&recorded[i].frame, buffer, sizeof(buffer)),
                                 (ssize_t)bytes.len);
                assert_memory_equal(buffer, bytes.at, bytes.len);
        }
}

static void test_every_frame_type_is_recorded(void **state)
{
        (void)state;
        for (uint16_t type = HOT__HELLO; type <= HOT__TAKEN; type++) {
                size_t i = 0;

                while (i < N_RECORDED && recorded[i].frame.type != type)
                        i++;
                assert_true(i < N_RECORDED);
        }
}

static void test_a_frame_cut_anywhere_is_refused(void **state)
{
        struct frame_bytes bytes;
        struct hot__frame frame;
        uint8_t *exact;

        (void)state;
        for (size_t i = 0; i < N_RECORDED; i++) {
                read_recorded(recorded[i].file, &bytes);
                for (size_t len = 0; len < bytes.len; len++) {
                        /* Its own allocation: a sanitizer sees a read behind the last byte. */
                        exact = malloc(len + 1);
                        assert_non_null(exact);
                        memcpy(exact + 1, bytes.at, len);
                        assert_int_equal(hot__frame_decode(exact + 1, len, &frame), -EPROTO);
                        free(exact);
                }
        }
}

static void test_a_field_cut_anywhere_is_refused(void **state)
{
        /* The cuts that leave a frame: without the last, optional fields; with fewer items. */
        static const unsigned int whole[HOT__TAKEN + 1] = {[HOT__HELLO] = 1,
                                                           [HOT__OFFER] = 2,
                                                           [HOT__REFUSE] = 1,
                                                           [HOT__GIVE] = 2,
                                                           [HOT__TAKEN] = 2};
        struct frame_bytes bytes;
        struct hot__frame frame;

        (void)state;
        /* The frame's length is right, what ends too early is inside of it. */
        for (size_t i = 0; i < N_RECORDED; i++) {
                unsigned int n = 0;

                read_recorded(recorded[i].file, &bytes);
                for (size_t len = bytes.len - 1; len >= 8; len--) {
                        bytes.at[4] = (uint8_t)(len - 8);
                        bytes.at[5] = (uint8_t)((len - 8) >> 8);
                        if (hot__frame_decode(bytes.at, len, &frame) < 0)
                                continue;
                        hot__frame_done(&frame);
                        n++;
                }
                assert_int_equal(n, whole[recorded[i].frame.type] +
                                            (recorded[i].frame.type == HOT__SERVING &&
                                             recorded[i].frame.room > 0));
        }
}

static void test_bytes_after_a_frame_are_refused(void **state)
{
        struct frame_bytes bytes;
        struct hot__frame frame;

        (void)state;
        for (size_t i = 0; i < N_RECORDED; i++) {
                read_recorded(recorded[i].file, &bytes);
                bytes.at[bytes.len] = 0;
                assert_int_equal(hot__frame_decode(bytes.at, bytes.len + 1, &frame), -EPROTO);
        }
}

static void test_a_buffer_too_small_is_refused(void **state)
{
        uint8_t buffer[HOT__FRAME_MAX];

        (void)state;
        for (size_t i = 0; i < N_RECORDED; i++) {
                ssize_t len = hot__frame_encode(&recorded[i].frame, buffer, sizeof(buffer));

                assert_true(len > 0);
                for (size_t size = 0; size < (size_t)len; size++) {
                        uint8_t *exact = malloc(size + 1);

                        assert_non_null(exact);
                        assert_int_equal(hot__frame_encode(&recorded[i].frame, exact + 1, size),
                                         -EMSGSIZE);
                        free(exact);
                }
                assert_int_equal(hot__frame_encode(&recorded[i].frame, buffer, (size_t)len), len);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_recorded_frames_are_still_understood),
                hot_test(test_recorded_frames_are_still_written),
                hot_test(test_every_frame_type_is_recorded),
                hot_test(test_a_frame_cut_anywhere_is_refused),
                hot_test(test_a_field_cut_anywhere_is_refused),
                hot_test(test_bytes_after_a_frame_are_refused),
                hot_test(test_a_buffer_too_small_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
