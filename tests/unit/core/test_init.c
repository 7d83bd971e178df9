/* SPDX-License-Identifier: MIT */
/*
 * Whom a signal goes to, and with whose status the process that stays ends.
 */
#include "staying.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>

/* ---- status ---- */

static int exits_with_7(void)
{
        return 7;
}

static int kills_itself(void)
{
        raise(SIGKILL);
        return 0;
}

static void test_it_ends_with_the_status_of_the_one_that_served(void **state)
{
        (void)state;
        assert_int_equal(finish(start(exits_with_7)), 7);
        assert_int_equal(finish(start(kills_itself)), 128 + SIGKILL);
}

/* A successor that serves and ends with 42 on SIGTERM; the predecessor's last will is done before. */
static pid_t start_successor(void)
{
        pid_t pid;

        block(SIGTERM);
        pid = fork();
        if (pid == 0) {
                hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
                say(getpid());
                await_signal(SIGTERM);
                _exit(42);
        }
        return pid;
}

static int leaves_a_successor(void)
{
        hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
        start_successor();
        return 3;
}

static void test_a_signal_goes_to_the_one_that_serves(void **state)
{
        pid_t init = start(leaves_a_successor);

        (void)state;
        assert_true(hear() > 0);
        assert_int_equal(kill(init, SIGTERM), 0);
        assert_int_equal(finish(init), 42);
}

static int outlives_a_successor(void)
{
        pid_t successor = start_successor();
        int status;

        waitpid(successor, &status, 0);
        hot__init_tell(&own, HOT__INIT_ENDED, successor, status);
        return 3;
}

/* The old generation is the parent of the new one, and reaps it if it ends first. */
static void test_a_status_is_known_from_hearsay(void **state)
{
        pid_t init = start(outlives_a_successor);

        (void)state;
        assert_true(hear() > 0);
        assert_int_equal(kill(init, SIGTERM), 0);
        assert_int_equal(finish(init), 42);
}

static int resumes(void)
{
        pid_t successor = start_successor();

        kill(successor, SIGKILL);
        waitpid(successor, NULL, 0);
        hot__init_tell(&own, HOT__INIT_ENDED, successor, SIGKILL);
        hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
        return 5;
}

static void test_a_generation_that_serves_again_counts_again(void **state)
{
        pid_t init = start(resumes);

        (void)state;
        assert_int_equal(finish(init), 5);
}

/* ---- signals ---- */

static int counts_its_stops(void)
{
        block(SIGTERM);
        say(1);
        await_signal(SIGTERM);
        say(2);
        await_signal(SIGTERM);
        return 12;
}

static void test_one_that_does_not_serve_yet_is_told_too(void **state)
{
        pid_t init = start(counts_its_stops);

        (void)state;
        assert_int_equal(hear(), 1);
        kill(init, SIGTERM);
        assert_int_equal(hear(), 2);
        kill(init, SIGTERM);
        assert_int_equal(finish(init), 12);
}

/* Between the commit and the word of the new one: a trigger is its own, a stop is the old one's. */
static int has_a_beginner(void)
{
        pid_t beginner;

        block(SIGTERM);
        block(SIGUSR2);
        hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
        beginner = fork();
        if (beginner == 0) {
                hot__init_tell(&own, HOT__INIT_BEGINS, 0, 0);
                say(1);
                await_signal(SIGUSR2);
                _exit(0);
        }
        waitpid(beginner, NULL, 0);
        say(2);
        await_signal(SIGUSR2); /* it is gone: ours again */
        say(3);
        await_signal(SIGTERM);
        return 14;
}

static void test_a_trigger_goes_to_the_one_that_may_have_answered(void **state)
{
        pid_t init = start(has_a_beginner);

        (void)state;
        for (int step = 1; step <= 2; step++) {
                assert_int_equal(hear(), step);
                kill(init, SIGUSR2);
        }
        assert_int_equal(hear(), 3);
        kill(init, SIGTERM);
        assert_int_equal(finish(init), 14);
}

static int dies_before_its_successor_is_known(void)
{
        pid_t pid;

        block(SIGTERM);
        block(SIGUSR1);
        pid = fork();
        if (pid == 0) {
                /* Only when the init has reaped the first one, and has the signal, are we known. */
                while (getppid() != own.pid)
                        sched_yield();
                say(getpid());
                await_signal(SIGUSR1);
                hot__init_tell(&own, HOT__INIT_STARTING, 0, 0);
                await_signal(SIGTERM);
                hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
                _exit(21);
        }
        return 3;
}

/* A stop is not lost where nobody is there to take it: whoever comes next gets it. */
static void test_a_signal_waits_for_somebody(void **state)
{
        pid_t init = start(dies_before_its_successor_is_known), successor = hear();

        (void)state;
        kill(init, SIGTERM);
        kill(successor, SIGUSR1);
        assert_int_equal(finish(init), 21);
}

static int stops_with_its_init(void)
{
        hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
        block(SIGTERM);
        say(getpid());
        await_signal(SIGTERM);
        return 0;
}

static void await_stopped(pid_t pid, bool stopped)
{
        char path[32], text[512], *end;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        do {
                int fd = open(path, O_RDONLY | O_CLOEXEC);

                assert_true(fd >= 0);
                n = read(fd, text, sizeof(text) - 1);
                close(fd);
                text[n > 0 ? n : 0] = 0;
                end = strrchr(text, ')');
                assert_non_null(end);
                sched_yield();
        } while ((end[2] == 'T') != stopped);
}

/* Job control: a shell sees its job stop, and what serves has stopped with it. */
static void test_it_stops_and_goes_on_with_the_one_that_serves(void **state)
{
        pid_t init = start(stops_with_its_init), generation = hear();
        int status;

        (void)state;
        for (int i = 0; i < 2; i++) {
                kill(init, SIGTSTP);
                assert_int_equal(waitpid(init, &status, WUNTRACED), init);
                assert_true(WIFSTOPPED(status));
                await_stopped(generation, true);
                kill(init, SIGCONT);
                await_stopped(generation, false);
                await_stopped(init, false);
        }
        /* A stopped generation is no ended one. */
        kill(generation, SIGSTOP);
        await_stopped(generation, true);
        kill(init, SIGTERM);
        kill(init, SIGCONT);
        assert_int_equal(finish(init), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_it_ends_with_the_status_of_the_one_that_served),
                hot_test(test_a_signal_goes_to_the_one_that_serves),
                hot_test(test_a_status_is_known_from_hearsay),
                hot_test(test_a_generation_that_serves_again_counts_again),
                hot_test(test_one_that_does_not_serve_yet_is_told_too),
                hot_test(test_a_trigger_goes_to_the_one_that_may_have_answered),
                hot_test(test_a_signal_waits_for_somebody),
                hot_test(test_it_stops_and_goes_on_with_the_one_that_serves),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
