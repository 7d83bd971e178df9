/* SPDX-License-Identifier: MIT */
/*
 * Which bodies are wrong: histories, written as letters. Each letter is ten answers with that body over a tenth of
 * a second, on new connections; a capital is the same on kept ones. A bar is a restart, whose new generation
 * answers from there on.
 */
#include "fdcheck.h"

#include <ctype.h>
#include <string.h>

#include "bodies.h"

#define MS UINT64_C(1000000)

/* The bodies that are wrong, in the order in which they came first. */
static const char *wrong(const char *history)
{
        static char found[BODIES_MAX + 1];
        struct bodies bodies = {0};
        size_t restarts = 0, n = 0;
        uint64_t now = 1000 * MS;

        for (const char *p = history; *p; p++) {
                if (*p == '|') {
                        restarts++;
                        continue;
                }
                for (int i = 0; i < 10; i++) {
                        const struct bodies_moment moment = {
                                .end = now,
                                .restart = restarts > 0 ? restarts - 1 : SIZE_MAX,
                        };

                        assert_int_equal(bodies_note(&bodies, (uint64_t)tolower(*p), 1, restarts,
                                                     islower(*p) != 0, &moment),
                                         0);
                        now += 10 * MS;
                }
        }
        bodies_finish(&bodies);
        for (size_t i = 0; i < bodies.n; i++)
                if (bodies_is_wrong(&bodies, i))
                        found[n++] = (char)bodies.list[i].hash;
        found[n] = '\0';
        bodies_done(&bodies);
        return found;
}

static void test_histories(void **state)
{
        static const struct {
                const char *what, *history, *expected;
        } rows[] = {
                {"always the same", "aaaaa|aaaaa|aaaaa", ""},
                {"wrong for a while after each restart", "aaaaa|xaaaaa|xaaaaa", "x"},
                {"wrong for a while after the only restart", "aaaaa|xaaaaa", "x"},
                {"two wrong ones", "aaaaa|xaaaaaa|ayaaaaaa", "xy"},
                {"wrong in the middle", "aaaaa|aaxaaaa|aaaaa", "x"},
                {"a generation that is wrong as a whole", "aaaaa|xxxxx|aaaaa|aaaaa", "x"},
                {"each other generation is wrong", "aaaaa|xxxxx|aaaaa|xxxxx|aaaaa", "x"},
                {"a pid in it", "aaaaa|bbbbb|ccccc|ddddd", ""},
                {"a pid in it, and one restart", "aaaaa|bbbbb", ""},
                {"the old one goes on answering a little", "aaaaa|bbabbbb|ccbcccc", ""},
                {"kept connections stay with the old one", "aaaaa|AAbAAbAAbAA|AAcAAcAA", ""},
                {"wrong on kept connections", "aaaaa|XXaaaaa|aaaaa", "x"},
                {"a new release for good", "aaaaa|bbbbb|bbbbb|bbbbb", ""},
                {"a new release in the end", "aaaaa|aaaaa|aaaaa|bbbbb", ""},
                {"a clock that moves on", "aaaaa|aaaaa|aabbb|bbbbb", ""},
                {"more than one from the start", "ababab|ababab|xababab", ""},
                {"nothing before the first restart", "|aaaaa|xaaaaa|aaaaa", ""},
                {"nothing at all", "", ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                if (strcmp(wrong(rows[i].history), rows[i].expected) != 0)
                        fail_msg("%s: %s", rows[i].what, wrong(rows[i].history));
}

static void test_more_bodies_than_there_is_room_for_share_the_last_place(void **state)
{
        struct bodies bodies = {0};
        uint64_t count = 0;

        (void)state;
        for (uint64_t i = 0; i < 1000; i++) {
                const struct bodies_moment moment = {.end = i * 10 * MS,
                                                     .restart = i < 10 ? SIZE_MAX : i / 100};
                bool odd = i >= 10 && i % 5 == 0;

                assert_int_equal(bodies_note(&bodies, odd ? i : 0, 1, i < 10 ? 0 : 1 + i / 100,
                                             true, &moment),
                                 0);
        }
        bodies_finish(&bodies);
        assert_int_equal(bodies.n, BODIES_MAX);
        for (size_t i = 1; i < bodies.n; i++) {
                assert_true(bodies_is_wrong(&bodies, i));
                count += bodies.list[i].counts[0];
        }
        assert_int_equal(count, 198);
        bodies_done(&bodies);
}

static void test_length_tells_bodies_apart(void **state)
{
        struct bodies bodies = {0};

        (void)state;
        for (uint64_t i = 0; i < 200; i++) {
                const struct bodies_moment moment = {.end = i * 10 * MS,
                                                     .restart = i < 10 ? SIZE_MAX : 0};

                assert_int_equal(
                        bodies_note(&bodies, 7, i == 50 ? 2 : 1, i < 10 ? 0 : 1, true, &moment), 0);
        }
        bodies_finish(&bodies);
        assert_true(bodies_is_wrong(&bodies, 1));
        assert_false(bodies_is_wrong(&bodies, 0));
        assert_int_equal(bodies.list[1].moments[0].restart, 0);
        bodies_done(&bodies);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_histories),
                hot_test(test_more_bodies_than_there_is_room_for_share_the_last_place),
                hot_test(test_length_tells_bodies_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
