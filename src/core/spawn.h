/* SPDX-License-Identifier: MIT */
#ifndef HOT_SPAWN_H
#define HOT_SPAWN_H

/*
 * Starting, watching and ending processes: the only room that clones, executes, signals and reaps.
 *
 * The child shares the parent's memory until it executes (CLONE_VM | CLONE_VFORK), so a restart costs
 * the same whatever the parent's size: fork(2) copies page tables, 55 ms at 4 GB. The parent's thread
 * stands still meanwhile, with all signals blocked, since a handler would run in the child on the
 * parent's memory. Only async-signal-safe calls happen in between.
 */

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As a standard descriptor from now on, instead of what that was: @fd is borrowed and copied. */
void hot__stdio_replace(int fd, int number);

/* What a process has from its parent and may change: a child gets that of our start. */
struct hot__attributes {
        sigset_t mask;
        sigset_t ignored; /* signals whose disposition was SIG_IGN */
        cpu_set_t affinity;
        int policy;
        struct sched_param scheduling;
        int nice;
        mode_t umask;
};

/* Take down the calling thread's. For a moment it changes the umask: call it before threads start. */
void hot__attributes_capture(struct hot__attributes *ret);

/* A process we may signal and wait for without ever hitting another one. */
struct hot__process {
        pid_t pid; /* 0: none */
        int pidfd; /* owned; readable when the process has ended */
};

struct hot__spawn {
        const char *path; /* absolute */
        char *const *argv;
        char *const *environment;
        char *const
                *pid_slots; /* where the child writes its pid (hot__environment_set_pid()), up to a
                                   NULL; or NULL */
        const char *directory; /* to change to; NULL: stay */
        const int *fds;        /* borrowed; fds[i] becomes i in the child, -EBADF leaves i closed */
        size_t n_fds;          /* nothing above is open in the child */
        const struct hot__attributes *attributes;
        const sigset_t *also_blocked; /* on top of the mask at the start; or NULL */
};

/*
 * The child leads a process group of its own, see hot__process_kill_family(), unless we are in the
 * foreground of a terminal.
 *
 * Returns 0 when the program has been executed, and gives the process; or a negative errno: what
 * execve(2) or a call before it said. *ret_moved_to_root (may be NULL) tells that the start directory
 * could not be entered and / was.
 */
int hot__spawn(const struct hot__spawn *spawn, struct hot__process *ret, bool *ret_moved_to_root);

/*
 * fork(2), for the process that stays: see init.h. Returns 1 in the child, 0 in the parent, which gets the
 * child, or a negative errno.
 */
int hot__process_fork(struct hot__process *ret);

/* Close every descriptor above 2 but these; -EBADF among them counts for nothing. */
void hot__close_all_but(int a, int b, int c);

/* Signals as they were, while all are blocked and the end of a child is not ignored. */
struct hot__signals {
        sigset_t mask;
        struct sigaction child;
};

void hot__signals_block_all(struct hot__signals *ret_before);
void hot__signals_restore(const struct hot__signals *before);

/*
 * Hold on to an existing process. The caller must know that @pid has not ended before the call, or check
 * afterwards that it is the one that was meant. Returns 0, -ESRCH, or another negative errno.
 */
int hot__process_open(pid_t pid, struct hot__process *ret);

/* Let go of it, without any effect on it. May be called again. */
void hot__process_done(struct hot__process *process);

/* Returns 0, -ESRCH (it has ended) or another negative errno. */
int hot__process_signal(const struct hot__process *process, int signal);

/*
 * SIGKILL to a child of ours that was not reaped yet, and to all that it started and that stayed in its
 * process group: a release that is a shell script leaves no orphan.
 */
void hot__process_kill_family(const struct hot__process *process);

/* Go from the group that hot__spawn() made for us into that of our predecessor, so that a terminal's
 * Ctrl-C reaches us as it reached that one. */
void hot__process_join_group_of(const struct hot__process *predecessor);

/* Has it ended? */
bool hot__process_has_ended(const struct hot__process *process);

/*
 * Reap a child of ours that has ended. Returns its wait status as waitpid(2) has it, or -1 if nobody can
 * tell any more (SIGCHLD is ignored, or the host reaped it).
 */
int hot__process_reap(const struct hot__process *process);

#endif
