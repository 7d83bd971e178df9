/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_PROC_H
#define HOT_INSPECT_PROC_H

/*
 * A process as /proc/PID shows it: its identity, and its files as text.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel allows 15 bytes, and tells its own threads at greater length: "kworker/u4:2-events". */
#define HOT__PROC_NAME_MAX 64

struct hot__proc {
        int fd; /* owned: the directory /proc/PID; -EBADF when closed */
        pid_t pid;
        pid_t parent;
        pid_t group, session;
        uid_t uid;
        char state;
        int n_threads;
        uint64_t start; /* clock ticks since boot */
        uint64_t stack; /* where its stack begins; 0 or 1 if that is not for us to see */
        char name[HOT__PROC_NAME_MAX];
        int error; /* -EACCES or -EPERM if all but pid and uid is hidden from us (hidepid); else 0 */
};

/*
 * Open a process and read who it is. Returns 0, -ESRCH (there is none, or its first thread is ending or has
 * ended: then its descriptors are not to be seen) or another negative errno; @ret is untouched on failure.
 */
int hot__proc_open(pid_t pid, struct hot__proc *ret);

/* Close. May be called again. */
void hot__proc_done(struct hot__proc *process);

/* Is it still there? Returns 0, -ESRCH (ending or ended) or another negative errno. */
int hot__proc_check(const struct hot__proc *process);

/*
 * Read a file under /proc/PID to its end. Gives a buffer with a terminating zero behind *ret_len bytes;
 * free(3) it. Returns 0, -ESRCH (the process, or the file, is gone) or another negative errno.
 */
int hot__proc_read(const struct hot__proc *process, const char *path, char **ret_text,
                   size_t *ret_len);

/*
 * The same of a file that the kernel gives whole with the first read (stat, fdinfo), to @text with a terminating
 * zero. Returns 0, -ENOBUFS (it has more than @size - 1 bytes), or as hot__proc_read().
 */
int hot__proc_read_short(const struct hot__proc *process, const char *path, char *text,
                         size_t size);

/* The text of /proc/PID/stat taken apart (pure). Returns 0, -ESRCH (ending or ended) or -EINVAL. */
int hot__proc_parse_stat(const char *text, struct hot__proc *ret);

#endif
