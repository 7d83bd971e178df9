/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_INSPECT_H
#define HOTSTART_INSPECT_H

/*
 * libhotstart-inspect: which descriptors a process has, and who else holds them.
 *
 * A snapshot is one process' descriptor table at one moment: each descriptor's number, kind, access
 * mode, FD_CLOEXEC and what it refers to, sockets with their addresses, epolls with what they watch.
 * Everything is asked of the kernel (/proc, sock_diag, kcmp); nothing is changed in the process that is
 * looked at, and no program is run.
 *
 * Conventions
 *   errors      Functions that can fail return a negative errno and leave their ret_ parameters
 *               untouched. A descriptor that is closed while its table is read is simply not in it.
 *   rights      What one may see of other users' processes is the kernel's decision (ptrace(2), "access
 *               mode checking"). What could not be read is unknown, never guessed.
 *   namespaces  Socket addresses are those of the caller's network namespace. A socket of another one
 *               has its kind "socket", its inode and no address.
 *   threads     No globals: any thread may call anything; a snapshot belongs to one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hotstart.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hot_inspect_kind {
        HOT_INSPECT_UNKNOWN = 0,
        HOT_INSPECT_FILE,
        HOT_INSPECT_DIRECTORY,
        HOT_INSPECT_CHARACTER, /* a character device: a terminal, /dev/null */
        HOT_INSPECT_BLOCK,
        HOT_INSPECT_FIFO, /* one that has a path */
        HOT_INSPECT_PIPE,
        HOT_INSPECT_MEMFD,
        HOT_INSPECT_TCP,
        HOT_INSPECT_UDP,
        HOT_INSPECT_UNIX,
        HOT_INSPECT_SOCKET, /* any other socket, or one that is not known to this network namespace */
        HOT_INSPECT_EPOLL,
        HOT_INSPECT_EVENTFD,
        HOT_INSPECT_TIMERFD,
        HOT_INSPECT_SIGNALFD,
        HOT_INSPECT_INOTIFY,
        HOT_INSPECT_PIDFD,
        HOT_INSPECT_IO_URING,
        HOT_INSPECT_ANONYMOUS, /* any other anon_inode */
};

/* A kind's name in lower case: "epoll". "?" for a number that is none. */
HOT_EXPORT const char *hot_inspect_kind_name(int kind);

/* One descriptor that an epoll watches, under the number it had when it was added. */
struct hot_inspect_watch {
        int fd;
        uint32_t events;
        uint64_t inode; /* of what is watched: that number may mean something else by now */
};

/*
 * One descriptor. Owned by its snapshot. Members are only ever appended.
 */
struct hot_inspect_fd {
        int fd;
        int kind;           /* enum hot_inspect_kind */
        int access;         /* O_RDONLY, O_WRONLY, O_RDWR; or O_PATH */
        int cloexec;        /* 1 or 0: FD_CLOEXEC */
        int flags;          /* the open(2) flags of the description: O_NONBLOCK, O_APPEND, … */
        const char *target; /* as the kernel names it: "/dev/null", "socket:[4711]" */
        uint64_t device;    /* st_dev of what it refers to */
        uint64_t inode;     /* st_ino. One description for a socket; shared by all anon_inodes */

        /* Sockets; else 0 and "" */
        int type;          /* SOCK_STREAM, … */
        int listening;     /* 1: connections can be accepted from it */
        const char *state; /* "LISTEN", "ESTABLISHED", … */
        const char *local; /* "127.0.0.1:80", "[::]:80", "/run/x", "@abstract"; "" if it has none */
        const char *peer;  /* the other end's, as local */
        uint64_t peer_inode;    /* UNIX: the other end's inode; 0 if unknown */
        uint32_t receive_queue; /* bytes unread; listening: connections that wait to be accepted */
        uint32_t send_queue;    /* bytes not acknowledged; listening: how many may wait */

        pid_t pid; /* a pidfd's process; 0 if it is none of this PID namespace, -1 if it has ended */

        const struct hot_inspect_watch *watches; /* an epoll's; NULL if there are none */
        size_t n_watches;
};

/*
 * One process at one moment.
 */
struct hot_inspect;

/* What to read beyond the descriptors themselves, because it costs more. */
enum hot_inspect_detail {
        /* What every socket of the network namespace is: without it a socket is only a
         * HOT_INSPECT_SOCKET with an inode. The cost grows with the number of sockets that the machine
         * has, not with those of the process. */
        HOT_INSPECT_ADDRESSES = 1 << 0,
};

/*
 * Read one process. @details is a set of enum hot_inspect_detail. The table may change meanwhile: each
 * descriptor is right for the moment at which it was read. Those that the call itself needs are left out.
 *
 * Ownership: gives a snapshot; hot_inspect_free() it.
 * Returns 0, -ESRCH (no such process, or it ended meanwhile), -EACCES (its descriptors are not for us to
 * see) or another negative errno.
 */
HOT_EXPORT int hot_inspect_read(pid_t pid, unsigned int details, struct hot_inspect **ret_inspect);

/* Free a snapshot and all that it gave out. Accepts NULL. */
HOT_EXPORT void hot_inspect_free(struct hot_inspect *inspect);

HOT_EXPORT pid_t hot_inspect_pid(const struct hot_inspect *inspect);
HOT_EXPORT pid_t hot_inspect_parent(const struct hot_inspect *inspect);

/* The effective user id, as /proc tells it: 0 for a process that may not be dumped (prctl(2)). */
HOT_EXPORT uid_t hot_inspect_uid(const struct hot_inspect *inspect);

/* The process' name: at most 15 bytes, whatever the process has made of it. */
HOT_EXPORT const char *hot_inspect_name(const struct hot_inspect *inspect);

/* The descriptors, in ascending order. */
HOT_EXPORT size_t hot_inspect_count(const struct hot_inspect *inspect);

/* The descriptor at @index, or NULL past the end. */
HOT_EXPORT const struct hot_inspect_fd *hot_inspect_at(const struct hot_inspect *inspect,
                                                       size_t index);

/* The descriptor with the number @fd, or NULL. */
HOT_EXPORT const struct hot_inspect_fd *hot_inspect_find(const struct hot_inspect *inspect, int fd);

/*
 * Does some epoll of this process watch the file with this inode (a listener's, say)? Returns the number
 * of the first epoll at or after descriptor @from that does, or -ENOENT.
 */
HOT_EXPORT int hot_inspect_watched(const struct hot_inspect *inspect, uint64_t inode, int from);

/*
 * Are two descriptors of two processes (which may be one) the same open file description, so that they
 * share offset, O_NONBLOCK and the place in an accept queue?
 *
 * Asks kcmp(2); where that is not allowed, sockets are still told by their inode.
 * Returns 1 (same), 0 (not), -ESRCH, -EBADF, or -EPERM and others where it cannot be known.
 */
HOT_EXPORT int hot_inspect_same(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b);

/*
 * All processes, in ascending order. Ownership: gives an array; free(3) it.
 * Returns 0 or a negative errno.
 */
HOT_EXPORT int hot_inspect_processes(pid_t **ret_pids, size_t *ret_n);

/* The parent of a process. Returns its pid, 0 for none, -ESRCH, or another negative errno. */
HOT_EXPORT pid_t hot_inspect_parent_of(pid_t pid);

/*
 * The program that a process runs, as an absolute path. A file that was replaced since ends in
 * " (deleted)". Returns 0, -ENOSPC, -ESRCH, -EACCES or another negative errno.
 */
HOT_EXPORT int hot_inspect_program(pid_t pid, char *buffer, size_t size);

/*
 * A variable of the environment that a process was started with, whatever it has done to its
 * environment since. Returns 0, -ENOENT (not set), -ENOSPC, -ESRCH, -EACCES or another negative errno.
 */
HOT_EXPORT int hot_inspect_environment(pid_t pid, const char *variable, char *buffer, size_t size);

/*
 * Which process holds an address, so that it cannot be bound? @address is what hot_listen() takes. A
 * listener at that very address comes before one that merely overlaps (all addresses and one of them);
 * of several processes that share a listener the lowest pid is told. @name (may be NULL) gets the
 * process' name with '?' for what is not printable.
 *
 * Returns 0, -ENOENT if that is not known (nobody holds it, or a process that we may not look into),
 * -EINVAL for a malformed address, -ENXIO for a host that does not resolve, or another negative errno.
 * @ret_pid and @name are untouched on failure.
 */
HOT_EXPORT int hot_inspect_holder(const char *address, pid_t *ret_pid, char *name,
                                  size_t name_size);

#ifdef __cplusplus
}
#endif

#endif
