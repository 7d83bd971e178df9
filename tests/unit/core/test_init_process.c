/* SPDX-License-Identifier: MIT */
/*
 * What the process that stays believes, holds and leaves alone.
 */
#include "staying.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox.h"

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
        pid_t child;

        block(SIGTERM); /* which may come as soon as the orphan is heard of */
        child = fork();
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

static int waits_to_be_stopped(void)
{
        block(SIGTERM);
        say(1);
        await_signal(SIGTERM);
        return 12;
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
        init = start(waits_to_be_stopped);
        assert_int_equal(hear(), 1);
        while (count_descriptors(init) > 3) /* signals, the channel, the one that starts */
                sched_yield();
        for (int i = 0; i < 3; i++)
                close(kept[i]);
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

/* As if it had not been called, however far it came: without room for the second, third, fourth descriptor. */
static int without_room(void)
{
        sigset_t before = {0}, after = {0}; /* the kernel's part of it is smaller */
        int status = 0, subreaper = -1;
        struct rlimit limit;

        sigprocmask(SIG_SETMASK, NULL, &before);
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 1;
        for (rlim_t room = 0; room < 4; room++) {
                limit.rlim_cur = (rlim_t)report[0] + room;
                if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                        return 1;
                if (hot_init(&status) != -EMFILE || waitpid(-1, NULL, WNOHANG) != -1)
                        return 2;
                sigprocmask(SIG_SETMASK, NULL, &after);
                prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
                if (memcmp(&before, &after, sizeof(before)) != 0 || subreaper != 0)
                        return 3;
        }
        return 0;
}

static void test_what_fails_has_not_happened(void **state)
{
        (void)state;
        report[0] = open("/dev/null", O_RDONLY | O_CLOEXEC); /* the lowest number that is free */
        close(report[0]);
        assert_int_equal(in_child(without_room), 0);
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
                hot_test(test_nobody_speaks_for_other_users_processes),
                hot_test(test_it_passes_over_what_it_does_not_know),
                hot_test(test_orphans_leave_no_zombie),
                hot_test(test_it_holds_nothing_that_it_does_not_need),
                hot_test(test_when_it_is_killed_the_generations_hear),
                hot_test(test_the_child_begins_as_its_parent_began),
                hot_test(test_a_later_generation_goes_on_by_itself),
                hot_test(test_what_fails_has_not_happened),
                hot_test(test_what_is_no_channel_is_not_adopted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
