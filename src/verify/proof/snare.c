/* SPDX-License-Identifier: MIT */
#include "snare.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static const long what =
        PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

/* ptrace(2) takes numbers where its prototype has pointers. */
static void *number(long value)
{
        return (void *)(intptr_t)value;
}

int snare_set(pid_t pid)
{
        char path[64];
        struct dirent *entry;
        int r = 0;
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", pid);
        tasks = opendir(path);
        if (!tasks)
                return -errno;
        while ((entry = readdir(tasks))) {
                pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

                if (thread > 0 && ptrace(PTRACE_SEIZE, thread, NULL, number(what)) < 0)
                        r = -errno;
        }
        closedir(tasks);
        return r;
}

static void go_on(pid_t thread, int signal)
{
        (void)ptrace(PTRACE_CONT, thread, NULL, number(signal));
}

/* One that has executed a program. Returns whether it was to be caught. */
static unsigned int executed(pid_t pid, pid_t owner, int signal)
{
        if (pid == owner) {
                go_on(pid, 0);
                return 0;
        }
        kill(pid, signal);
        (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
        return 1;
}

static unsigned int stopped(pid_t thread, int status, pid_t owner, int signal)
{
        int event = status >> 16, with = WSTOPSIG(status);

        if (event == PTRACE_EVENT_EXEC)
                return executed(thread, owner, signal);
        /* A stop of ours, or a signal on its way: only the latter is to be delivered. */
        go_on(thread, event != 0 ? 0 : with);
        return 0;
}

unsigned int snare_look(pid_t owner, int signal)
{
        unsigned int caught = 0;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG)) > 0)
                if (WIFSTOPPED(status))
                        caught += stopped(pid, status, owner, signal);
        return caught;
}
