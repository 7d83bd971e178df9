/* SPDX-License-Identifier: MIT */
/*
 * Profiles: their text, and the requests that they make.
 */
#include "fdcheck.h"
#include "profile.h"

#include <errno.h>
#include <string.h>

static const uint64_t ms = 1000000;

static struct hot__profile parse(const char *text)
{
        struct hot__profile profile;

        if (hot__profile_parse(text, &profile) < 0)
                fail_msg("refused: %s", text);
        return profile;
}

static void test_a_name_alone_has_its_defaults(void **state)
{
        struct hot__profile profile = parse("new");

        (void)state;
        assert_false(profile.keep_alive);
        assert_int_equal(profile.clients, 1);
        assert_int_equal(profile.depth, 1);
        assert_int_equal(profile.status, 200);
        assert_int_equal(profile.requests, 0);
        assert_int_equal(profile.timeout, 30000 * ms);
        assert_string_equal(profile.path, "/test");
        assert_int_equal(parse("slow").timeout, 60000 * ms);
        assert_int_equal(parse("pipelined").depth, 4);
        assert_int_equal(parse("think").think_highest, 100 * ms);
        assert_string_equal(parse("download").path, "/blob?bytes=1048576");
}

static void test_keys_change_their_numbers(void **state)
{
        struct hot__profile profile =
                parse("upload:clients=7,path=/e,bytes=100,piece=3,every=20,timeout=50,connect=60,"
                      "status=201,requests=9,think=5-6");

        (void)state;
        assert_int_equal(profile.clients, 7);
        assert_string_equal(profile.path, "/e");
        assert_int_equal(profile.bytes, 100);
        assert_int_equal(profile.piece, 3);
        assert_int_equal(profile.every, 20 * ms);
        assert_int_equal(profile.timeout, 50 * ms);
        assert_int_equal(profile.connect_timeout, 60 * ms);
        assert_int_equal(profile.status, 201);
        assert_int_equal(profile.requests, 9);
        assert_int_equal(profile.think_lowest, 5 * ms);
        assert_int_equal(profile.think_highest, 6 * ms);
        assert_int_equal(parse("think:think=8").think_lowest, 8 * ms);
        assert_int_equal(parse("pipelined:depth=16").depth, 16);
        assert_string_equal(parse("busy:expect=a=b c").expect, "a=b c");
        assert_string_equal(parse("download:path=/x?n=1,bytes=5").path, "/x?n=1");
}

static void test_what_makes_no_sense_is_refused(void **state)
{
        static const char *const texts[] = {
                "",
                "nosuch",
                "new:",
                "new:clients",
                "new:clients=",
                "new:clients=0",
                "new:clients=-1",
                "new:clients=1x",
                "new:clients= 1",
                "new:clients=99999999999999999999999",
                "new:nosuch=1",
                "new:path=test",
                "new:path=/a b",
                "new:path=/a\r\nX: y",
                "new:depth=2",
                "upload:depth=2",
                "new:bytes=5",
                "busy:piece=5",
                "pipelined:depth=17",
                "think:think=5-4",
                "think:think=-",
                "new:status=100",
                "upload:piece=0",
                "new:clients=1,,path=/",
        };
        struct hot__profile profile, before;

        (void)state;
        memset(&profile, 0x55, sizeof(profile));
        before = profile;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                if (hot__profile_parse(texts[i], &profile) != -EINVAL)
                        fail_msg("not refused: %s", texts[i]);
                assert_memory_equal(&profile, &before, sizeof(profile));
        }
}

static void test_requests_are_what_the_profile_says(void **state)
{
        struct hot__profile profile = parse("new:path=/x");
        char head[512];
        int length;

        (void)state;
        length = hot__profile_head(&profile, "h:1", head, sizeof(head));
        assert_int_equal(length, strlen(head));
        assert_string_equal(head, "GET /x HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n");
        profile = parse("busy");
        hot__profile_head(&profile, "h", head, sizeof(head));
        assert_string_equal(head, "GET /test HTTP/1.1\r\nHost: h\r\n\r\n");
        profile = parse("upload:bytes=12");
        hot__profile_head(&profile, "h", head, sizeof(head));
        assert_string_equal(head, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
        assert_int_equal(hot__profile_head(&profile, "h", head, 20), -ENOSPC);
}

static void test_a_batch_is_its_request_several_times(void **state)
{
        struct hot__profile profile = parse("pipelined:depth=3,path=/");
        const char *one = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        char head[512];
        int length;

        (void)state;
        length = hot__profile_head(&profile, "h", head, sizeof(head));
        assert_int_equal(length, strlen(one));
        for (int i = 0; i < 3; i++)
                assert_memory_equal(head + i * length, one, (size_t)length);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_name_alone_has_its_defaults),
                hot_test(test_keys_change_their_numbers),
                hot_test(test_what_makes_no_sense_is_refused),
                hot_test(test_requests_are_what_the_profile_says),
                hot_test(test_a_batch_is_its_request_several_times),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
