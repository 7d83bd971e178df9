/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <string.h>

#include "fdcheck.h"

static void test_buffer_is_used_again(void **state)
{
        struct hot__buffers spare = {0};
        struct hot__buffer *first = hot__buffer_new(&spare, 0), *second;

        (void)state;
        first->start = 5;
        first->end = 7;
        hot__buffer_free(&spare, first);
        assert_int_equal(spare.n, 1);
        second = hot__buffer_new(&spare, 100);
        assert_ptr_equal(second, first);
        assert_int_equal(second->start, 0);
        assert_int_equal(second->end, 0);
        hot__buffer_free(&spare, second);
        hot__buffer_free(&spare, NULL);
        hot__buffers_done(&spare);
}

static void test_buffer_of_another_size_is_not_kept(void **state)
{
        struct hot__buffers spare = {0};
        struct hot__buffer *large = hot__buffer_new(&spare, HOT__BUFFER_SIZE + 1);

        (void)state;
        assert_int_equal(large->size, HOT__BUFFER_SIZE + 1);
        hot__buffer_free(&spare, large);
        assert_int_equal(spare.n, 0);
}

static void test_buffer_makes_room_at_the_front_before_it_grows(void **state)
{
        struct hot__buffers spare = {0};
        struct hot__buffer *buffer = hot__buffer_new(&spare, 0);

        (void)state;
        for (size_t i = 0; i < buffer->size; i++)
                buffer->data[i] = (char)i;
        buffer->end = buffer->size;
        buffer->start = 100;
        assert_int_equal(hot__buffer_room(&buffer, HOT__BUFFER_SIZE), 100);
        assert_int_equal(buffer->data[0], 100);
        assert_int_equal(buffer->size, HOT__BUFFER_SIZE);

        buffer->end = buffer->size;
        assert_int_equal(hot__buffer_room(&buffer, HOT__BUFFER_SIZE), 0);
        assert_int_equal(hot__buffer_room(&buffer, HOT__BUFFER_SIZE + 1), HOT__BUFFER_SIZE);
        assert_int_equal(buffer->data[0], 100);
        hot__buffer_free(NULL, buffer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_buffer_is_used_again),
                hot_test(test_buffer_of_another_size_is_not_kept),
                hot_test(test_buffer_makes_room_at_the_front_before_it_grows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
