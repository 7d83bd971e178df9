/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dialect.h"
#include "fd.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/*
 * ThreadSanitizer takes clone(2) for a fork, and marks in memory that it believes to be the child's, and
 * that is ours, that no thread may be started any more. By its other name it lets it alone.
 */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ /* as gcc says it */
#endif
#endif
#ifdef __SANITIZE_THREAD__
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

#define STACK_SIZE ((size_t)64 * 1024)

/* What parent and child share. The child writes error and moved_to_root; the parent reads them when it
 * runs again. */
struct birth {
        const struct hot__spawn *spawn;
        int *fds; /* a copy the child may change */
        int error;
        bool moved_to_root;
};

void hot__attributes_capture(struct hot__attributes *ret)
{
        struct hot__attributes now = {.policy = sched_getscheduler(0)};

        pthread_sigmask(SIG_SETMASK, NULL, &now.mask);
        sigemptyset(&now.ignored);
        for (int signal = 1; signal < NSIG; signal++) {
                struct sigaction action;

                if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        sigaddset(&now.ignored, signal);
        }
        if (sched_getaffinity(0, sizeof(now.affinity), &now.affinity) < 0)
                CPU_ZERO(
                        &now.affinity); /* more CPUs than cpu_set_t holds: then it stays as it is */
        sched_getparam(0, &now.scheduling);
        errno = 0;
        now.nice = getpriority(PRIO_PROCESS, 0);
        now.umask = umask(077);
        umask(now.umask);
        *ret = now;
}

/*
 * From here to exec we run on the parent's memory in another process: no allocation, no stdio, no locks.
 * Raw system calls keep interceptors of sanitizers out, which would take the child's doings for the
 * parent's.
 */
#define CHILD __attribute__((no_sanitize("address", "thread", "undefined"), no_stack_protector))
#ifndef __clang__
#undef CHILD
#define CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

struct kernel_sigaction {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
};

CHILD static void reset_dispositions(const struct hot__attributes *attributes)
{
        for (int signal = 1; signal < NSIG; signal++) {
                struct kernel_sigaction action = {.handler = SIG_DFL};

                if (sigismember(&attributes->ignored, signal) == 1)
                        action.handler = SIG_IGN;
                syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(action.mask));
        }
}

/* What cannot be had back (a raised nice value needs a privilege) stays as it is: the program is worth
 * more than its priority. */
CHILD static void reset_scheduling(const struct hot__attributes *attributes)
{
        if (CPU_COUNT(&attributes->affinity) > 0)
                syscall(SYS_sched_setaffinity, 0, sizeof(attributes->affinity),
                        &attributes->affinity);
        syscall(SYS_sched_setscheduler, 0, attributes->policy, &attributes->scheduling);
        syscall(SYS_setpriority, PRIO_PROCESS, 0, attributes->nice);
        syscall(SYS_umask, attributes->umask);
}

/*
 * Place the descriptors. In two passes, since a target number may also be a source that is still needed:
 * first every source in the target range moves out of it, then each goes to its place.
 */
CHILD static int place_descriptors(int *fds, size_t n_fds)
{
        for (size_t i = 0; i < n_fds; i++) {
                if (fds[i] < 0 || (size_t)fds[i] >= n_fds || (size_t)fds[i] == i)
                        continue;
                fds[i] = (int)syscall(SYS_fcntl, fds[i], F_DUPFD_CLOEXEC, n_fds);
                if (fds[i] < 0)
                        return errno;
        }
        for (size_t i = 0; i < n_fds; i++) {
                if (fds[i] < 0) {
                        syscall(SYS_close, (int)i);
                } else if ((size_t)fds[i] == i) {
                        /* dup2(n, n) would keep FD_CLOEXEC */
                        if (syscall(SYS_fcntl, (int)i, F_SETFD, 0) < 0)
                                return errno;
                } else if (syscall(SYS_dup3, fds[i], (int)i, 0) < 0) {
                        return errno;
                }
        }
        if (syscall(SYS_close_range, (unsigned int)n_fds, UINT_MAX, 0) < 0)
                return errno;
        return 0;
}

CHILD static int set_mask(const struct hot__spawn *spawn)
{
        sigset_t mask = spawn->attributes->mask;

        for (int signal = 1; spawn->also_blocked && signal < NSIG; signal++)
                if (sigismember(spawn->also_blocked, signal) == 1)
                        sigaddset(&mask, signal);
        if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(uint64_t)) < 0)
                return errno;
        return 0;
}

/*
 * A group of its own, so that it can be killed with all that it starts. Not in the foreground of a
 * terminal: there a group in the background is stopped when it writes (stty tostop) or reads, before it
 * can join its predecessor's, and Ctrl-C would not reach a program that knows nothing of us.
 */
CHILD static void lead_group(void)
{
        int terminal = (int)syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDONLY | O_NOCTTY);
        pid_t foreground = 0;

        if (terminal >= 0) {
                syscall(SYS_ioctl, terminal, TIOCGPGRP, &foreground);
                syscall(SYS_close, terminal);
        }
        if (foreground <= 0 || foreground != syscall(SYS_getpgid, 0))
                syscall(SYS_setpgid, 0, 0);
}

CHILD static int become(struct birth *birth)
{
        const struct hot__spawn *spawn = birth->spawn;
        int error;

        if (spawn->directory && syscall(SYS_chdir, spawn->directory) < 0) {
                birth->moved_to_root = true;
                if (syscall(SYS_chdir, "/") < 0)
                        return errno;
        }
        lead_group();
        for (char *const *slot = spawn->pid_slots; slot && *slot; slot++)
                hot__environment_set_pid(*slot, (pid_t)syscall(SYS_getpid));
        error = place_descriptors(birth->fds, spawn->n_fds);
        if (error)
                return error;
        reset_scheduling(spawn->attributes);
        /* Dispositions before the mask: what is pending then meets its default, not our handler. */
        reset_dispositions(spawn->attributes);
        error = set_mask(spawn);
        if (error)
                return error;
        syscall(SYS_execve, spawn->path, spawn->argv, spawn->environment);
        return errno;
}

CHILD static int child_main(void *argument)
{
        struct birth *birth = argument;

        birth->error = become(birth);
        syscall(SYS_exit_group, 127);
        return 127;
}

/* With all signals blocked around it. errno is the child's too: memory is shared, so save nothing in it. */
static int give_birth(struct birth *birth, char *stack, struct hot__process *ret)
{
        sigset_t all, before;
        int pidfd = -EBADF, error;
        pid_t pid;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pid = clone(child_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                    birth, &pidfd);
        error = errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (pid < 0)
                return -error;
        *ret = (struct hot__process){.pid = pid, .pidfd = pidfd};
        return 0;
}

int hot__spawn(const struct hot__spawn *spawn, struct hot__process *ret, bool *ret_moved_to_root)
{
        struct birth birth = {.spawn = spawn};
        struct hot__process process;
        char *stack;
        int r;

        birth.fds = malloc((spawn->n_fds + 1) * sizeof(int));
        if (!birth.fds)
                return -ENOMEM;
        memcpy(birth.fds, spawn->fds, spawn->n_fds * sizeof(int));
        stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED) {
                r = -errno;
                free(birth.fds);
                return r;
        }
        r = give_birth(&birth, stack, &process);
        munmap(stack, STACK_SIZE);
        free(birth.fds);
        if (r < 0)
                return r;
        if (birth.error) {
                hot__process_reap(&process);
                hot__process_done(&process);
                return -birth.error;
        }
        *ret = process;
        if (ret_moved_to_root)
                *ret_moved_to_root = birth.moved_to_root;
        return 0;
}

int hot__process_fork(struct hot__process *ret)
{
        pid_t pid = fork();
        int r;

        if (pid < 0)
                return -errno;
        if (pid == 0)
                return 1;
        /* It cannot be another one's pid: nobody but us reaps it. */
        r = hot__process_open(pid, ret);
        if (r < 0) {
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
        return r;
}

void hot__close_all_but(int a, int b, int c)
{
        unsigned int from = 3;

        for (int left = 3; left >= 0; left--) {
                unsigned int keep = UINT_MAX;

                /* The lowest of them that is not passed yet. */
                if (a >= 0 && (unsigned int)a >= from)
                        keep = (unsigned int)a;
                if (b >= 0 && (unsigned int)b >= from && (unsigned int)b < keep)
                        keep = (unsigned int)b;
                if (c >= 0 && (unsigned int)c >= from && (unsigned int)c < keep)
                        keep = (unsigned int)c;
                if (keep > from)
                        syscall(SYS_close_range, from, keep == UINT_MAX ? UINT_MAX : keep - 1, 0);
                if (keep == UINT_MAX)
                        return;
                from = keep + 1;
        }
}

void hot__signals_block_all(struct hot__signals *ret_before)
{
        struct sigaction told = {.sa_handler = SIG_DFL};
        sigset_t all;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &ret_before->mask);
        sigaction(SIGCHLD, &told, &ret_before->child);
}

void hot__signals_restore(const struct hot__signals *before)
{
        sigaction(SIGCHLD, &before->child, NULL);
        pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
}

void hot__stdio_replace(int fd, int number)
{
        int r;

        do
                r = dup2(fd, number);
        while (r < 0 && errno == EINTR);
}

int hot__process_open(pid_t pid, struct hot__process *ret)
{
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

        if (pidfd < 0)
                return -errno;
        *ret = (struct hot__process){.pid = pid, .pidfd = pidfd};
        return 0;
}

void hot__process_done(struct hot__process *process)
{
        process->pidfd = hot__fd_close(process->pidfd);
        process->pid = 0;
}

int hot__process_signal(const struct hot__process *process, int signal)
{
        if (process->pidfd < 0)
                return -ESRCH;
        return syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* Has nobody reaped it, the kernel on behalf of an ignored SIGCHLD included? */
static bool is_unreaped(const struct hot__process *process)
{
        siginfo_t info;

        return waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void hot__process_kill_family(const struct hot__process *process)
{
        if (process->pid <= 0)
                return;
        /* As long as the child is not reaped no other group can have its number; it may have none.
         * The group first, since a killed child may be reaped by others at once. */
        if (is_unreaped(process))
                kill(-process->pid, SIGKILL);
        hot__process_signal(process, SIGKILL);
}

void hot__process_join_group_of(const struct hot__process *predecessor)
{
        pid_t group = predecessor->pid > 0 ? getpgid(predecessor->pid) : -1;

        /* Refused if it is of another session: then we stay alone, which harms nothing. If it lives
         * now, the number was its own when we asked. */
        if (group > 0 && !hot__process_has_ended(predecessor))
                setpgid(0, group);
}

bool hot__process_has_ended(const struct hot__process *process)
{
        struct pollfd poll_fd = {.fd = process->pidfd, .events = POLLIN};

        return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN);
}

int hot__process_reap(const struct hot__process *process)
{
        siginfo_t info;
        int r;

        do
                r = waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -1;
        if (info.si_code == CLD_EXITED)
                return (info.si_status & 0xff) << 8;
        return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}
