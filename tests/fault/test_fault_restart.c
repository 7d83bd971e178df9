/* SPDX-License-Identifier: MIT */
/*
 * The public API, whatever call fails under it: a call of the host returns the error, or a restart is
 * rolled back with it and the old generation serves on. With an argument this program is the new
 * generation.
 *
 * What the scenarios do on their own behalf goes past the wrappers, by syscall(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "fault.h"
#include "fdcheck.h"
#include "hot.h"

static char self[512], address[64], pid_file[64];
static struct hot *hot;
static int listener;
static pid_t successor;
static sigset_t mask;

static void prepare(void)
{
        sigprocmask(SIG_SETMASK, NULL, &mask);
        snprintf(address, sizeof(address), "unix:@hotstart-fault-%d", (int)getpid());
        hot = NULL;
        listener = -EBADF;
        successor = 0;
}

static void clean(void)
{
        hot_free(hot);
        if (successor > 0) {
                (void)kill(successor, SIGKILL);
                (void)waitpid(successor, NULL, 0);
        }
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_PID");
        sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* A client connects and is accepted. */
static void assert_accepts(void)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        const char *name = strchr(address, '@') + 1;
        long client = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;

        memcpy(un.sun_path + 1, name, strlen(name));
        assert_int_equal(syscall(SYS_connect, client, &un,
                                 offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)),
                         0);
        accepted = syscall(SYS_accept, listener, NULL, NULL);
        assert_true(accepted >= 0);
        syscall(SYS_close, accepted);
        syscall(SYS_close, client);
}

/* The next event. An eventfd takes every write in truth: one that failed is made up for. */
static const struct hot_event *next(void)
{
        const struct hot_event *event;

        while (!(event = hot_next(hot))) {
                struct pollfd poll_fd = {.fd = hot_fd(hot), .events = POLLIN};

                if (fault_hit("write"))
                        hot__wake(hot);
                assert_int_equal(poll(&poll_fd, 1, 60000), 1);
        }
        return event;
}

/* Up to an event of this type. Returns 0, or the trouble that a step told of on the way. */
static int expect(enum hot_event_type type, const struct hot_event **ret)
{
        const struct hot_event *event;
        int r = 0;

        for (;;) {
                event = next();
                if (event->type != HOT_STEP && event->type != HOT_SAVE)
                        break;
                if (event->failure)
                        r = -event->failure->error;
        }
        assert_int_equal(event->type, type);
        if (ret)
                *ret = event;
        return r;
}

static int open_and_serve(const char *program, const char *pid_path)
{
        char argument[] = "generation", *argv[] = {self, argument, NULL};
        const struct hot_options options = {.size = sizeof(options),
                                            .argv = argv,
                                            .program = program,
                                            .pid_file = pid_path,
                                            .probation_ms = HOT_NONE};
        int r;

        r = hot_open(&hot, &options);
        if (r == 0)
                r = hot_signals(hot);
        if (r < 0)
                return r;
        listener = hot_listen(hot, "http", address);
        if (listener < 0)
                return listener;
        assert_int_equal(hot_ready(hot), 0);
        r = expect(HOT_SERVE, NULL);
        assert_int_equal(hot_serving(hot), 0);
        assert_accepts();
        return r;
}

static int stop(void)
{
        int r;

        hot_stop(hot);
        r = expect(HOT_STOP, NULL);
        assert_int_equal(hot_quiesced(hot), 0);
        expect(HOT_EXIT, NULL);
        return r;
}

/*
 * What may fail unnoticed, or come out in other words:
 *   stat, open, read  the name of the program, found in another way; a PID file that cannot be read stays
 *   write             see next()
 *   epoll_ctl         to stop watching, or to watch for room, of what is closed or empty
 *   timerfd_settime   a deadline that does not come up
 *   unlink, fcntl     a PID file stays; standard descriptors are asked whether they are open
 *   rename            likewise, at the end; that it was not written is told (test_fault_rooms.c)
 *   sendmsg           RETIRED: the successor notices when we exit
 *   getsockopt        the predecessor is known by the channel alone
 *   getpeername       not to know the peer is not to be connected
 *   getsockname       without a name it is not bound, or not where it was asked for
 *   listen            after a roll back: the backlog is put back, changed or not
 *   setsockopt        likewise a socket's settings
 */
static const char *const tolerated[] = {
        "stat",        "open",   "read",       "write",      "epoll_ctl", "timerfd_settime",
        "unlink",      "fcntl",  "rename",     "getsockopt", "sendmsg",   "getpeername",
        "getsockname", "listen", "setsockopt", NULL};

static int life(void)
{
        int r = open_and_serve(NULL, pid_file);

        if (!hot || hot_failure(hot))
                return r;
        return r < 0 ? r : stop();
}

static void prepare_pid_file(void)
{
        prepare();
        snprintf(pid_file, sizeof(pid_file), "/tmp/hotstart-fault-%d", (int)getpid());
}

static void clean_pid_file(void)
{
        clean();
        unlink(pid_file);
}

static void test_a_life(void **state)
{
        static const struct fault_scenario scenario = {prepare_pid_file, life, clean_pid_file,
                                                       tolerated, NULL};

        (void)state;
        fault_sweep(&scenario);
}

/* Restart into what fails anyhow. @is_expected: as it does when nothing else fails. */
static int fail_to_restart(const char *program, bool (*is_expected)(const struct hot_failure *))
{
        const struct hot_event *event;
        int r = open_and_serve(program, NULL);

        if (r < 0)
                return r;
        hot_restart(hot);
        assert_int_equal(expect(HOT_FAILED, &event), 0);
        r = is_expected(event->failure) ? 0 : -event->failure->error;
        assert_true(r < 0 || is_expected(event->failure));
        assert_accepts();
        return r < 0 ? r : stop();
}

static bool is_exit(const struct hot_failure *failure)
{
        return failure->reason == HOT_REASON_EXITED && failure->wait_status == 1 << 8;
}

static int restart_into_false(void)
{
        return fail_to_restart("/bin/false", is_exit);
}

static bool is_missing(const struct hot_failure *failure)
{
        return failure->step == HOT_STEP_PREFLIGHT && failure->error == ENOENT;
}

static int restart_into_nothing(void)
{
        return fail_to_restart("/nonexistent/program", is_missing);
}

static void test_restarts_that_fail(void **state)
{
        static const struct fault_scenario exits = {prepare, restart_into_false, clean, tolerated,
                                                    NULL};
        static const struct fault_scenario missing = {prepare, restart_into_nothing, clean,
                                                      tolerated, NULL};

        (void)state;
        fault_sweep(&exits);
        fault_sweep(&missing);
}

/* State and a descriptor for the next generation. */
static int hand_over(const char *what)
{
        int r = hot_put(hot, "state", what, strlen(what), 1);

        return r < 0 ? r : hot_keep(hot, what, listener);
}

/* A whole restart: committed, or rolled back, and then the old generation accepts again. */
static int restart(void)
{
        const struct hot_event *event;
        int r = open_and_serve(self, NULL), handed = 0;

        if (r < 0)
                return r;
        hot_restart(hot);
        for (;;) {
                event = next();
                if (event->type == HOT_SAVE)
                        handed = hand_over("early");
                if (event->type == HOT_QUIESCE) {
                        if (handed == 0)
                                handed = hand_over("late");
                        assert_int_equal(hot_quiesced(hot), 0);
                }
                if (event->type == HOT_RESUME)
                        assert_int_equal(hot_serving(hot), 0);
                else if (event->type == HOT_DRAIN)
                        successor = event->pid;
                else if (event->type == HOT_EXIT)
                        return handed;
                else if (event->type == HOT_FAILED)
                        r = -event->failure->error;
                if (r < 0 && hot->life.phase == HOT__PHASE_SERVING)
                        break;
        }
        assert_accepts();
        return r;
}

static void test_a_restart(void **state)
{
        static const struct fault_scenario scenario = {prepare, restart, clean, tolerated, NULL};

        (void)state;
        fault_sweep(&scenario);
}

static int be_new_generation(void)
{
        struct pollfd poll_fd = {.events = POLLIN};
        const struct hot_event *event;

        /* The parent ends us; and without it there is no test. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prepare();
        snprintf(address, sizeof(address), "unix:@hotstart-fault-%d", (int)getppid());
        if (hot_open(&hot, NULL) < 0 || hot_listen(hot, "http", address) < 0 || hot_ready(hot) < 0)
                return 1;
        for (;;) {
                while ((event = hot_next(hot)))
                        if (event->type == HOT_SERVE)
                                hot_serving(hot);
                poll_fd.fd = hot_fd(hot);
                poll(&poll_fd, 1, -1);
        }
}

/* Inheriting */

static int saved; /* what was descriptor 3 before */

static void put_at_3(int fd)
{
        saved = fd == 3 ? -EBADF : fcntl(3, F_DUPFD_CLOEXEC, 10);
        assert_int_equal(dup2(fd, 3), 3);
        if (fd != 3)
                close(fd);
}

static int bind_abstract(void)
{
        struct hot__address parsed;
        int fd;

        assert_int_equal(hot__address_parse(address, &parsed), 0);
        assert_int_equal(hot__listener_bind(&parsed, &fd), 0);
        return fd;
}

static void announce(const char *name, int value)
{
        char text[16];

        snprintf(text, sizeof(text), "%d", value);
        assert_int_equal(setenv(name, text, 1), 0);
}

static void prepare_announced(void)
{
        prepare();
        put_at_3(bind_abstract());
        announce("LISTEN_FDS", 1);
        announce("LISTEN_PID", (int)getpid());
}

static void clean_announced(void)
{
        clean();
        /* Where it was not taken over it is ours. */
        if (fcntl(3, F_GETFD) >= 0)
                close(3);
        if (saved >= 0) {
                dup2(saved, 3);
                close(saved);
        }
}

static int inherit(void)
{
        int r = open_and_serve(NULL, NULL);

        if (r < 0)
                return r;
        assert_int_equal(listener, 3);
        return stop();
}

static void test_inheriting_from_a_service_manager(void **state)
{
        static const struct fault_scenario scenario = {prepare_announced, inherit, clean_announced,
                                                       tolerated, NULL};

        (void)state;
        fault_sweep(&scenario);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_life),
                cmocka_unit_test(test_restarts_that_fail),
                cmocka_unit_test(test_a_restart),
                cmocka_unit_test(test_inheriting_from_a_service_manager),
        };
        ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

        (void)argv;
        if (argc > 1)
                return be_new_generation();
        assert_true(len > 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
