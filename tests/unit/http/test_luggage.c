/* SPDX-License-Identifier: MIT */
#include "luggage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

static const struct hot__luggage full = {
        .head = "GET / HTTP/1.1\r\n\r\n",
        .head_len = 18,
        .state = "\0\1\2",
        .state_len = 3,
        .trailers = "A: b\r\n",
        .trailers_len = 6,
        .id = "x-1",
        .id_len = 3,
        .version = 7,
        .flags = 3,
        .status = 200,
        .sent = UINT64_MAX,
        .remaining = 0,
        .began = 1,
};

static void assert_same(const struct hot__luggage *a, const struct hot__luggage *b)
{
        assert_int_equal(a->head_len, b->head_len);
        assert_memory_equal(a->head, b->head, a->head_len);
        assert_int_equal(a->state_len, b->state_len);
        assert_memory_equal(a->state, b->state, a->state_len);
        assert_int_equal(a->trailers_len, b->trailers_len);
        assert_memory_equal(a->trailers, b->trailers, a->trailers_len);
        assert_int_equal(a->id_len, b->id_len);
        assert_memory_equal(a->id, b->id, a->id_len);
        assert_true(a->version == b->version && a->flags == b->flags && a->status == b->status &&
                    a->sent == b->sent && a->remaining == b->remaining && a->began == b->began);
}

static void test_what_is_packed_is_unpacked(void **state)
{
        struct hot__bytes bytes = {0};
        struct hot__luggage again;

        (void)state;
        assert_int_equal(hot__luggage_pack(&full, &bytes), 0);
        assert_int_equal(hot__luggage_unpack(&again, bytes.data, bytes.len), 0);
        assert_same(&full, &again);
        hot__bytes_done(&bytes);
}

static void test_nothing_is_nothing(void **state)
{
        const struct hot__luggage none = {.remaining = -1};
        struct hot__bytes bytes = {0};
        struct hot__luggage again;

        (void)state;
        assert_int_equal(hot__luggage_pack(&none, &bytes), 0);
        assert_int_equal(bytes.len, 0);
        assert_int_equal(hot__luggage_unpack(&again, NULL, 0), 0);
        assert_int_equal(again.remaining, -1);
        assert_null(again.head);
}

static void test_an_item_of_a_later_release_is_left_out(void **state)
{
        static const char later[] = "\x40\x01\0\0\2\0\0\0xy";
        struct hot__bytes bytes = {0};
        struct hot__luggage again;

        (void)state;
        hot__bytes_append(&bytes, later, sizeof(later) - 1);
        assert_int_equal(hot__luggage_pack(&full, &bytes), 0);
        hot__bytes_append(&bytes, later, sizeof(later) - 1);
        assert_int_equal(hot__luggage_unpack(&again, bytes.data, bytes.len), 0);
        assert_same(&full, &again);
        hot__bytes_done(&bytes);
}

/* Cut anywhere it is refused, or, cut between two items, fewer of them. */
static void test_a_part_of_it_is_refused(void **state)
{
        struct hot__bytes bytes = {0};
        struct hot__luggage again = {.flags = 99};
        int sound = 0;

        (void)state;
        assert_int_equal(hot__luggage_pack(&full, &bytes), 0);
        for (size_t len = 0; len < bytes.len; len++) {
                char *copy = malloc(len ? len : 1);
                int r;

                memcpy(copy, bytes.data, len);
                r = hot__luggage_unpack(&again, copy, len);
                assert_true(r == 0 || r == -EPROTO);
                sound += r == 0;
                free(copy);
        }
        assert_int_equal(sound, 10);
        hot__bytes_done(&bytes);
}

static void test_wrong_numbers_are_refused(void **state)
{
        static const char *const wrong[] = {
                "\6\0\0\0\4\0\0\0abcd",                               /* flags of 4 bytes */
                "\11\0\0\0\10\0\0\0\377\377\377\377\377\377\377\377", /* less than nothing */
                "\1\0\0\0\xff\xff\xff\xff",
        };
        static const size_t lens[] = {12, 16, 8};
        struct hot__luggage again = {.flags = 99};

        (void)state;
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(hot__luggage_unpack(&again, wrong[i], lens[i]), -EPROTO);
        assert_int_equal(again.flags, 99);
}

/* -- a host's callback -- */

static size_t wanted, calls;

static ssize_t save(void *about, void *buffer, size_t size)
{
        calls++;
        if (about)
                return *(ssize_t *)about;
        if (wanted <= size)
                memset(buffer, 'x', wanted);
        return (ssize_t)wanted;
}

static void test_a_host_may_need_more_room(void **state)
{
        static const size_t sizes[] = {0, 1, 1024, 1025, 100000, 16 << 20};

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct hot__bytes bytes = {0};

                wanted = sizes[i];
                calls = 0;
                assert_int_equal(hot__luggage_save(save, NULL, &bytes), 0);
                assert_int_equal(bytes.len, wanted);
                assert_int_equal(calls, wanted > 1024 ? 2 : 1);
                assert_true(wanted == 0 || bytes.data[wanted - 1] == 'x');
                hot__bytes_done(&bytes);
        }
}

static ssize_t grow(void *about, void *buffer, size_t size)
{
        (void)about, (void)buffer;
        return (ssize_t)size + 1;
}

static void test_a_host_may_refuse_and_has_bounds(void **state)
{
        struct hot__bytes bytes = {0};
        ssize_t refusal = -EBUSY;

        (void)state;
        assert_int_equal(hot__luggage_save(save, &refusal, &bytes), -EBUSY);
        assert_int_equal(hot__luggage_save(grow, NULL, &bytes), -E2BIG);
        wanted = (16 << 20) + 1;
        assert_int_equal(hot__luggage_save(save, NULL, &bytes), -E2BIG);
        assert_int_equal(bytes.len, 0);
        hot__bytes_done(&bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_is_packed_is_unpacked),
                hot_test(test_nothing_is_nothing),
                hot_test(test_an_item_of_a_later_release_is_left_out),
                hot_test(test_a_part_of_it_is_refused),
                hot_test(test_wrong_numbers_are_refused),
                hot_test(test_a_host_may_need_more_room),
                hot_test(test_a_host_may_refuse_and_has_bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
