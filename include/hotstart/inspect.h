/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_INSPECT_H
#define HOTSTART_INSPECT_H

/*
 * libhotstart-inspect: which descriptors a process has, and who else holds them.
 *
 * A snapshot is what one or many processes had open at one moment: each descriptor's number, kind and
 * access mode, what it refers to, sockets with their addresses, epolls with what they watch, and whatever
 * else is asked for. Everything is asked of the kernel (/proc, sock_diag, kcmp); nothing is changed in the
 * process that is looked at, and no program is run.
 *
 * hot_inspect_read() reads one process; hot_snapshot_read() those that a query selects, as lazily as the
 * query allows: a process that is not wanted costs nothing but its name, a descriptor that is not wanted
 * nothing but its number, and a detail that is not asked for is not read.
 *
 * Conventions
 *   errors      Functions that can fail return a negative errno and leave their ret_ parameters
 *               untouched. A descriptor that is closed while its table is read is simply not in it.
 *   rights      What one may see of other users' processes is the kernel's decision (ptrace(2), "access
 *               mode checking"). What could not be read is unknown, never guessed.
 *   namespaces  Sockets are looked up in the caller's network namespace, and in that of each process that
 *               is in another one where we may enter it (CAP_SYS_ADMIN). A socket that is in neither
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

/* What makes a process hold a file. All but the first have no number: their fd is -1. */
enum hot_inspect_role {
        HOT_INSPECT_DESCRIPTOR = 0,
        HOT_INSPECT_CWD,
        HOT_INSPECT_ROOT,
        HOT_INSPECT_PROGRAM, /* the file that it executes */
        HOT_INSPECT_MAPPED,  /* a file mapped into its memory; deleted says whether it is gone */
};

/* One lock that a descriptor's file is locked with through it, as fdinfo has it. */
struct hot_inspect_lock {
        int kind;  /* enum hot_inspect_lock_kind */
        int write; /* 1: exclusive, 0: shared */
        pid_t pid; /* who took it; -1: it belongs to the description */
        uint64_t start;
        uint64_t end; /* inclusive; UINT64_MAX: to the end of the file */
};

enum hot_inspect_lock_kind {
        HOT_INSPECT_LOCK_POSIX, /* fcntl F_SETLK: a process' own, and lost with any close of the file */
        HOT_INSPECT_LOCK_FLOCK, /* flock(2): the description's */
        HOT_INSPECT_LOCK_OFD,   /* fcntl F_OFD_SETLK: the description's */
        HOT_INSPECT_LOCK_LEASE,
};

/* A file that an io_uring holds under no number of the process: registered, and perhaps closed since. */
struct hot_inspect_held {
        int slot;
        const char *target; /* "socket:[4711]" */
        uint64_t inode;     /* a socket's; else 0 */
};

/* One descriptor that an epoll watches, under the number it had when it was added. */
struct hot_inspect_watch {
        int fd;
        uint32_t events;
        uint64_t inode;  /* of what is watched: that number may mean something else by now */
        uint64_t device; /* its file system */
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

        int role;             /* enum hot_inspect_role */
        unsigned int details; /* which of enum hot_inspect_detail were read for this row */
        int error;            /* 0, or the negative errno of the step that could not be done: */
        const char *step;     /* "readlink", "stat", "opendir", …; "" if there is no error */

        unsigned int mode;   /* st_mode; 0 if it could not be read */
        uint64_t links;      /* st_nlink */
        uint64_t size;       /* st_size */
        uint64_t raw_device; /* st_rdev of a device file */
        int deleted;         /* 1: no name leads to it any more */

        /* HOT_INSPECT_STATUS */
        uint64_t offset;
        int mount_id;
        unsigned int in_flight; /* UNIX: descriptors in its queue that nobody has received yet */
        const struct hot_inspect_lock *locks;
        size_t n_locks;
        const struct hot_inspect_held *held; /* an io_uring's */
        size_t n_held;

        /* HOT_INSPECT_ADDRESSES */
        int family;      /* AF_INET, AF_INET6, AF_UNIX; 0 if unknown */
        int protocol;    /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE; 0 for others */
        uint64_t cookie; /* never used again, unlike the inode; 0 if unknown */
        uint32_t drops; /* a listener's: connections that were dropped because its queue was full */
        uint64_t netns; /* the inode of the network namespace it was found in; 0 if unknown */
        int v6only;     /* 1: an IPv6 socket that takes no IPv4 */

        /* HOT_INSPECT_DESCRIPTIONS: rows of one snapshot with the same number are one open file
         * description; 0: not known whether another row is the same. */
        unsigned int description;

        int eventfd; /* HOT_INSPECT_STATUS: the kernel's number of an eventfd, the same for every copy; -1:
                      * it is none, or not known (before Linux 5.2) */
        int terminal; /* HOT_INSPECT_STATUS: of /dev/ptmx: N of the /dev/pts/N that is its other end; -1 */
        uint64_t
                pending_inode; /* a UNIX listener: of the client that waits longest to be accepted; 0 */
};

/*
 * One process at one moment.
 */
struct hot_inspect;

/* What to read of each descriptor beyond its number and its file, because it costs more. */
enum hot_inspect_detail {
        /* What every socket of the network namespace is: without it a socket is only a
         * HOT_INSPECT_SOCKET with an inode. The cost grows with the number of sockets that the machine
         * has, not with those of the process. */
        HOT_INSPECT_ADDRESSES = 1 << 0,
        /* The kernel's name for the file (readlink); else target is "" but for sockets and pipes. */
        HOT_INSPECT_TARGET = 1 << 1,
        /* The access mode (lstat). Sockets are always O_RDWR. */
        HOT_INSPECT_ACCESS = 1 << 2,
        /* All that fdinfo says: flags, cloexec, offset, mount, locks, watches, a pidfd's process, what is
         * in flight, what an io_uring holds; and access with it. The dearest of all. */
        HOT_INSPECT_STATUS = 1 << 3,
        /* Rows for the current directory, the root directory, the program and mapped files. */
        HOT_INSPECT_FILES = 1 << 4,
        /* As ADDRESSES, but listeners only: 50 microseconds, however many connections there are. */
        HOT_INSPECT_LISTENERS = 1 << 5,
        /* Which rows are one open file description (kcmp). */
        HOT_INSPECT_DESCRIPTIONS = 1 << 6,
        /* Which processes are generations of one server: they run the same program and hold the same
         * listeners, or one was started by the other to take them over. Implies LISTENERS. */
        HOT_INSPECT_GENERATIONS = 1 << 7,
};

/*
 * Read one process. @details is a set of enum hot_inspect_detail, to which TARGET and STATUS are always
 * added. The table may change meanwhile: each descriptor is right for the moment at which it was read.
 * Those that the call itself needs are left out.
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
 * Who a process is. Owned by its snapshot. Members are only ever appended.
 */
struct hot_inspect_process {
        pid_t pid;
        pid_t parent;
        pid_t group; /* process group */
        pid_t session;
        uid_t uid;        /* effective, as hot_inspect_uid() */
        const char *name; /* as hot_inspect_name() */
        char state;       /* proc(5): 'R', 'S', 'T', 'Z', … */
        int n_threads;
        uint64_t
                start; /* clock ticks since boot: with the pid, an identity that is never used again */
        int error;     /* 0, or why its descriptors could not be listed: -EACCES, … */
        size_t n_open; /* how many descriptors it has, also where they are not for us to see; 0 if the
                            * kernel does not tell (before Linux 6.2) */
        uint64_t netns; /* the inode of its network namespace; 0 if not read */

        /* HOT_INSPECT_GENERATIONS, for the processes of servers only; else 0 and "" */
        unsigned int server; /* the processes of one server have the same number; 0: of none */
        uint64_t generation; /* as the server numbers them, else from 1, the oldest that is there */
        const char *program; /* the file that it executes; "" if that is not for us to see */
        int program_deleted; /* 1: it has been replaced or removed since */
        uint64_t
                limit; /* RLIMIT_NOFILE, soft; 0 if not for us to see, UINT64_MAX if there is none */
};

HOT_EXPORT const struct hot_inspect_process *
hot_inspect_identity(const struct hot_inspect *inspect);

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

/*
 * Many processes at one moment.
 */
struct hot_snapshot;

/*
 * What to read. Set size to sizeof(struct hot_inspect_query); what is left zero selects everything. The
 * selections are ANDed, and each is applied as soon as it can be, before anything more is read.
 */
struct hot_inspect_query {
        size_t size;
        unsigned int details; /* enum hot_inspect_detail */
        const pid_t *pids;    /* only these, n_pids of them; 0: every process */
        size_t n_pids;
        void *data; /* for the functions that follow, each of which may be NULL */

        /* Called with a process whose identity is known and whose descriptors are not read: 0 leaves it
         * out, a negative errno ends the reading. */
        int (*want_process)(const struct hot_inspect_process *process, void *data);

        /* Called before anything is known of a descriptor but its number; as above. */
        int (*want_number)(const struct hot_inspect_process *process, int fd, void *data);

        /* Called with a row whose role, kind, device, inode and mode are known; as above. It may change
         * *details to what else is to be read of this row. */
        int (*want_row)(const struct hot_inspect_process *process, const struct hot_inspect_fd *row,
                        unsigned int *details, void *data);
};

/*
 * Read all processes that @query selects. One that ends meanwhile is left out, one that is not for us to
 * see is there without rows and with its error.
 *
 * Ownership: gives a snapshot; hot_snapshot_free() it.
 * Returns 0, -EINVAL (the query's size), what a function of the query returned, or another negative errno.
 */
HOT_EXPORT int hot_snapshot_read(const struct hot_inspect_query *query,
                                 struct hot_snapshot **ret_snapshot);

/*
 * The listeners of this network namespace, without looking at any process: one process of number 0 with a
 * row for each, whose fd is -1. 50 microseconds, however many connections and descriptors there are.
 *
 * Ownership and errors as hot_snapshot_read().
 */
HOT_EXPORT int hot_snapshot_listeners(struct hot_snapshot **ret_snapshot);

/* Free a snapshot and all that it gave out. Accepts NULL. */
HOT_EXPORT void hot_snapshot_free(struct hot_snapshot *snapshot);

/* The processes, in ascending order. */
HOT_EXPORT size_t hot_snapshot_count(const struct hot_snapshot *snapshot);

/* The process at @index, or NULL past the end. It belongs to the snapshot. */
HOT_EXPORT const struct hot_inspect *hot_snapshot_at(const struct hot_snapshot *snapshot,
                                                     size_t index);

/* The process with the number @pid, or NULL. */
HOT_EXPORT const struct hot_inspect *hot_snapshot_find(const struct hot_snapshot *snapshot,
                                                       pid_t pid);

/*
 * Drop the rows for which @keep returns 0, with everything known of them, sockets' addresses too.
 * Processes stay, also without rows.
 */
HOT_EXPORT void hot_snapshot_filter(struct hot_snapshot *snapshot,
                                    int (*keep)(const struct hot_inspect_process *process,
                                                const struct hot_inspect_fd *row, void *data),
                                    void *data);

/* The snapshot that a process belongs to: that of hot_inspect_read() has this one process. */
HOT_EXPORT const struct hot_snapshot *hot_inspect_snapshot(const struct hot_inspect *inspect);

/* Something that could not be read, so that the snapshot is incomplete. */
struct hot_inspect_gap {
        pid_t pid;        /* 0: it is about no process */
        int fd;           /* -1: about no descriptor */
        const char *step; /* "opendir", "readlink", "kcmp", "sock_diag", … */
        int error;        /* negative errno */
};

/* The gap at @index, or NULL past the end: a snapshot without gaps is complete. */
HOT_EXPORT const struct hot_inspect_gap *hot_snapshot_gap(const struct hot_snapshot *snapshot,
                                                          size_t index);

/*
 * What is wrong, or will be at the next restart.
 */
enum hot_finding_code {
        HOT_FINDING_LISTENER_LOST = 1,
        HOT_FINDING_LISTENER_REBOUND, /* another socket on the same address */
        HOT_FINDING_QUEUE_AT_RISK,    /* connections wait that only an old generation can accept */
        HOT_FINDING_LEAK, /* not handed over and not close-on-exec; or a copy of a listener */
        HOT_FINDING_LEAK_OUTSIDE, /* a listener in a process that is no generation */
        HOT_FINDING_EPOLL_STALE,  /* what was added to an epoll is not what its number means now */
        HOT_FINDING_IN_FLIGHT,    /* sent over a UNIX socket and not received yet */
        HOT_FINDING_IO_URING,     /* a listener that an io_uring holds under no number */
        HOT_FINDING_LOCK_LOST,
        HOT_FINDING_PROGRAM_DELETED, /* the program that runs is not the one on disk */
        HOT_FINDING_GROWTH,
        HOT_FINDING_NEAR_LIMIT,
};

enum hot_finding_severity {
        HOT_FINDING_WARNING = 1,
        HOT_FINDING_ERROR, /* connections or descriptors are lost, or will be */
};

/* One finding. Owned by its list. Members are only ever appended. */
struct hot_finding {
        int code;
        int severity;
        pid_t pid;        /* whom it is about */
        int fd;           /* its descriptor, or -1 */
        const char *text; /* one sentence */
};

/* A code's name, "listener-lost"; a severity's, "error". "?" for a number that is none. */
HOT_EXPORT const char *hot_finding_code_name(int code);
HOT_EXPORT const char *hot_finding_severity_name(int severity);

struct hot_findings;

/* What to look for. Set size to sizeof(struct hot_check_policy); 0 is the default of each. */
struct hot_check_policy {
        size_t size;
        unsigned int growth;        /* descriptors that may be added, connections aside: 10 */
        unsigned int limit_percent; /* of RLIMIT_NOFILE: 90 */
        /* Which processes findings may be about; NULL: those of servers. Others are context. */
        int (*want_process)(const struct hot_inspect_process *process, void *data);
        void *data;
};

/*
 * Look for findings in a snapshot that was read with STATUS, LISTENERS (or ADDRESSES), TARGET and
 * GENERATIONS. It should have all processes that may hold the same descriptors: what it does not have does
 * not exist for the check. @before (may be NULL) is an earlier snapshot of the same machine, with the same
 * details: only with it growth is seen, and what was lost with a process that is gone.
 *
 * Ownership: gives a list; hot_findings_free() it. It does not refer to the snapshots.
 * Returns 0, -EINVAL (the policy's size) or -ENOMEM.
 */
HOT_EXPORT int hot_snapshot_check(const struct hot_snapshot *snapshot,
                                  const struct hot_snapshot *before,
                                  const struct hot_check_policy *policy,
                                  struct hot_findings **ret_findings);

/* Free a list. Accepts NULL. */
HOT_EXPORT void hot_findings_free(struct hot_findings *findings);

HOT_EXPORT size_t hot_findings_count(const struct hot_findings *findings);

/* The finding at @index, errors first, or NULL past the end. */
HOT_EXPORT const struct hot_finding *hot_findings_at(const struct hot_findings *findings,
                                                     size_t index);

/* What became of a descriptor between two snapshots. */
enum hot_change {
        HOT_CHANGE_NONE,      /* the same number is the same file */
        HOT_CHANGE_INHERITED, /* of an earlier generation, or under another number */
        HOT_CHANGE_REBOUND,   /* a listener on the same address that is another socket */
        HOT_CHANGE_NEW,
        HOT_CHANGE_GONE,
};

/* One row of a comparison: of what is new there is no before, of what is gone no after. */
struct hot_difference {
        int change; /* enum hot_change */
        const struct hot_inspect_process *process_before, *process;
        const struct hot_inspect_fd *before, *after;
};

/*
 * Compare two snapshots of one machine: @fn is called once for every descriptor of @after, then once for
 * each of @before of which nothing is left. Files are recognised by cookie, device and inode; what has none
 * of its own (an epoll, an eventfd) by its process and number, so that in another process it is new.
 * A negative return of @fn ends the comparison.
 *
 * Returns 0, what @fn returned, or -ENOMEM.
 */
HOT_EXPORT int hot_snapshot_diff(const struct hot_snapshot *before,
                                 const struct hot_snapshot *after,
                                 int (*fn)(const struct hot_difference *difference, void *data),
                                 void *data);

#ifdef __cplusplus
}
#endif

#endif
