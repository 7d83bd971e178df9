/* SPDX-License-Identifier: MIT */

/*
 * The public API as a host sees it, in one process: what it promises of arguments, events, holds, and
 * failing restarts. Restarts that succeed need two processes: those
 * are the system tests' matter.
 */

#include "fdcheck.h"

#include <hotstart.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* @program: what a restart would execute, with arguments; NULL for this one, which no test restarts. */
static struct hot *open_with(char *const *program, unsigned int drain_ms)
{
        struct hot_options options = {.size = sizeof(options),
                                      .argv = program,
                                      .program = program ? program[0] : NULL,
                                      .drain_ms = drain_ms};
        struct hot *hot;

        assert_int_equal(hot_open(&hot, &options), 0);
        assert_null(hot_failure(hot));
        return hot;
}

/* The next event, waiting for it as a host does. */
static const struct hot_event *await_event(struct hot *hot)
{
        const struct hot_event *event = hot_next(hot);

        while (!event) {
                struct pollfd poll_fd = {.fd = hot_fd(hot), .events = POLLIN};

                assert_int_equal(poll(&poll_fd, 1, 20000), 1);
                event = hot_next(hot);
        }
        return event;
}

/* The next event that is no step, and that one is of this type. */
static const struct hot_event *expect(struct hot *hot, enum hot_event_type type)
{
        const struct hot_event *event;

        do
                event = await_event(hot);
        while (event->type == HOT_STEP || event->type == HOT_SAVE);
        assert_int_equal(event->type, type);
        return event;
}

static void serve(struct hot *hot)
{
        assert_int_equal(hot_ready(hot), 0);
        expect(hot, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
}

static void stop(struct hot *hot)
{
        assert_int_equal(hot_stop(hot), 0);
        expect(hot, HOT_STOP);
        assert_int_equal(hot_quiesced(hot), 0);
        expect(hot, HOT_EXIT);
        hot_free(hot);
}

static void test_life_of_a_lone_generation(void **state)
{
        struct hot *hot = open_with(NULL, 0);
        char address[128];
        int fd;

        (void)state;
        assert_int_equal(hot_generation(hot), 1);
        fd = hot_listen(hot, "http", "127.0.0.1:0");
        assert_true(fd >= 3);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(hot_listener_address(fd, address, sizeof(address)), 0);
        assert_int_equal(strncmp(address, "tcp://127.0.0.1:", 16), 0);
        assert_int_equal(hot_serving(hot), -EINVAL);
        assert_int_equal(hot_quiesced(hot), -EINVAL);
        serve(hot);
        assert_int_equal(hot_ready(hot), -EALREADY);
        assert_int_equal(hot_listen(hot, "late", "127.0.0.1:0"), -EINVAL);
        assert_null(hot_next(hot));
        stop(hot);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_arguments_are_checked(void **state)
{
        struct hot_options options = {.size = 1};
        struct hot *hot;
        char words[200];

        (void)state;
        assert_int_equal(hot_open(&hot, &options), -EINVAL);
        assert_non_null(hot_failure(hot));
        assert_int_equal(hot_failure(hot)->step, HOT_STEP_OPEN);
        hot_free(hot);
        options.size = sizeof(options) + 8;
        assert_int_equal(hot_open(&hot, &options), -EINVAL);
        hot_free(hot);
        hot_free(NULL);
        assert_null(hot_failure(NULL));

        hot = open_with(NULL, 0);
        assert_int_equal(hot_listen(hot, "", "127.0.0.1:0"), -EINVAL);
        assert_int_equal(hot_listen(hot, "a:b", "127.0.0.1:0"), -EINVAL);
        assert_int_equal(hot_listen(hot, "a", "nonsense"), -EINVAL);
        assert_int_equal(hot_listen(hot, NULL, NULL), -EINVAL);
        hot_failure_string(hot_failure(hot), words, sizeof(words));
        assert_int_equal(strncmp(words, "listen: ", 8), 0);
        assert_true(hot_listen(hot, "a", "127.0.0.1:0") >= 0);
        assert_int_equal(hot_listen(hot, "a", "127.0.0.1:0"), -EEXIST);
        assert_int_equal(hot_adopt(hot, NULL), -ENOENT);
        hot_free(hot);
}

static void test_port_taken(void **state)
{
        struct hot *one = open_with(NULL, 0), *two = open_with(NULL, 0);
        char address[128], words[200];
        int fd = hot_listen(one, "http", "127.0.0.1:0");

        (void)state;
        assert_int_equal(hot_listener_address(fd, address, sizeof(address)), 0);
        assert_int_equal(hot_listen(two, "http", address), -EADDRINUSE);
        hot_failure_string(hot_failure(two), words, sizeof(words));
        assert_non_null(strstr(words, "address in use"));
        hot_free(one);
        hot_free(two);
}

static void test_exit_waits_for_holds(void **state)
{
        struct hot *hot = open_with(NULL, 0);

        (void)state;
        serve(hot);
        hot_hold(hot);
        hot_hold(hot);
        hot_stop(hot);
        expect(hot, HOT_STOP);
        hot_quiesced(hot);
        assert_null(hot_next(hot));
        hot_release(hot);
        assert_null(hot_next(hot));
        hot_release(hot);
        assert_int_equal(expect(hot, HOT_EXIT)->held, 0);
        hot_free(hot);
}

static void *release_from_afar(void *hot)
{
        hot_release(hot);
        return NULL;
}

static void test_release_from_another_thread_wakes(void **state)
{
        struct hot *hot = open_with(NULL, 0);
        pthread_t thread;

        (void)state;
        serve(hot);
        hot_hold(hot);
        hot_stop(hot);
        expect(hot, HOT_STOP);
        hot_quiesced(hot);
        while (hot_next(hot))
                ;
        assert_int_equal(pthread_create(&thread, NULL, release_from_afar, hot), 0);
        expect(hot, HOT_EXIT);
        pthread_join(thread, NULL);
        hot_free(hot);
}

static void test_deadline_cuts_what_is_held(void **state)
{
        struct hot *hot = open_with(NULL, 1);

        (void)state;
        serve(hot);
        hot_hold(hot);
        hot_stop(hot);
        assert_true(expect(hot, HOT_STOP)->deadline > 0);
        hot_quiesced(hot);
        assert_int_equal(expect(hot, HOT_EXIT)->held, 1);
        hot_free(hot);
}

static void test_second_stop_does_not_wait(void **state)
{
        struct hot *hot = open_with(NULL, 0);

        (void)state;
        serve(hot);
        hot_hold(hot);
        hot_stop(hot);
        hot_stop(hot);
        expect(hot, HOT_STOP);
        assert_int_equal(expect(hot, HOT_EXIT)->held, 1);
        hot_free(hot);
}

static struct hot *open_program(const char *path)
{
        static char copy[256];
        static char *argv[] = {copy, NULL};

        snprintf(copy, sizeof(copy), "%s", path);
        return open_with(argv, 0);
}

/* A program that is no server: the restart is rolled back, nothing is left, and it goes on serving. */
static void test_restart_that_fails_is_an_event(void **state)
{
        struct hot *hot = open_program("/bin/false");
        const struct hot_event *event;
        char words[300];

        (void)state;
        assert_true(hot_listen(hot, "http", "127.0.0.1:0") >= 0);
        serve(hot);
        for (int i = 0; i < 3; i++) {
                hot_restart(hot);
                event = expect(hot, HOT_FAILED);
                assert_int_equal(event->failure->reason, HOT_REASON_EXITED);
                assert_int_equal(event->failure->step, HOT_STEP_HELLO);
                assert_int_equal(event->failure->wait_status, 1 << 8);
                assert_int_equal(kill(event->failure->pid, 0), -1); /* reaped */
                hot_failure_string(event->failure, words, sizeof(words));
                assert_non_null(strstr(words, "exited with status 1"));
        }
        stop(hot);
}

static void test_steps_of_a_failing_restart_come_in_order(void **state)
{
        static const int steps[] = {HOT_STEP_TRIGGER, HOT_STEP_PREFLIGHT, HOT_STEP_SPAWN};
        struct hot *hot = open_program("/bin/true");

        (void)state;
        serve(hot);
        hot_restart(hot);
        for (int i = 0; i < 3; i++) {
                const struct hot_event *event = await_event(hot);

                assert_int_equal(event->type, HOT_STEP);
                assert_int_equal(event->step, steps[i]);
        }
        expect(hot, HOT_FAILED);
        stop(hot);
}

static void test_hung_program_is_killed_at_the_start_deadline(void **state)
{
        char name[] = "/bin/sleep", seconds[] = "1000", *argv[] = {name, seconds, NULL};
        struct hot_options options = {
                .size = sizeof(options), .argv = argv, .program = name, .start_ms = 20};
        const struct hot_event *event;
        struct hot *hot;

        (void)state;
        assert_int_equal(hot_open(&hot, &options), 0);
        serve(hot);
        hot_restart(hot);
        event = expect(hot, HOT_FAILED);
        assert_int_equal(event->failure->reason, HOT_REASON_TIMEOUT);
        assert_int_equal(event->failure->wait_status, SIGKILL);
        stop(hot);
}

static void test_stop_during_a_restart_leaves_no_process(void **state)
{
        char name[] = "/bin/sleep", seconds[] = "1000", *argv[] = {name, seconds, NULL};
        struct hot *hot = open_with(argv, 0);
        const struct hot_event *event;

        (void)state;
        serve(hot);
        hot_restart(hot);
        do
                event = await_event(hot);
        while (event->step != HOT_STEP_SPAWN);
        stop(hot);
}

static void test_freeing_during_a_restart_leaves_no_process(void **state)
{
        char name[] = "/bin/sleep", seconds[] = "1000", *argv[] = {name, seconds, NULL};
        struct hot *hot = open_with(argv, 0);
        const struct hot_event *event;

        (void)state;
        serve(hot);
        hot_restart(hot);
        do
                event = await_event(hot);
        while (event->step != HOT_STEP_SPAWN);
        hot_free(hot);
}

static void test_signals_only_when_asked(void **state)
{
        struct hot *hot = open_with(NULL, 0);
        sigset_t before, now;

        (void)state;
        pthread_sigmask(SIG_SETMASK, NULL, &before);
        assert_false(sigismember(&before, SIGUSR2));
        assert_int_equal(hot_signals(hot), 0);
        assert_int_equal(hot_signals(hot), -EALREADY);
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        assert_true(sigismember(&now, SIGUSR2) && sigismember(&now, SIGTERM));
        assert_int_equal(hot_signal_block(hot, SIGHUP), 0);
        assert_int_equal(hot_signal_block(NULL, SIGHUP), -EINVAL);
        assert_int_equal(hot_signal_block(hot, SIGKILL), -EINVAL);
        assert_int_equal(hot_signal_block(hot, 0), -EINVAL);
        assert_int_equal(hot_signal_block(hot, NSIG), -EINVAL);
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        assert_false(sigismember(&now, SIGHUP));
        serve(hot);
        raise(SIGTERM);
        expect(hot, HOT_STOP);
        hot_quiesced(hot);
        expect(hot, HOT_EXIT);
        hot_free(hot);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* PID files */

static void test_pid_file_lives_as_long_as_we_serve(void **state)
{
        char path[] = "/tmp/test_hot.XXXXXX", content[32] = "", expected[32];
        struct hot_options options = {.size = sizeof(options), .pid_file = path};
        struct hot *hot;
        FILE *file;

        (void)state;
        close(mkostemp(path, O_CLOEXEC));
        unlink(path);
        assert_int_equal(hot_open(&hot, &options), 0);
        serve(hot);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_non_null(fgets(content, sizeof(content), file));
        fclose(file);
        snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
        assert_string_equal(content, expected);
        stop(hot);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_pid_file_that_cannot_be_written_is_told(void **state)
{
        struct hot_options options = {.size = sizeof(options), .pid_file = "/nonexistent/pid"};
        const struct hot_event *event;
        struct hot *hot;

        (void)state;
        assert_int_equal(hot_open(&hot, &options), 0);
        serve(hot);
        event = await_event(hot);
        assert_int_equal(event->type, HOT_STEP);
        assert_non_null(event->failure);
        assert_int_equal(event->failure->error, ENOENT);
        assert_string_equal(event->failure->subject, "/nonexistent/pid");
        stop(hot);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_life_of_a_lone_generation),
                hot_test(test_arguments_are_checked),
                hot_test(test_port_taken),
                hot_test(test_exit_waits_for_holds),
                hot_test(test_release_from_another_thread_wakes),
                hot_test(test_deadline_cuts_what_is_held),
                hot_test(test_second_stop_does_not_wait),
                hot_test(test_restart_that_fails_is_an_event),
                hot_test(test_steps_of_a_failing_restart_come_in_order),
                hot_test(test_hung_program_is_killed_at_the_start_deadline),
                hot_test(test_stop_during_a_restart_leaves_no_process),
                hot_test(test_freeing_during_a_restart_leaves_no_process),
                hot_test(test_signals_only_when_asked),
                hot_test(test_pid_file_lives_as_long_as_we_serve),
                hot_test(test_pid_file_that_cannot_be_written_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
