/* SPDX-License-Identifier: MIT */
/*
 * Numbered messages: what comes back is known to the last byte. And the handshake before them.
 */
#include "fdcheck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "outbox.h"
#include "upgrade.h"

static char text[HOT__MESSAGE_MAX];

static void test_a_message_is_known_by_its_number(void **state)
{
        const struct hot__message own = {.client = 3, .size = 64},
                                  other = {.client = 4, .size = 64};
        size_t length = hot__message_print(&own, 17, text, sizeof(text));
        bool right = false;

        (void)state;
        assert_int_equal(hot__message_parse(&own, text, length, &right), 17);
        assert_true(right);
        assert_int_equal(hot__message_parse(&other, text, length, &right), 0);
        assert_int_equal(hot__message_parse(&own, text, length - 1, &right), 17);
        assert_false(right);
        text[length - 1] = '?';
        assert_int_equal(hot__message_parse(&own, text, length, &right), 17);
        assert_false(right);
        assert_int_equal(hot__message_parse(&own, "welcome", 7, &right), 0);
        assert_int_equal(hot__message_parse(&own, "", 0, &right), 0);
}

static void test_messages_are_text_of_their_size(void **state)
{
        const struct hot__message large = {.client = 1, .size = HOT__MESSAGE_SIZE_MAX};
        size_t length = hot__message_print(&large, UINT64_MAX, text, sizeof(text));

        (void)state;
        assert_true(length <= sizeof(text));
        for (size_t i = 0; i < length; i++)
                assert_true(text[i] >= ' ' && text[i] <= '~');
}

/* @head: with a "@" where what the server is to answer belongs. */
static ssize_t answer(const char *head, size_t piece, int *ret_status, bool *ret_complete)
{
        struct hot__upgrade upgrade;
        struct hot__outbox outbox = {0};
        unsigned short random[3] = {1, 2, 3};
        char whole[1024];
        size_t length;
        ssize_t r = 0;

        assert_int_equal(hot__upgrade_ask(&upgrade, "/ws", "host", random, &outbox), 0);
        hot__outbox_done(&outbox);
        length = strcspn(head, "@");
        length = (size_t)snprintf(whole, sizeof(whole), "%.*s%s%s", (int)length, head,
                                  head[length] ? upgrade.accept : "",
                                  head[length] ? head + length + 1 : "");
        for (size_t at = 0; at < length && r >= 0 && !upgrade.complete; at += piece)
                r = hot__upgrade_feed(&upgrade, whole + at,
                                      length - at < piece ? length - at : piece);
        *ret_status = upgrade.status;
        *ret_complete = upgrade.complete;
        return r;
}

static void test_the_answer_to_the_handshake(void **state)
{
        static const struct {
                const char *head;
                int status;
                ssize_t expected; /* whole: the bytes used */
        } rows[] = {
                {"HTTP/1.1 101 Yes\r\nsec-websocket-accept:  @\r\n\r\nXX", 101, 0},
                {"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: x@\r\n\r\n", 101, -EPROTO},
                {"HTTP/1.1 101 Yes\r\n\r\n", 101, -EPROTO},
                {"HTTP/1.1 404 No\r\n\r\n", 404, -EACCES},
                {"SSH-2.0\r\n\r\n", 0, -EPROTO},
        };
        bool complete;
        int status;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                for (size_t piece = 1; piece < 200; piece++) {
                        ssize_t r = answer(rows[i].head, piece, &status, &complete);

                        assert_true(complete);
                        assert_int_equal(status, rows[i].status);
                        if (rows[i].expected < 0)
                                assert_int_equal(r, rows[i].expected);
                        else
                                assert_true(r > 0 && r <= (ssize_t)piece);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_message_is_known_by_its_number),
                hot_test(test_messages_are_text_of_their_size),
                hot_test(test_the_answer_to_the_handshake),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
