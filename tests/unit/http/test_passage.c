/* SPDX-License-Identifier: MIT */
#include "passage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "crate.h"
#include "fdcheck.h"
#include "move.h"

enum { FRESH = 1, IDLE = 2, HEAD = 3 };

static struct hot__passage passage_of(uint8_t phase, const char *input)
{
        struct hot__buffers none = {0};
        struct hot__passage passage = {
                .kind = &hot__move_http,
                .fd = -EBADF,
                .bill = {.phase = phase, .since = 17, .peer = {.family = AF_UNIX}},
        };

        if (input) {
                passage.input = hot__buffer_new(&none, strlen(input));
                assert_non_null(passage.input);
                memcpy(passage.input->data, input, strlen(input));
                passage.input->end = strlen(input);
        }
        return passage;
}

static void test_what_is_described_is_read_again(void **state)
{
        struct hot__passage passage = passage_of(HEAD, "xGET / HT"), again;
        struct hot__bytes scratch = {0};
        struct hot_connection connection;

        (void)state;
        passage.input->start = 1; /* what was looked at stays behind */
        assert_int_equal(hot__passage_describe(&passage, &scratch, &connection), 0);
        assert_string_equal(connection.kind, "http/1.1");
        assert_int_equal(connection.flags, 0);
        assert_int_equal(hot__passage_read(&again, &connection), 0);
        assert_ptr_equal(again.kind, &hot__move_http);
        assert_true(again.bill.since == 17 && again.bill.phase == HEAD);
        assert_int_equal(again.input->end - again.input->start, 8);
        assert_memory_equal(again.input->data + again.input->start, "GET / HT", 8);
        hot__passage_done(&passage);
        hot__passage_done(&again);
        hot__bytes_done(&scratch);
}

/* Its giver takes it back if the receiver dies: only without input, which nobody could tell from touched. */
static void test_what_has_no_input_can_be_resumed(void **state)
{
        struct hot__passage passage = passage_of(IDLE, NULL);
        struct hot__bytes scratch = {0};
        struct hot_connection connection;

        (void)state;
        assert_int_equal(hot__passage_describe(&passage, &scratch, &connection), 0);
        assert_int_equal(connection.flags, HOT_RESUMABLE);
        hot__bytes_done(&scratch);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
        static const struct {
                uint8_t phase;
                const char *input, *kind;
                uint32_t version;
                size_t cut, output_len;
                int result;
        } table[] = {
                {FRESH, NULL, "http/1.1", 1, 0, 0, 0},
                {IDLE, NULL, "http/1.1", 1, 0, 0, 0},
                {HEAD, "G", "http/1.1", 1, 0, 0, 0},
                {FRESH, "G", "http/1.1", 1, 0, 0, -EPROTO},
                {IDLE, "G", "http/1.1", 1, 0, 0, -EPROTO},
                {HEAD, NULL, "http/1.1", 1, 0, 0, -EPROTO},
                {0, NULL, "http/1.1", 1, 0, 0, -EPROTO},
                {99, NULL, "http/1.1", 1, 0, 0, -EPROTO},
                {IDLE, NULL, "http/9", 1, 0, 0, -EPROTONOSUPPORT},
                {IDLE, NULL, "", 1, 0, 0, -EPROTONOSUPPORT},
                {IDLE, NULL, "http/1.1", 2, 0, 0, -EPROTONOSUPPORT},
                {IDLE, NULL, "http/1.1", 1, 1, 0, -EPROTO},
                {IDLE, NULL, "http/1.1", 1, HOT__WAYBILL_SIZE, 0, -EPROTO},
                {IDLE, NULL, "http/1.1", 1, 0, 1, -EPROTO},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct hot__passage passage = passage_of(table[i].phase, table[i].input), again;
                struct hot__bytes scratch = {0};
                struct hot_connection connection;

                assert_int_equal(hot__passage_describe(&passage, &scratch, &connection), 0);
                connection.kind = table[i].kind;
                connection.version = table[i].version;
                connection.state_len -= table[i].cut;
                connection.output = "x";
                connection.output_len = table[i].output_len;
                assert_int_equal(hot__passage_read(&again, &connection), table[i].result);
                if (table[i].result == 0)
                        hot__passage_done(&again);
                hot__passage_done(&passage);
                hot__bytes_done(&scratch);
        }
}

static void test_state_that_nobody_asked_for_is_refused(void **state)
{
        struct hot__passage passage = passage_of(IDLE, NULL), again;
        struct hot__bytes scratch = {0};
        struct hot_connection connection;

        (void)state;
        hot__bytes_append(&passage.state, "more", 4);
        assert_int_equal(hot__passage_describe(&passage, &scratch, &connection), 0);
        assert_int_equal(connection.state_len, HOT__WAYBILL_SIZE + 4);
        assert_int_equal(hot__passage_read(&again, &connection), -EPROTO);
        hot__passage_done(&passage);
        hot__bytes_done(&scratch);
}

static void test_passage_that_ends_is_closed(void **state)
{
        struct hot__passage passage = passage_of(HEAD, "GET");
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)state;
        passage.fd = fd;
        hot__passage_done(&passage);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        assert_null(passage.input);
        assert_int_equal(passage.fd, -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_is_described_is_read_again),
                hot_test(test_what_has_no_input_can_be_resumed),
                hot_test(test_what_makes_no_sense_is_refused),
                hot_test(test_state_that_nobody_asked_for_is_refused),
                hot_test(test_passage_that_ends_is_closed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
