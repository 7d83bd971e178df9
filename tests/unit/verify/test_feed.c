/* SPDX-License-Identifier: MIT */
/*
 * Streams of events: which events there are, however the bytes are cut.
 */
#include "fdcheck.h"

#include <stdio.h>
#include <string.h>

#include "feed.h"

static char seen[256];

static void on_event(void *data, bool has_id, uint64_t id)
{
        size_t used = strlen(seen);

        assert_ptr_equal(data, seen);
        snprintf(seen + used, sizeof(seen) - used, has_id ? "%llu;" : "-;", (unsigned long long)id);
}

static void feed_in_pieces(const char *text, size_t piece, bool *ret_inside)
{
        struct hot__feed feed = {.event = on_event, .data = seen};
        size_t length = strlen(text);

        seen[0] = '\0';
        for (size_t at = 0; at < length; at += piece)
                hot__feed_take(&feed, text + at, length - at < piece ? length - at : piece);
        *ret_inside = hot__feed_is_inside(&feed);
}

static void test_events(void **state)
{
        static const struct {
                const char *text, *expected;
                bool inside;
        } rows[] = {
                {"id: 1\ndata: a\n\n", "1;", false},
                {"data: a\nid:2\n\nid: 3\n\n", "2;3;", false},
                {"data: a\r\nid: 4\r\n\r\n", "4;", false},
                {"data: a\rid: 5\r\r", "5;", false},
                {"data: a\n\n", "-;", false},
                {"id: x\n\n", "-;", false},
                {"id: 18446744073709551615\n\n", "18446744073709551615;", false},
                {"id: 18446744073709551616\n\n", "-;", false},
                {": comment\n\n:\n\n", "", false},
                {"\n\n\n", "", false},
                {"id: 1\n\n: x\n\nid: 2\n\n", "1;2;", false},
                {"identity: 7\n\n", "-;", false},
                {"id: 1\ndata: a\n", "", true},
                {"id: 1\n\nid: 2", "1;", true},
                {"data: 0123456789012345678901234567890123456789012345678901234567890123456789\n"
                 "id: 6\n\n",
                 "6;", false},
        };
        bool inside;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                for (size_t piece = 1; piece <= 80; piece++) {
                        feed_in_pieces(rows[i].text, piece, &inside);
                        if (strcmp(seen, rows[i].expected) != 0 || inside != rows[i].inside)
                                fail_msg("row %zu in pieces of %zu: %s", i, piece, seen);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {hot_test(test_events)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
