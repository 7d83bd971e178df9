/* SPDX-License-Identifier: MIT */
#include "fdcheck.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "dialect.h"
#include "fd.h"
#include "sandbox.h"

/* What a child prints goes through a pipe that is its standard output. */
struct outcome {
        int result; /* of hot__spawn() */
        int wait_status;
        bool moved_to_root;
        char output[8192];
};

struct request {
        const char *command;
        const char *path; /* NULL: the shell */
        char *const *argv;
        const char *directory;
        char *pid_slot; /* or NULL */
        char *const *environment;
        const int *more_fds; /* from 3 on */
        size_t n_more;
        const struct hot__attributes *attributes;
        const sigset_t *also_blocked;
};

static void await_end(const struct hot__process *process)
{
        struct pollfd poll_fd = {.fd = process->pidfd, .events = POLLIN};

        assert_int_equal(poll(&poll_fd, 1, 20000), 1);
        assert_true(hot__process_has_ended(process));
}

static void run(const struct request *request, struct outcome *ret)
{
        char shell[] = "sh", option[] = "-c", command[1024], *none[] = {NULL};
        char *argv[] = {shell, option, command, NULL};
        struct hot__attributes now;
        struct hot__process process;
        int out[2], fds[300], n = 0;
        size_t len = 0;

        memset(ret, 0, sizeof(*ret));
        snprintf(command, sizeof(command), "%s", request->command ? request->command : "");
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        hot__attributes_capture(&now);
        fds[n++] = -EBADF;
        fds[n++] = out[1];
        fds[n++] = 2;
        for (size_t i = 0; i < request->n_more; i++)
                fds[n++] = request->more_fds[i];
        ret->result = hot__spawn(
                &(struct hot__spawn){
                        .path = request->path ? request->path : "/bin/sh",
                        .argv = request->argv ? request->argv : argv,
                        .environment = request->environment ? request->environment : none,
                        .pid_slots = (char *const[]){request->pid_slot, NULL},
                        .directory = request->directory,
                        .fds = fds,
                        .n_fds = (size_t)n,
                        .attributes = request->attributes ? request->attributes : &now,
                        .also_blocked = request->also_blocked,
                },
                &process, &ret->moved_to_root);
        close(out[1]);
        while (ret->result == 0) {
                ssize_t got = read(out[0], ret->output + len, sizeof(ret->output) - 1 - len);

                if (got <= 0)
                        break;
                len += (size_t)got;
        }
        close(out[0]);
        if (ret->result < 0)
                return;
        await_end(&process);
        ret->wait_status = hot__process_reap(&process);
        hot__process_done(&process);
}

static void test_child_has_exactly_the_table(void **state)
{
        int a = open("/dev/null", O_RDONLY | O_CLOEXEC),
            b = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        int stray =
                open("/dev/full", O_RDONLY); /* without FD_CLOEXEC: it would leak through exec */
        int more[] = {b, -EBADF, a};
        struct outcome got;

        (void)state;
        run(&(struct request){.command =
                                      "for f in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && "
                                      "printf '%s ' $f; done; readlink /proc/$$/fd/3 "
                                      "/proc/$$/fd/5",
                              .more_fds = more,
                              .n_more = 3},
            &got);
        assert_int_equal(got.result, 0);
        assert_string_equal(got.output, "1 2 3 5 /dev/zero\n/dev/null\n");
        close(a);
        close(b);
        close(stray);
}

/* Every source is also a target, and in the other order: one pass would overwrite what is still needed. */
static void test_descriptors_that_stand_in_each_others_place(void **state)
{
        int pairs[3][2], more[3];
        char expected[128], command[] = "readlink /proc/$$/fd/3 /proc/$$/fd/4 /proc/$$/fd/5";
        struct outcome got;
        struct stat st[3];

        (void)state;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]), 0);
                close(pairs[i][1]);
        }
        /* Now the numbers are near the targets; hand them over rotated. */
        for (int i = 0; i < 3; i++) {
                more[i] = pairs[(i + 1) % 3][0];
                assert_int_equal(fstat(more[i], &st[i]), 0);
        }
        run(&(struct request){.command = command, .more_fds = more, .n_more = 3}, &got);
        snprintf(expected, sizeof(expected), "socket:[%lu]\nsocket:[%lu]\nsocket:[%lu]\n",
                 (unsigned long)st[0].st_ino, (unsigned long)st[1].st_ino,
                 (unsigned long)st[2].st_ino);
        assert_string_equal(got.output, expected);
        for (int i = 0; i < 3; i++) {
                assert_true(fcntl(pairs[i][0], F_GETFD) & FD_CLOEXEC); /* ours keep it */
                close(pairs[i][0]);
        }
}

static void test_many_descriptors(void **state)
{
        int more[250], base = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct outcome got;

        (void)state;
        for (size_t i = 0; i < 250; i++)
                more[249 - i] = fcntl(base, F_DUPFD_CLOEXEC, 3);
        run(&(struct request){.command = "set -- /proc/$$/fd/*; echo $#",
                              .more_fds = more,
                              .n_more = 250},
            &got);
        /* 1, 2, the 250, and the shell's own descriptor for the listing is closed again by then */
        assert_true(atoi(got.output) == 252 || atoi(got.output) == 253);
        for (size_t i = 0; i < 250; i++)
                close(more[i]);
        close(base);
}

static void test_missing_and_foreign_programs_say_why(void **state)
{
        char text[] = "/tmp/test_spawn.XXXXXX";
        struct outcome got;
        int fd;

        (void)state;
        run(&(struct request){.path = "/nonexistent/program"}, &got);
        assert_int_equal(got.result, -ENOENT);
        run(&(struct request){.path = "/"}, &got);
        assert_int_equal(got.result, -EACCES);
        fd = mkostemp(text, O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "no program\n", 11), 11);
        assert_int_equal(fchmod(fd, 0755), 0);
        close(fd);
        run(&(struct request){.path = text}, &got);
        assert_int_equal(got.result, -ENOEXEC);
        unlink(text);
}

static void test_child_knows_its_pid(void **state)
{
        char slot[] = "LISTEN_PID=0123456789", *environment[] = {slot, NULL};
        struct outcome got;
        int said, is;

        (void)state;
        run(&(struct request){.command = "echo $LISTEN_PID $$",
                              .environment = environment,
                              .pid_slot = strchr(slot, '=') + 1},
            &got);
        assert_int_equal(sscanf(got.output, "%d %d", &said, &is), 2);
        assert_int_equal(said, is);
}

/* Mask, dispositions and umask are those of the start, whatever has become of ours. */
static void test_attributes_are_those_of_the_start(void **state)
{
        struct sigaction before_usr2, ignore = {.sa_handler = SIG_IGN};
        struct hot__attributes start;
        sigset_t before, block, also;
        struct outcome got;
        char name[] = "cat", file[] = "/proc/self/status", *cat[] = {name, file, NULL};
        char expected[32];
        mode_t mask;

        (void)state;
        hot__attributes_capture(&start);
        sigaction(SIGUSR2, &ignore, &before_usr2);
        sigemptyset(&block);
        sigaddset(&block, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &block, &before);
        mask = umask(0);
        sigemptyset(&also);
        sigaddset(&also, SIGUSR1);
        /* Not through the shell: that one clears its mask. */
        run(&(struct request){.path = "/bin/cat",
                              .argv = cat,
                              .attributes = &start,
                              .also_blocked = &also},
            &got);
        umask(mask);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        sigaction(SIGUSR2, &before_usr2, NULL);

        /* SIGUSR1 is signal 10, bit 9 */
        assert_non_null(strstr(got.output, "SigBlk:\t0000000000000200\n"));
        assert_non_null(strstr(got.output, "SigIgn:"));
        assert_false(strtoull(strstr(got.output, "SigIgn:") + 7, NULL, 16) >> (SIGUSR2 - 1) & 1);
        snprintf(expected, sizeof(expected), "Umask:\t%04o\n", (unsigned int)mask);
        assert_non_null(strstr(got.output, expected));
}

static void test_affinity_is_that_of_the_start(void **state)
{
        struct hot__attributes start;
        struct outcome one, all;
        cpu_set_t pinned;
        size_t cpu = 0;

        (void)state;
        hot__attributes_capture(&start);
        if (CPU_COUNT(&start.affinity) < 2) {
                print_message("skipped: only one CPU\n");
                skip();
        }
        while (!CPU_ISSET(cpu, &start.affinity))
                cpu++;
        CPU_ZERO(&pinned);
        CPU_SET(cpu, &pinned);
        run(&(struct request){.command = "nproc"}, &all);
        assert_int_equal(sched_setaffinity(0, sizeof(pinned), &pinned), 0);
        run(&(struct request){.command = "nproc", .attributes = &start}, &one);
        assert_int_equal(sched_setaffinity(0, sizeof(start.affinity), &start.affinity), 0);
        assert_string_equal(one.output, all.output);
}

static void test_start_directory_or_root(void **state)
{
        struct outcome got;

        (void)state;
        run(&(struct request){.command = "pwd", .directory = "/usr"}, &got);
        assert_string_equal(got.output, "/usr\n");
        assert_false(got.moved_to_root);
        run(&(struct request){.command = "pwd", .directory = "/nonexistent"}, &got);
        assert_string_equal(got.output, "/\n");
        assert_true(got.moved_to_root);
}

static void test_wait_status_of_exit_and_signal(void **state)
{
        struct outcome got;

        (void)state;
        run(&(struct request){.command = "exit 3"}, &got);
        assert_true(WIFEXITED(got.wait_status) && WEXITSTATUS(got.wait_status) == 3);
        run(&(struct request){.command = "kill -9 $$"}, &got);
        assert_true(WIFSIGNALED(got.wait_status) && WTERMSIG(got.wait_status) == SIGKILL);
}

/* A host that ignores SIGCHLD has its children reaped by the kernel: the death shows, the status not. */
static void test_ignored_sigchld(void **state)
{
        struct sigaction before, ignore = {.sa_handler = SIG_IGN};
        struct outcome got;

        (void)state;
        sigaction(SIGCHLD, &ignore, &before);
        run(&(struct request){.command = "exit 3"}, &got);
        sigaction(SIGCHLD, &before, NULL);
        assert_int_equal(got.result, 0);
        assert_int_equal(got.wait_status, -1);
}

/* A release that is a script: what it started goes with it. */
static void test_kill_reaches_the_family(void **state)
{
        char shell[] = "sh", option[] = "-c", command[] = "sleep 1000 & echo $!; wait";
        char path[] = "PATH=/usr/bin:/bin", *argv[] = {shell, option, command, NULL};
        char *environment[] = {path, NULL}, line[32] = "";
        struct hot__process child, grandchild;
        struct hot__attributes now;
        int out[2], fds[3];

        (void)state;
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        hot__attributes_capture(&now);
        fds[0] = -EBADF;
        fds[1] = out[1];
        fds[2] = 2;
        assert_int_equal(hot__spawn(&(struct hot__spawn){.path = "/bin/sh",
                                                         .argv = argv,
                                                         .environment = environment,
                                                         .fds = fds,
                                                         .n_fds = 3,
                                                         .attributes = &now},
                                    &child, NULL),
                         0);
        assert_true(read(out[0], line, sizeof(line) - 1) > 0);
        assert_int_equal(hot__process_open((pid_t)atoi(line), &grandchild), 0);
        hot__process_kill_family(&child);
        await_end(&child);
        await_end(&grandchild);
        assert_true(WIFSIGNALED(hot__process_reap(&child)));
        assert_int_equal(hot__process_signal(&child, 0), -ESRCH);
        hot__process_done(&child);
        hot__process_done(&grandchild);
        close(out[0]);
        close(out[1]);
}

/* Our session has a terminal that stops background processes which write to it. */
static int write_to_the_terminal(void)
{
        char shell[] = "sh", option[] = "-c", command[] = "echo early", *none[] = {NULL};
        char *argv[] = {shell, option, command, NULL};
        int master = posix_openpt(O_RDWR | O_NOCTTY), terminal, fds[3];
        struct hot__attributes now;
        struct hot__process child;
        struct termios settings;
        struct pollfd ended = {.events = POLLIN};

        if (master < 0 || setsid() < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
                return 1;
        terminal = open(ptsname(master), O_RDWR);
        if (terminal < 0 || tcgetattr(terminal, &settings) < 0)
                return 2;
        settings.c_lflag |= TOSTOP;
        if (tcsetattr(terminal, TCSANOW, &settings) < 0 || tcgetpgrp(terminal) != getpgrp())
                return 3;
        fds[0] = fds[1] = fds[2] = terminal;
        hot__attributes_capture(&now);
        if (hot__spawn(&(struct hot__spawn){.path = "/bin/sh",
                                            .argv = argv,
                                            .environment = none,
                                            .fds = fds,
                                            .n_fds = 3,
                                            .attributes = &now},
                       &child, NULL) < 0)
                return 4;
        ended.fd = child.pidfd;
        if (poll(&ended, 1, 20000) != 1) {
                hot__process_kill_family(&child);
                return 5;
        }
        return hot__process_reap(&child);
}

static void test_release_that_writes_to_the_terminal_is_not_stopped(void **state)
{
        (void)state;
        assert_int_equal(in_child(write_to_the_terminal), 0);
}

/* A host may reap our child by wait(2), and the kernel may give its number to anybody then. */
static void test_number_of_a_reaped_child_is_nobody_to_kill_or_join(void **state)
{
        struct hot__process reaped, stranger;
        pid_t pid = fork(), group = getpgrp();

        (void)state;
        if (pid == 0)
                _exit(0);
        assert_int_equal(hot__process_open(pid, &reaped), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        assert_int_equal(setpgid(pid, pid), 0);
        assert_int_equal(hot__process_open(pid, &stranger), 0);
        reaped.pid = pid;
        hot__process_kill_family(&reaped);
        hot__process_join_group_of(&reaped);
        assert_int_equal(getpgrp(), group);
        assert_int_equal(hot__process_signal(&stranger, SIGTERM), 0);
        await_end(&stranger);
        assert_int_equal(hot__process_reap(&stranger), SIGTERM);
        hot__process_done(&stranger);
        hot__process_done(&reaped);
}

static void test_unknown_process(void **state)
{
        struct hot__process process = {.pidfd = -EBADF};

        (void)state;
        assert_int_equal(hot__process_open(0x3ffffff0, &process), -ESRCH);
        assert_int_equal(hot__process_signal(&process, SIGTERM), -ESRCH);
        hot__process_kill_family(
                &process); /* nobody: and surely not process group 0, which is us */
        hot__process_done(&process);
        hot__process_done(&process);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_child_has_exactly_the_table),
                hot_test(test_descriptors_that_stand_in_each_others_place),
                hot_test(test_many_descriptors),
                hot_test(test_missing_and_foreign_programs_say_why),
                hot_test(test_child_knows_its_pid),
                hot_test(test_attributes_are_those_of_the_start),
                hot_test(test_affinity_is_that_of_the_start),
                hot_test(test_start_directory_or_root),
                hot_test(test_wait_status_of_exit_and_signal),
                hot_test(test_ignored_sigchld),
                hot_test(test_kill_reaches_the_family),
                hot_test(test_release_that_writes_to_the_terminal_is_not_stopped),
                hot_test(test_number_of_a_reaped_child_is_nobody_to_kill_or_join),
                hot_test(test_unknown_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
