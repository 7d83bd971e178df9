/* SPDX-License-Identifier: MIT */
/*
 * What is kept and put, over real restarts. With an argument this program is a new generation, which does
 * what the argument names, and tells by its exit status whether it found what it should.
 */
#include "fdcheck.h"

#include <hotstart.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hot.h"

#define HANGS_AFTER 60  /* seconds, until the kernel ends a test that would hang */
#define MANY        600 /* more than two messages can carry */

#define CHECK(condition)                                                                \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        _exit(1);                                                       \
                }                                                                       \
        } while (0)

static const struct hot_event *await_event(struct hot *hot, int type)
{
        const struct hot_event *event = NULL;

        while (!event || event->type != type) {
                struct pollfd poll_fd = {.fd = hot_fd(hot), .events = POLLIN};

                event = hot_next(hot);
                if (!event)
                        poll(&poll_fd, 1, -1);
        }
        return event;
}

/* ---- as a new generation ---- */

static bool holds(struct hot *hot, const char *name, const char *text, uint32_t version)
{
        const void *bytes = NULL;
        uint32_t got_version = 0;
        size_t len = 0;

        return hot_get(hot, name, &bytes, &len, &got_version) == 0 && len == strlen(text) &&
               memcmp(bytes, text, len) == 0 && got_version == version;
}

static bool keeps(struct hot *hot, const char *name, const char *text)
{
        char got[64] = "";
        int fd = hot_kept(hot, name);

        return fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
               pread(fd, got, sizeof(got), 0) == (ssize_t)strlen(text) && strcmp(got, text) == 0;
}

static void serve(struct hot *hot)
{
        CHECK(hot_ready(hot) == 0);
        await_event(hot, HOT_SERVE);
        CHECK(hot_serving(hot) == 0);
}

/* Found when it starts, and what is new when it serves. */
static void take_snapshot_and_news(struct hot *hot)
{
        const void *early = NULL;
        size_t len = 0;

        CHECK(holds(hot, "sessions", "early", 1));
        CHECK(hot_get(hot, "sessions", &early, &len, NULL) == 0);
        CHECK(keeps(hot, "counter", "first"));
        CHECK(hot_get(hot, "nothing", NULL, NULL, NULL) == -ENOENT);
        CHECK(hot_get(hot, "empty", NULL, &len, NULL) == 0 && len == 0);
        CHECK(hot_kept(hot, "sessions") == -ENOENT);
        CHECK(hot_kept(hot, "late") == -ENOENT);
        CHECK(hot_ready(hot) == 0);
        await_event(hot, HOT_SERVE);
        CHECK(holds(hot, "sessions", "latest", 2));
        CHECK(memcmp(early, "early", 5) == 0); /* lent until it serves */
        CHECK(keeps(hot, "late", "late"));
        CHECK(keeps(hot, "counter", "second"));
        CHECK(hot_serving(hot) == 0);
        CHECK(hot_get(hot, "sessions", NULL, NULL, NULL) == -ENOENT);
        CHECK(keeps(hot, "counter", "second"));
}

/* One that asks for "asked" and nothing else, and restarts; and the one after it. */
static void pass_it_on(struct hot *hot)
{
        if (hot_generation(hot) == 3) {
                CHECK(keeps(hot, "asked", "asked"));
                CHECK(hot_kept(hot, "unasked") == -ENOENT);
                CHECK(hot_kept(hot, "dropped") == -ENOENT);
                CHECK(hot_get(hot, "state", NULL, NULL, NULL) == -ENOENT);
                CHECK(keeps(hot, "own", "own"));
                serve(hot);
                return;
        }
        CHECK(hot_kept(hot, "asked") >= 0 && hot_kept(hot, "dropped") >= 0);
        CHECK(holds(hot, "state", "state", 1));
        serve(hot);
        CHECK(hot_kept(hot, "unasked") == -ENOENT);
        CHECK(hot_drop(hot, "dropped") == 0 && hot_drop(hot, "dropped") == -ENOENT);
        int fd = memfd_create("own", MFD_CLOEXEC);
        CHECK(fd >= 0 && write(fd, "own", 3) == 3 && hot_keep(hot, "own", fd) == 0);
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        CHECK(hot_quiesced(hot) == 0);
        await_event(hot, HOT_DRAIN);
        await_event(hot, HOT_EXIT);
}

static void count_them(struct hot *hot)
{
        char name[16], text[16];

        for (int i = 0; i < MANY; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                snprintf(text, sizeof(text), "%d", i);
                CHECK(keeps(hot, name, text));
                CHECK(holds(hot, name, text, (uint32_t)i));
        }
        serve(hot);
}

static int be_new_generation(const char *what)
{
        const struct hot_options options = {.size = sizeof(options), .probation_ms = HOT_NONE};
        struct rlimit limit = {.rlim_cur = 16, .rlim_max = 16};
        struct hot *hot;
        int r;

        alarm(HANGS_AFTER);
        if (strcmp(what, "short") == 0)
                CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        r = hot_open(&hot, &options);
        if (strcmp(what, "short") == 0)
                CHECK(r == -ECHRNG);
        else
                CHECK(r == 0);
        if (strcmp(what, "take") == 0)
                take_snapshot_and_news(hot);
        else if (strcmp(what, "pass") == 0)
                pass_it_on(hot);
        else if (strcmp(what, "count") == 0)
                count_them(hot);
        else if (strcmp(what, "refuse") == 0)
                CHECK(hot_refuse(hot, EUCLEAN, "sessions of version 1") == 0);
        if (strcmp(what, "tight") == 0) {
                CHECK(hot_ready(hot) == 0);
                CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
                await_event(hot, HOT_EXIT); /* it is killed */
        }
        if (strcmp(what, "late") == 0) {
                CHECK(hot_ready(hot) == 0);
                await_event(hot, HOT_SERVE);
                CHECK(hot_refuse(hot, EPROTONOSUPPORT, "no sense in it") == 0);
                CHECK(hot_serving(hot) == -EINVAL);
                await_event(hot, HOT_EXIT); /* which never comes: it is killed */
        }
        if (strcmp(what, "refuse") == 0)
                await_event(hot, HOT_EXIT);
        hot_free(hot);
        return 0;
}

/* ---- as the old one ---- */

static char path[512];

static struct hot *open_old(const char *what)
{
        char argument[16], *argv[] = {path, argument, NULL};
        /* No probation: the new ones here end when they have seen what they wanted to see. */
        struct hot_options options = {
                .size = sizeof(options), .argv = argv, .program = path, .probation_ms = HOT_NONE};
        ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
        struct hot *hot;

        alarm(HANGS_AFTER);
        assert_true(len > 0);
        path[len] = 0;
        snprintf(argument, sizeof(argument), "%s", what);
        assert_int_equal(hot_open(&hot, &options), 0);
        assert_int_equal(hot_ready(hot), 0);
        await_event(hot, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
        return hot;
}

static void keep(struct hot *hot, const char *name, const char *text)
{
        int fd = memfd_create(name, MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(hot_keep(hot, name, fd), 0);
        close(fd);
}

static void put(struct hot *hot, const char *name, const char *text, uint32_t version)
{
        assert_int_equal(hot_put(hot, name, text, strlen(text), version), 0);
}

/* Up to the end of both generations, or of all that are left. */
static void finish(struct hot *hot)
{
        struct hot__process successor;
        struct pollfd ended = {.events = POLLIN};

        await_event(hot, HOT_QUIESCE);
        assert_int_equal(hot_quiesced(hot), 0);
        await_event(hot, HOT_DRAIN);
        assert_int_equal(hot__process_open(hot->successor_process.pid, &successor), 0);
        await_event(hot, HOT_EXIT);
        ended.fd = successor.pidfd;
        assert_int_equal(poll(&ended, 1, -1), 1);
        hot__process_done(&successor);
        hot_free(hot);
        alarm(0);
}

/* The status of our child is known to the library, which has it from the kernel, only until it is gone. */
static void expect_success(pid_t pid)
{
        int status = 0;

        if (waitpid(pid, &status, 0) == pid)
                assert_int_equal(status, 0);
}

static void test_state_travels_with_the_offer_and_what_changed_with_the_commit(void **state)
{
        struct hot *hot = open_old("take");
        pid_t successor;

        (void)state;
        hot_hold(hot);
        keep(hot, "counter", "first");
        hot_restart(hot);
        await_event(hot, HOT_SAVE);
        put(hot, "sessions", "earliest", 1);
        put(hot, "sessions", "early", 1);
        put(hot, "empty", "", 0);
        await_event(hot, HOT_QUIESCE);
        put(hot, "sessions", "latest", 2);
        keep(hot, "late", "late");
        keep(hot, "counter", "second");
        assert_int_equal(hot_quiesced(hot), 0);
        successor = await_event(hot, HOT_DRAIN)->pid;
        expect_success(successor);
        hot_release(hot);
        await_event(hot, HOT_EXIT);
        hot_free(hot);
        alarm(0);
}

static void test_what_was_asked_for_goes_on_and_nothing_else(void **state)
{
        struct hot *hot = open_old("pass");
        pid_t successor;

        (void)state;
        hot_hold(hot);
        keep(hot, "asked", "asked");
        keep(hot, "unasked", "unasked");
        keep(hot, "dropped", "dropped");
        put(hot, "state", "state", 1);
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        assert_int_equal(hot_quiesced(hot), 0);
        successor = await_event(hot, HOT_DRAIN)->pid;
        expect_success(successor);
        hot_release(hot);
        await_event(hot, HOT_EXIT);
        hot_free(hot);
        alarm(0);
}

static void test_more_than_a_message_can_carry(void **state)
{
        struct hot *hot = open_old("count");
        char name[16], text[16];
        struct rlimit before, wide;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        wide = before;
        wide.rlim_cur = wide.rlim_max;
        if (wide.rlim_max < 4 * MANY)
                skip();
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &wide), 0);
        for (int i = 0; i < MANY; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                snprintf(text, sizeof(text), "%d", i);
                keep(hot, name, text);
                put(hot, name, text, (uint32_t)i);
        }
        hot_restart(hot);
        finish(hot);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static const struct hot_failure *expect_refusal(struct hot *hot, int error, const char *words)
{
        const struct hot_failure *failure = await_event(hot, HOT_FAILED)->failure;
        char line[256];

        assert_int_equal(failure->reason, HOT_REASON_REFUSED);
        assert_int_equal(failure->error, error);
        hot_failure_string(failure, line, sizeof(line));
        assert_non_null(strstr(line, words));
        return failure;
}

static void test_a_refusal_rolls_back_with_its_words(void **state)
{
        struct hot *hot = open_old("refuse");

        (void)state;
        put(hot, "sessions", "x", 1);
        hot_restart(hot);
        expect_refusal(hot, EUCLEAN, "sessions of version 1");
        hot_free(hot);
        alarm(0);
}

/* After the old one has stopped accepting, which then begins again. */
static void test_the_last_moment_for_a_refusal_is_before_it_serves(void **state)
{
        struct hot *hot = open_old("late");

        (void)state;
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        put(hot, "sessions", "x", 1);
        assert_int_equal(hot_quiesced(hot), 0);
        await_event(hot, HOT_RESUME);
        assert_int_equal(hot_serving(hot), 0);
        expect_refusal(hot, EPROTONOSUPPORT, "no sense in it");
        hot_free(hot);
        alarm(0);
}

/* A receiver at its limit gets some of the descriptors: then none of it counts. */
static void test_lost_descriptors_are_a_refusal(void **state)
{
        struct hot *hot = open_old("short");
        char name[16];

        (void)state;
        for (int i = 0; i < 32; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                keep(hot, name, name);
        }
        hot_restart(hot);
        expect_refusal(hot, ECHRNG, "");
        hot_free(hot);
        alarm(0);
}

/* The same with what changed, when nobody accepts any more: the old one must not wait for its deadline. */
static void test_lost_descriptors_at_the_commit_are_a_refusal(void **state)
{
        struct hot *hot = open_old("tight");
        char name[16];

        (void)state;
        hot->options.serve_ms = 1000 * HANGS_AFTER;
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        for (int i = 0; i < 32; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                keep(hot, name, name);
        }
        assert_int_equal(hot_quiesced(hot), 0);
        await_event(hot, HOT_RESUME);
        assert_int_equal(hot_serving(hot), 0);
        expect_refusal(hot, ECHRNG, "what changed since the offer");
        hot_free(hot);
        alarm(0);
}

/* What was told to one that did not come is told to the next one again. */
static void test_a_roll_back_changes_nothing(void **state)
{
        struct hot *hot = open_old("refuse");

        (void)state;
        keep(hot, "counter", "first");
        put(hot, "sessions", "early", 1);
        put(hot, "empty", "", 0);
        hot_restart(hot);
        expect_refusal(hot, EUCLEAN, "");
        strcpy(hot->program.argv[1], "take");
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        put(hot, "sessions", "latest", 2);
        keep(hot, "late", "late");
        keep(hot, "counter", "second");
        hot_hold(hot);
        assert_int_equal(hot_quiesced(hot), 0);
        expect_success(await_event(hot, HOT_DRAIN)->pid);
        hot_free(hot);
        alarm(0);
}

static void test_what_is_not_sealed_is_not_read(void **state)
{
        struct hot *hot = open_old("take");
        struct hot__item item = {.kind = HOT__ITEM_STATE, .name = "hostile"};
        int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        (void)state;
        assert_int_equal(ftruncate(fd, 4096), 0);
        assert_int_equal(hot__state_take(hot, &item, fd), 0);
        assert_int_equal(hot_get(hot, "hostile", NULL, NULL, NULL), -EPERM);
        assert_int_equal(hot__state_take(hot, &item, -EBADF), -EPROTO);
        hot_free(hot);
        alarm(0);
}

static void test_arguments(void **state)
{
        struct hot *hot = open_old("take");
        char long_name[257];

        (void)state;
        memset(long_name, 'n', 256);
        long_name[256] = 0;
        assert_int_equal(hot_keep(hot, "", 0), -EINVAL);
        assert_int_equal(hot_keep(hot, "a:b", 0), -EINVAL);
        assert_int_equal(hot_keep(hot, long_name, 0), -EINVAL);
        assert_int_equal(hot_keep(hot, NULL, 0), -EINVAL);
        assert_int_equal(hot_keep(NULL, "a", 0), -EINVAL);
        assert_int_equal(hot_keep(hot, "a", -1), -EBADF);
        assert_int_equal(hot_kept(hot, "a"), -ENOENT);
        assert_int_equal(hot_kept(hot, "\n"), -EINVAL);
        assert_int_equal(hot_put(hot, "a", NULL, 1, 0), -EINVAL);
        assert_int_equal(hot_put(NULL, "a", "", 0, 0), -EINVAL);
        assert_int_equal(hot_put(hot, "a", NULL, 0, 0), 0);
        assert_int_equal(hot_get(hot, "a", NULL, NULL, NULL), -ENOENT); /* it is for the next one */
        assert_int_equal(hot_get(hot, NULL, NULL, NULL, NULL), -EINVAL);
        assert_int_equal(hot_drop(hot, "a"), 0);
        assert_int_equal(hot_drop(hot, "a"), -ENOENT);
        assert_int_equal(hot_drop(hot, ""), -EINVAL);
        assert_int_equal(hot_refuse(hot, EINVAL, ""), -EINVAL); /* it serves */
        assert_int_equal(hot_refuse(NULL, EINVAL, ""), -EINVAL);
        hot_free(hot);

        assert_int_equal(hot_open(&hot, NULL), 0);
        assert_int_equal(hot_refuse(hot, 0, "no error"), -EINVAL);
        assert_int_equal(hot_refuse(hot, EINVAL, NULL), -ENOTCONN); /* there is nobody to refuse */
        hot_free(hot);
        alarm(0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_state_travels_with_the_offer_and_what_changed_with_the_commit),
                hot_test(test_what_was_asked_for_goes_on_and_nothing_else),
                hot_test(test_more_than_a_message_can_carry),
                hot_test(test_a_refusal_rolls_back_with_its_words),
                hot_test(test_the_last_moment_for_a_refusal_is_before_it_serves),
                hot_test(test_lost_descriptors_are_a_refusal),
                hot_test(test_lost_descriptors_at_the_commit_are_a_refusal),
                hot_test(test_a_roll_back_changes_nothing),
                hot_test(test_what_is_not_sealed_is_not_read),
                hot_test(test_arguments),
        };

        if (argc > 1)
                return be_new_generation(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
