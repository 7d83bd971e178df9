/* SPDX-License-Identifier: MIT */
#ifndef STAYING_H
#define STAYING_H

/*
 * The process that stays, with real children. A scenario plays the generations, in the child that hot_init()
 * returns 0 to; the test is the service manager, which knows one pid.
 */
#include "fdcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart.h>

#include "init.h"

/* What a scenario reports goes through here: one number a line. */
static int report[2];

static struct hot__init own;

static inline void say(int number)
{
        char line[16];
        int n = snprintf(line, sizeof(line), "%d\n", number);

        if (write(report[1], line, (size_t)n) != n)
                _exit(99);
}

static inline int hear(void)
{
        char line[16] = "";
        size_t n = 0;

        while (n < sizeof(line) - 1 && read(report[0], line + n, 1) == 1 && line[n] != '\n')
                n++;
        assert_true(n > 0);
        return atoi(line);
}

static inline void adopt(void)
{
        const char *number = getenv("HOT_INIT");

        if (!number || hot__init_adopt(&own, atoi(number)) < 0 || own.pid != getppid())
                _exit(98);
}

/* Start an init whose first generation is @scenario. */
static inline pid_t start(int (*scenario)(void))
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
static inline int finish(pid_t pid)
{
        int status;

        close(report[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(report[0]);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* Block before saying anything, so that no signal is missed. */
static inline void await_signal(int signal)
{
        sigset_t set;
        int got;

        sigemptyset(&set);
        sigaddset(&set, signal);
        sigwait(&set, &got);
}

static inline void block(int signal)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signal);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

#endif
