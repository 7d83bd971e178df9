/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "options.h"
#include "proc.h"

extern char **environ;

int subject_init(struct subject *ret, const sigset_t *mask, bool is_ours, bool echo)
{
        int ends[2];

        if (is_ours && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return -errno;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        *ret = (struct subject){
                .is_ours = is_ours,
                .output_fd = ends[0],
                .output_end = ends[1],
                .echo = echo,
                .mask = *mask,
        };
        return 0;
}

/* An announcement that is meant for us, or a service manager's socket, is none of the program's business. */
static bool is_foreign(const char *variable)
{
        static const char *const prefixes[] = {
                "LISTEN_",   "HOT_",     "HOTSTART_",       "NOTIFY_SOCKET=",
                "WATCHDOG_", "EINHORN_", "SERVER_STARTER_", "MAINPID=",
        };

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
                if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* Gives an array for free(3) with room for one more; its strings stay those of our own environment. */
static char **make_environment(char *one_more)
{
        size_t n = 0, kept = 0;
        char **environment;

        while (environ[n])
                n++;
        environment = calloc(n + 2, sizeof(*environment));
        for (size_t i = 0; environment && i < n; i++)
                if (!is_foreign(environ[i]))
                        environment[kept++] = environ[i];
        if (environment && one_more)
                environment[kept] = one_more;
        return environment;
}

/*
 * 0 is /dev/null, 1 and 2 are the pipe, and nothing else. A process group of its own: Ctrl-C is for us, and
 * we end what we have started.
 */
static int spawn(struct subject *subject, char **argv, char **environment, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, subject->output_end, 1);
        posix_spawn_file_actions_adddup2(&actions, subject->output_end, 2);
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        posix_spawnattr_setsigmask(&attributes, &subject->mask);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP);
        r = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int subject_start(struct subject *subject, char **program)
{
        char **environment = make_environment(NULL);
        int r = environment ? spawn(subject, program, environment, &subject->pid) : -ENOMEM;

        free(environment);
        return r;
}

int subject_command(struct subject *subject, const char *command, pid_t serving)
{
        char variable[48], shell[] = "/bin/sh", option[] = "-c", *text = strdup(command);
        char *argv[] = {shell, option, text, NULL}, **environment;
        int r = -ENOMEM;

        snprintf(variable, sizeof(variable), "HOTSTART_PID=%d", serving);
        environment = make_environment(serving > 0 ? variable : NULL);
        if (text && environment)
                r = spawn(subject, argv, environment, &subject->command);
        free(environment);
        free(text);
        return r;
}

static void remember(struct subject *subject, const char *bytes, size_t count)
{
        size_t room = sizeof(subject->tail) - 1, excess;

        if (count > room) {
                bytes += count - room;
                count = room;
        }
        if (subject->tail_length + count > room) {
                excess = subject->tail_length + count - room;
                memmove(subject->tail, subject->tail + excess, subject->tail_length - excess);
                subject->tail_length -= excess;
        }
        memcpy(subject->tail + subject->tail_length, bytes, count);
        subject->tail_length += count;
        subject->tail[subject->tail_length] = '\0';
}

void subject_read(struct subject *subject)
{
        char bytes[4096];
        ssize_t n;

        if (subject->output_fd < 0)
                return;
        while ((n = read(subject->output_fd, bytes, sizeof(bytes))) > 0) {
                remember(subject, bytes, (size_t)n);
                if (subject->echo)
                        fwrite(bytes, 1, (size_t)n, stderr);
        }
}

static bool take_end(struct subject *subject, pid_t pid, int status)
{
        if (pid == subject->pid) {
                subject->pid = 0;
                subject->status = status;
        }
        if (pid != subject->command)
                return false;
        subject->command = 0;
        subject->command_status = status;
        return true;
}

/*
 * Of a child that the other thread traces, wait(2) would tell this one of its stops, too, and that thread would
 * never hear of them: only who has ended is waited for.
 */
static bool reap_traced(struct subject *subject)
{
        struct proc_stat stat;
        bool is_command = false;
        pid_t *pids;
        int status;
        size_t n;

        if (proc_read_children(getpid(), &pids, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++)
                if (proc_read_stat(pids[i], &stat) == 0 && stat.state == 'Z' &&
                    waitpid(pids[i], &status, WNOHANG) == pids[i])
                        is_command |= take_end(subject, pids[i], status);
        free(pids);
        return is_command;
}

bool subject_reap(struct subject *subject)
{
        bool is_command = false;
        int status;
        pid_t pid;

        if (subject->is_traced)
                return reap_traced(subject);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                is_command |= take_end(subject, pid, status);
        return is_command;
}

/* A child cannot be reaped by anybody else, so its number is its own until we do. */
static size_t signal_children(int signal)
{
        pid_t *pids;
        size_t n, sent = 0;

        if (proc_read_children(getpid(), &pids, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                sent += kill(pids[i], signal) == 0;
        /* One that was stopped on purpose hears nothing else. */
        for (size_t i = 0; signal == SIGTERM && i < n; i++)
                kill(pids[i], SIGCONT);
        free(pids);
        return sent;
}

static bool has_children(void)
{
        siginfo_t info;

        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* The end of a child shows when it is looked for: a turn of a few milliseconds is soon enough here. */
static void wait_a_moment(struct subject *subject)
{
        poll(NULL, 0, 5);
        subject_read(subject);
        subject_reap(subject);
}

void subject_end_command(struct subject *subject, pid_t spare_group)
{
        /* It leads a group of its own: what it has started is in that, or has left it on purpose. */
        if (subject->command > 0 && subject->command != spare_group)
                (void)kill(-subject->command, SIGKILL);
}

unsigned int subject_end(struct subject *subject, uint64_t deadline, pid_t spare_group)
{
        unsigned int killed = 0;

        subject->output_end = hot__fd_close(subject->output_end);
        killed = !subject->is_ours && subject->command > 0;
        if (!subject->is_ours)
                subject_end_command(subject, spare_group);
        while (!subject->is_ours && subject->command > 0 && subject->command != spare_group &&
               hot__clock_now() < deadline)
                wait_a_moment(subject);
        if (subject->is_ours)
                signal_children(SIGTERM);
        while (subject->is_ours && has_children() && hot__clock_now() < deadline)
                wait_a_moment(subject);
        /* The children of a child that is killed become ours: until there is none. */
        while (subject->is_ours && has_children()) {
                killed += (unsigned int)signal_children(SIGKILL);
                wait_a_moment(subject);
        }
        subject_reap(subject);
        subject_read(subject);
        subject->output_fd = hot__fd_close(subject->output_fd);
        return killed;
}
