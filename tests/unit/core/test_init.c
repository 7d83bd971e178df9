/* SPDX-License-Identifier: MIT */
/*
 * The process that stays, with real children. A scenario plays the generations, in the child that hot_init()
 * returns 0 to; the test is the service manager, which knows one pid.
 */
#include "fdcheck.h"
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart.h>

#include "fd.h"
#include "sandbox.h"

/* What a scenario reports goes through here: one number a line. */
static int report[2];

static struct hot__init own;

static void say(int number)
{
        char line[16];
        int n = snprintf(line, sizeof(line), "%d\n", number);

        if (write(report[1], line, (size_t)n) != n)
                _exit(99);
}

static int hear(void)
{
        char line[16] = "";
        size_t n = 0;

        while (n < sizeof(line) - 1 && read(report[0], line + n, 1) == 1 && line[n] != '\n')
                n++;
        assert_true(n > 0);
        return atoi(line);
}

static void adopt(void)
{
        const char *number = getenv("HOT_INIT");

        if (!number || hot__init_adopt(&own, atoi(number)) < 0 || own.pid != getppid())
                _exit(98);
}

/* Start an init whose first generation is @scenario. */
static pid_t start(int (*scenario)(void))
{
        int status;
        pid_t pid;

        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                setpgid(0, 0);
                switch (hot_init(&status)) {
                case 0:
                        adopt();
                        _exit(scenario());
                case 1:
                        _exit(status);
                default:
                        _exit(97);
                }
        }
        return pid;
}

/* Its exit status, when it has ended by itself; the reports must be heard before. */
static int finish(pid_t pid)
{
        int status;

        close(report[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(report[0]);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* Block before saying anything, so that no signal is missed. */
static void await_signal(int signal)
{
        sigset_t set;
        int got;

        sigemptyset(&set);
        sigaddset(&set, signal);
        sigwait(&set, &got);
}

static void block(int signal)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signal);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

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

/* ---- whom it believes ---- */

static int denounces_a_stranger(void)
{
        pid_t stranger = getppid();

        block(SIGUSR1);
        if (setresuid(12345, 12345, 12345) < 0)
                return NOT_POSSIBLE;
        hot__init_tell(&own, HOT__INIT_SERVES, 0, 0);
        hot__init_tell(&own, HOT__INIT_SERVES, stranger, 0);
        say(1);
        await_signal(SIGUSR1);
        return 4;
}

/* Else one that gave up its privileges could have its init, which kept them, signal anybody. */
static void test_nobody_speaks_for_other_users_processes(void **state)
{
        pid_t init;

        (void)state;
        if (geteuid() != 0) {
                print_message("only root can become somebody else\n");
                skip();
        }
        init = start(denounces_a_stranger);
        assert_int_equal(hear(), 1);
        kill(init, SIGUSR1);
        assert_int_equal(finish(init), 4);
}

static int talks_nonsense(void)
{
        const char *const words[] = {"x", "0123456789", "01234567890", "0123456789ab",
                                     "lengthy talk"};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                hot__channel_send(&own.channel, words[i], strlen(words[i]), &report[1], i % 2);
        hot__init_tell(&own, (enum hot__init_message)77, 1, 2);
        hot__init_tell(&own, HOT__INIT_SERVES, INT32_MAX, 0);
        hot__init_tell(&own, HOT__INIT_SERVES, -5, 0);
        return 6;
}

static void test_it_passes_over_what_it_does_not_know(void **state)
{
        (void)state;
        assert_int_equal(finish(start(talks_nonsense)), 6);
}

/* ---- what it leaves alone, and what it holds ---- */

static int leaves_an_orphan(void)
{
        pid_t child = fork();

        if (child == 0) {
                pid_t orphan = fork();

                if (orphan == 0) {
                        while (getppid() != own.pid)
                                sched_yield();
                        say(getpid());
                        _exit(1);
                }
                _exit(0);
        }
        waitpid(child, NULL, 0);
        block(SIGTERM);
        await_signal(SIGTERM);
        return 0;
}

/* Whatever ends without a parent is reaped, while the service goes on. */
static void test_orphans_leave_no_zombie(void **state)
{
        pid_t init = start(leaves_an_orphan), orphan = hear();

        (void)state;
        while (kill(orphan, 0) == 0)
                sched_yield();
        assert_int_equal(errno, ESRCH);
        kill(init, SIGTERM);
        assert_int_equal(finish(init), 0);
}

static unsigned int count_descriptors(pid_t pid)
{
        unsigned int n = 0;
        char path[32];
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        dir = opendir(path);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.' && atoi(entry->d_name) > 2;
        closedir(dir);
        return n;
}

/* A listener that a service manager gave would be held for ever, by a process that accepts nothing. */
static void test_it_holds_nothing_that_it_does_not_need(void **state)
{
        int kept[3];
        pid_t init;

        (void)state;
        for (int i = 0; i < 3; i++)
                kept[i] = open("/dev/null", O_RDONLY); /* inherited */
        init = start(counts_its_stops);
        assert_int_equal(hear(), 1);
        while (count_descriptors(init) > 3) /* signals, the channel, the one that starts */
                sched_yield();
        for (int i = 0; i < 3; i++)
                close(kept[i]);
        kill(init, SIGTERM);
        assert_int_equal(hear(), 2);
        kill(init, SIGTERM);
        assert_int_equal(finish(init), 12);
}

static int sees_its_init_die(void)
{
        struct pollfd hang_up = {.fd = own.channel.fd, .events = POLLIN};
        static struct hot__message message;

        if (hot__init_is_gone(&own, &message))
                return 1;
        say(getpid());
        poll(&hang_up, 1, -1);
        say(hot__init_is_gone(&own, &message) && own.pid == 0 ? 55 : 0);
        return 0;
}

static void test_when_it_is_killed_the_generations_hear(void **state)
{
        pid_t init = start(sees_its_init_die);
        int status;

        (void)state;
        assert_true(hear() > 0);
        kill(init, SIGKILL);
        assert_int_equal(waitpid(init, &status, 0), init);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(hear(), 55);
        close(report[1]);
        close(report[0]);
}

/* ---- the environment, and the process that goes on ---- */

static int looks_at_itself(void)
{
        struct sigaction action;
        sigset_t mask;
        int subreaper = -1;

        sigprocmask(SIG_SETMASK, NULL, &mask);
        sigaction(SIGCHLD, NULL, &action);
        prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
        if (sigismember(&mask, SIGHUP) != 1 || sigismember(&mask, SIGTERM) != 0)
                return 1;
        if (action.sa_handler != SIG_IGN || subreaper != 0)
                return 2;
        if (getenv("LISTEN_PIDFDID") || atoi(getenv("LISTEN_PID")) != getpid())
                return 3;
        return atoi(getenv("WATCHDOG_PID")) == 1 ? 0 : 4;
}

static int with_a_managers_variables(void)
{
        char number[16];
        int status = 9;

        snprintf(number, sizeof(number), "%d", (int)getpid());
        setenv("LISTEN_PID", number, 1);
        setenv("LISTEN_PIDFDID", "4711", 1);
        setenv("WATCHDOG_PID", "1", 1); /* another's stays another's */
        signal(SIGCHLD, SIG_IGN);
        block(SIGHUP);
        if (hot_init(&status) == 0)
                _exit(looks_at_itself());
        return status;
}

static void test_the_child_begins_as_its_parent_began(void **state)
{
        (void)state;
        assert_int_equal(in_child(with_a_managers_variables), 0);
}

static int in_a_later_generation(void)
{
        const char *const variables[] = {"HOT_INIT", "HOT_CHANNEL", "HOT_CONTINUE"};
        pid_t pid = getpid();
        int status;

        for (size_t i = 0; i < 3; i++) {
                setenv(variables[i], "1", 1);
                if (hot_init(&status) != 0 || getpid() != pid)
                        return 1;
                unsetenv(variables[i]);
        }
        return hot_init(NULL) == -EINVAL ? 0 : 2;
}

static void test_a_later_generation_goes_on_by_itself(void **state)
{
        (void)state;
        assert_int_equal(in_child(in_a_later_generation), 0);
}

static void test_what_is_no_channel_is_not_adopted(void **state)
{
        struct hot__init init;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)state;
        assert_int_equal(hot__init_adopt(&init, fd), -ENOTSOCK);
        close(fd);
        assert_int_equal(hot__init_adopt(&init, fd), -EBADF);
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
                hot_test(test_nobody_speaks_for_other_users_processes),
                hot_test(test_it_passes_over_what_it_does_not_know),
                hot_test(test_orphans_leave_no_zombie),
                hot_test(test_it_holds_nothing_that_it_does_not_need),
                hot_test(test_when_it_is_killed_the_generations_hear),
                hot_test(test_the_child_begins_as_its_parent_began),
                hot_test(test_a_later_generation_goes_on_by_itself),
                hot_test(test_what_is_no_channel_is_not_adopted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
