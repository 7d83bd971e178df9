/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_H
#define HOTSTART_H

/*
 * libhotstart: replace the code of a running server without losing a request or a connection.
 *
 * A server opens a `struct hot`, asks it for its listeners, says when it is ready, and then polls one
 * descriptor and fetches events. On a restart the library starts the program again (a new
 * *generation*), lends it the listeners over exec, and the two agree over a private channel on the
 * moment at which the old one stops accepting and the new one starts. Until the new one serves, the old
 * one can go back as if nothing had happened (*roll back*).
 *
 * Conventions
 *   arguments   A `struct hot *` may be NULL only for hot_free() and hot_failure().
 *   errors      Functions that can fail return a negative errno and leave their ret_ parameters
 *               untouched; hot_failure() then has the detail. What is expected to happen (a restart
 *               that is rolled back, a drain that ends) is an event, not an error.
 *   descriptors An `int fd` parameter is borrowed for the call. A returned descriptor says who owns it.
 *               Every descriptor the library makes has FD_CLOEXEC.
 *   time        Durations are milliseconds in options. Deadlines in events are CLOCK_MONOTONIC
 *               nanoseconds.
 *   threads     A `struct hot` belongs to one thread. Only hot_hold(), hot_release(), hot_restart() and
 *               hot_stop() may be called from others; the last two from signal handlers too.
 *   house rules The library starts no threads, stores no callbacks, prints nothing, and touches no
 *               signal unless hot_signals() asks it to. It needs Linux 5.9 (close_range(2)).
 *
 * The life of a restart has numbered steps, R1 to R11: see hotstart(7).
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOT_EXPORT __attribute__((visibility("default")))

#define HOT_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

struct hot;

/* The version of the library in use, as HOT_VERSION was when it was compiled. */
HOT_EXPORT const char *hot_version(void);

/*
 * How to open. Zero every member you do not care for: zero means the default.
 *
 *     struct hot_options options = {.size = sizeof(options)};
 */
struct hot_options {
        size_t size;          /* sizeof(struct hot_options) */
        char *const *argv;    /* the program's arguments; NULL: as this process was started */
        const char *program;  /* what a restart executes; NULL: what runs here, as it was named */
        const char *pid_file; /* kept right across restarts (written by rename); NULL: none */
        unsigned int
                start_ms; /* from spawn to ready, 30000; after that the new process is killed */
        unsigned int quiesce_ms;   /* from HOT_QUIESCE to hot_quiesced(), 5000 */
        unsigned int serve_ms;     /* from commit to serving in the new process, 5000 */
        unsigned int drain_ms;     /* from HOT_DRAIN or HOT_STOP to HOT_EXIT at the latest, 60000 */
        unsigned int probation_ms; /* how long the old generation can resume, 2000; or HOT_NONE */
        unsigned int
                max_generations;    /* processes at a time, the next one included, 8; at least 2 */
        unsigned int manual_commit; /* 1: a ready successor waits for hot_commit() or hot_abort() */
        const char *
                check; /* an argument, "--check": before a restart the program has to end with status
                              0 when it is run with its arguments and this one; NULL: no check */
        const char *control; /* where hotstart(1) finds it, see hotstart-control(7): a path; "": the
                                place that follows from the pid; NULL: nowhere */
};

/* For a duration: none at all, where 0 means the default. */
#define HOT_NONE (~0U)

/*
 * The steps of a restart, and the places where something can fail.
 */
enum hot_step {
        HOT_STEP_OPEN = 1,  /* hot_open(): the environment and what it announces */
        HOT_STEP_LISTEN,    /* hot_listen(): bind, or verify what was inherited */
        HOT_STEP_TRIGGER,   /* R1  a restart was asked for */
        HOT_STEP_PREFLIGHT, /* R2  the program, looked up again now */
        HOT_STEP_SPAWN,     /* R3  the new process runs */
        HOT_STEP_HELLO,     /* R4  it speaks our protocol */
        HOT_STEP_OFFER,     /* R5  it has what it inherits */
        HOT_STEP_READY,     /* R6  it could serve */
        HOT_STEP_QUIESCE,   /* R7  the old generation has stopped accepting */
        HOT_STEP_COMMIT,    /* R7  the new generation may accept */
        HOT_STEP_SERVING,   /* R7  it does: the restart is committed */
        HOT_STEP_DRAIN,     /* R8  the old generation finishes what it has */
        HOT_STEP_RETIRE,    /* R10 PID file and service manager follow the new generation */
        HOT_STEP_EXIT,      /* R11 the old generation may go */
        HOT_STEP_CHECK,     /* R2  the check command */
        HOT_STEP_HELD,      /* R6  ready; waits for hot_commit() or hot_abort() */
        HOT_STEP_PROBATION, /* R9  the old generation can resume */
        HOT_STEP_CONTROL,   /* the control socket: it could not be had, or somebody was refused */
};

/* A step's name in lower case: "preflight". "?" for a number that is none. */
HOT_EXPORT const char *hot_step_name(int step);

enum hot_reason {
        HOT_REASON_ERROR = 1, /* a call failed: .error says how */
        HOT_REASON_EXITED,    /* the new process ended: .wait_status */
        HOT_REASON_TIMEOUT,   /* the step's deadline passed */
        HOT_REASON_PROTOCOL,  /* the peer broke the handover protocol */
        HOT_REASON_VERSION,   /* no protocol version that both sides speak */
        HOT_REASON_STRANGER,  /* another process than the spawned one answered */
        HOT_REASON_REFUSED,   /* the new process refused what it was offered: .error */
        HOT_REASON_ABORTED,   /* somebody said hot_abort(), or hot_stop() */
};

/*
 * What went wrong, where. Owned by the library, valid until the next call with the same struct hot
 * (in an event: until the next hot_next()). Members are only ever appended.
 */
struct hot_failure {
        int step;            /* enum hot_step */
        int reason;          /* enum hot_reason */
        int error;           /* an errno, positive; 0 if there is none */
        int wait_status;     /* as waitpid(2) has it, if the process has ended; else -1 */
        pid_t pid;           /* the new process; 0 if there is none */
        int fd;              /* the descriptor it is about; -EBADF if none */
        const char *subject; /* the program, address or variable it is about; "" if none */
        pid_t other;         /* HOT_REASON_STRANGER: the process that answered; else 0 */
        const char *words;   /* HOT_REASON_REFUSED: what the new process said; "" if nothing */
};

/*
 * The failure in words, without a newline: "preflight: ./server: No such file or directory".
 *
 * Writes at most @size bytes with the terminating zero. Returns @buffer. Thread-safe.
 */
HOT_EXPORT const char *hot_failure_string(const struct hot_failure *failure, char *buffer,
                                          size_t size);

/*
 * Open: read what the environment announces (our own dialect, systemd's LISTEN_FDS, the older
 * HOT_CONTINUE, and the lists of Server::Starter, einhorn, unicorn, gunicorn and nginx), check every
 * descriptor with the kernel, set FD_CLOEXEC on it, and unset the variables, so that no other child inherits them. They are ignored where real and effective ids differ,
 * and all but our own in a program that gets capabilities from its file.
 *
 * Call it early in main(), before other threads start (it changes the environment) and before the
 * process changes its directory, mask, affinity, nice value or umask: the next generation gets those of
 * this moment. In a new generation it waits for the old one's offer.
 *
 * *ret_hot is set even on failure (to NULL only for -ENOMEM): ask hot_failure(), then hot_free().
 *
 * Returns 0, -EINVAL (malformed options or environment), -EBADF or -ENOTSOCK or -EDESTADDRREQ (an
 * announced descriptor is closed, no socket, or no listener), -EPROTO, -EPROTONOSUPPORT, or what the
 * kernel returned. Descriptors that are not what was announced are left as they were.
 */
HOT_EXPORT int hot_open(struct hot **ret_hot, const struct hot_options *options);

/*
 * Close every descriptor of the library and free it. Accepts NULL. A child that is being started is
 * killed. UNIX paths and the PID file are removed only after a stop without a successor.
 */
HOT_EXPORT void hot_free(struct hot *hot);

/* The detail of the last call that failed, or NULL. */
HOT_EXPORT const struct hot_failure *hot_failure(const struct hot *hot);

/* 1 for a process that was started afresh, one more for each restart. */
HOT_EXPORT uint64_t hot_generation(const struct hot *hot);

/*
 * A listener: inherited if one was offered for this name and address, else bound now.
 *
 * @address is "tcp://HOST:PORT", "HOST:PORT", ":PORT" (all addresses), "[V6]:PORT", "unix:/PATH",
 * "unix:@ABSTRACT" or "udp://HOST:PORT". PORT may be a service name. ":PORT" means both IPv6 and IPv4
 * where the kernel has them. Settings may follow: "?backlog=N&reuseport=N&fastopen=N&v6only=0|1&
 * defer_accept=SECONDS&device=NAME&…" for what is bound to a port, "?mode=0660&owner=USER&group=GROUP" for a path:
 * see hot_listen(3). An inherited listener is changed to them once we serve. @name is the listener's name in LISTEN_FDNAMES: 1 to 255 printable
 * characters without ':'. A program started by a service manager gets the socket that was configured
 * there, by name or in the order given, whatever its address.
 *
 * Ownership: the descriptor is lent. It is non-blocking, in the listening state, shared with other
 * generations (change no option of it), and stays valid until hot_quiesced(); HOT_RESUME makes it the
 * host's again. For a loop that closes what it polls, dup(2) it. Never shutdown(2) it.
 *
 * Call before hot_ready(). Returns the descriptor, or -EINVAL, -EEXIST (asked for twice), -EADDRINUSE,
 * -EACCES, -EADDRNOTAVAIL, … from bind(2); -ENXIO (the host name does not resolve) or -ENOTSOCK (the
 * path is something else than a socket, and stays as it is).
 */
HOT_EXPORT int hot_listen(struct hot *hot, const char *name, const char *address);

/* Would hot_listen() understand it? Nothing is looked up or bound. Returns 0 or -EINVAL. Thread-safe. */
HOT_EXPORT int hot_address_check(const char *address);

/*
 * The members of the SO_REUSEPORT group that hot_listen() made or inherited for an address with
 * "?reuseport=N": @fd is what it returned, @index goes from 0, which is @fd itself, to N - 1. Give each
 * loop one of them. All of them travel; the kernel spreads new connections over them. Lent as by hot_listen().
 *
 * Returns the descriptor, or -ENOENT when there are no more.
 */
HOT_EXPORT int hot_listener_member(struct hot *hot, int fd, unsigned int index);

/*
 * After HOT_DRAIN: the next listener that the new generation did not take, because its configuration has
 * no such address any more or fewer members in a group. Who waits in its queue is ours to serve: accept from it
 * again, until HOT_QUIESCE comes once more, and confirm that. Call until -ENOENT. Lent until then.
 *
 * Returns the descriptor (of those that hot_listen(), hot_listener_member() and hot_adopt() gave), or -ENOENT.
 */
HOT_EXPORT int hot_leftover(struct hot *hot);

/*
 * The next inherited listener that the environment announced and no hot_listen() asked for by address,
 * now or in an earlier generation: sockets that a service manager gave beside the known ones. Call after
 * every hot_listen(). Lent as by hot_listen(). *ret_name (may be NULL) is the library's.
 *
 * Returns the descriptor, or -ENOENT when there is none left.
 */
HOT_EXPORT int hot_adopt(struct hot *hot, const char **ret_name);

/*
 * Where a listener listens, in the form that hot_listen() takes, asked of the kernel: with the real
 * port where 0 was asked for. @fd is any bound socket.
 *
 * Writes at most @size bytes with the terminating zero. Returns 0, -ENOSPC, or an error of
 * getsockname(2).
 */
HOT_EXPORT int hot_listener_address(int fd, char *buffer, size_t size);

/*
 * R6: this process could serve now. Returns at once; HOT_SERVE says when to begin. Inherited listeners
 * that nobody asked for are left to the old generation, or closed if there is none.
 *
 * Returns 0, or -EALREADY.
 */
HOT_EXPORT int hot_ready(struct hot *hot);

/*
 * Confirm HOT_SERVE or HOT_RESUME: this process accepts. If it was started by HOT_CONTINUE alone, its
 * parent is sent SIGTERM now. Returns 0, or -EINVAL if not asked.
 */
HOT_EXPORT int hot_serving(struct hot *hot);

/*
 * Confirm HOT_QUIESCE or HOT_STOP: no acceptor runs any more, no poller holds a listener. Returns 0, or
 * -EINVAL if not asked.
 */
HOT_EXPORT int hot_quiesced(struct hot *hot);

/*
 * R1: restart. The outcome comes as events. A call during a restart joins it if the program is still the
 * same file, else one more restart follows. In a generation that drains the call is passed on to the one
 * that serves. Thread-safe and async-signal-safe. Returns 0.
 */
HOT_EXPORT int hot_restart(struct hot *hot);

/*
 * With options.manual_commit: the successor that is ready may serve, or shall go. hot_abort() gives up any
 * restart that is not committed yet. Without such a restart they mean nothing. Thread-safe and
 * async-signal-safe. Return 0.
 */
HOT_EXPORT int hot_commit(struct hot *hot);
HOT_EXPORT int hot_abort(struct hot *hot);

/*
 * Stop gracefully: HOT_STOP, then HOT_EXIT when nothing is held or the drain deadline passes. A second call
 * makes it HOT_EXIT at once. A generation that drains goes on to its deadline, but ends what is idle: it gets
 * HOT_STOP too. A restart in progress is given up: the new process is killed, or told to stop as well if it
 * may serve already. Thread-safe and async-signal-safe. Returns 0.
 */
HOT_EXPORT int hot_stop(struct hot *hot);

/*
 * The usual signals, if you want them: SIGUSR2 calls hot_restart(), SIGTERM and SIGINT call hot_stop().
 * Blocks them in the calling thread and reads them through a signalfd(2) that hot_fd() covers; call
 * before other threads start, so that they inherit the mask. With it a new release that knows only
 * HOT_CONTINUE (descriptor 3, SIGTERM to the parent when it serves) can take over. SIGUSR2 is blocked in the next
 * generation from its first instruction, so that an early one waits instead of killing it: a new release
 * that does not call this any more has to unblock it.
 *
 * Returns 0, -EALREADY, or an error of signalfd(2).
 */
HOT_EXPORT int hot_signals(struct hot *hot);

/*
 * Block a signal in the next generation from its first instruction, as hot_signals() does with SIGUSR2, so that
 * one which comes before it can be handled waits instead of killing it. In this process nothing changes.
 * It holds for what is started from now on; a new release that does not handle the signal has to unblock it.
 *
 * Returns 0, or -EINVAL: no such signal, or one that cannot be blocked.
 */
HOT_EXPORT int hot_signal_block(struct hot *hot, int signal);

/*
 * Keep a drain or a stop from ending: one hold for each piece of work that must finish (a request, a
 * connection, or simply the server until its last connection is gone). Thread-safe; a thread that releases
 * must have returned from it before hot_free(): join it first.
 */
HOT_EXPORT void hot_hold(struct hot *hot);
HOT_EXPORT void hot_release(struct hot *hot);

/*
 * Something that the host counts, for those who ask for its state over the control socket: "connections".
 *
 * @value is borrowed until hot_free() and read atomically at any time; change it atomically. @name is 1 to
 * 31 characters, and given once. Names that begin with "pinned-" are for connections that cannot move to
 * another generation, a reason each: "pinned-tls". Returns 0, -EINVAL, -EEXIST, or -ENOSPC (there are 32 already).
 */
HOT_EXPORT int hot_figure(struct hot *hot, const char *name, const long *value);

enum hot_event_type {
        HOT_SERVE = 1, /* accept now, then hot_serving() */
        HOT_QUIESCE,   /* stop every acceptor, then hot_quiesced(); tear nothing else down */
        HOT_DRAIN, /* committed elsewhere: hot_give() what can move and finish what is held by .deadline; see
                       hot_leftover() too. Comes again when hot_give() has room again */
        HOT_RESUME, /* the successor is gone, perhaps after HOT_DRAIN: accept, then hot_serving() */
        HOT_FAILED, /* a restart was rolled back: .failure; this generation serves on */
        HOT_STOP, /* shut down gracefully by .deadline: as HOT_QUIESCE, then finish what is held */
        HOT_EXIT, /* nothing left to do here: tear down. .held is what the deadline cut off */
        HOT_STEP, /* a restart has reached .step: for those who log */
        HOT_SAVE, /* a new process runs: hot_put() now what it starts from */
        HOT_CONNECTION, /* a live connection, .connection: see hot_accept_connection() */
};

/*
 * What happened. Owned by the library until the next hot_next(). Members are only ever appended.
 */
struct hot_event {
        int type;                          /* enum hot_event_type; ignore what you do not know */
        int step;                          /* HOT_STEP: enum hot_step */
        uint64_t deadline;                 /* CLOCK_MONOTONIC ns, where there is one; else 0 */
        const struct hot_failure *failure; /* HOT_FAILED; HOT_STEP with trouble; else NULL */
        pid_t pid;                         /* the other generation it is about; 0 if none */
        uint64_t generation;               /* of that process */
        size_t held;                       /* HOT_EXIT: holds that were not released */
        const char *detail;                /* HOT_STEP: the program's path at preflight; else "" */
        const struct hot_connection *connection; /* HOT_CONNECTION; else NULL */
};

/*
 * The descriptor to poll for reading, in any event loop. Ownership: lent, until hot_free().
 */
HOT_EXPORT int hot_fd(const struct hot *hot);

/*
 * The next event, or NULL. Never blocks. Call it until it returns NULL, once after hot_ready() and each
 * time hot_fd() is readable.
 */
HOT_EXPORT const struct hot_event *hot_next(struct hot *hot);

/*
 * Keep a descriptor for the generations after this one: a shared memfd, a timer, a pipe, a socket that is no
 * listener. It travels with the offer (R5); what is kept later, up to hot_quiesced(), travels with the
 * commit (R7). @name is as that of hot_listen(), and has nothing to do with those. Keeping another one under
 * a name replaces the first.
 *
 * Ownership: @fd is borrowed, and duplicated. Returns 0, -EINVAL, -EBADF, -EMFILE or -ENOMEM.
 */
HOT_EXPORT int hot_keep(struct hot *hot, const char *name, int fd);

/*
 * What is kept under @name, by this generation or the one before it. What nobody asked for here by the time
 * hot_serving() confirms HOT_SERVE is closed; what was asked for goes on to the next generation by itself.
 * At HOT_SERVE the predecessor may have kept another one under the name: ask again.
 *
 * Ownership: lent, until hot_serving() if another one came with the commit, else until hot_keep() or
 * hot_drop() of that name or hot_free(). Returns the descriptor, -ENOENT, or -EINVAL.
 */
HOT_EXPORT int hot_kept(struct hot *hot, const char *name);

/*
 * State for the next generation: @len bytes, copied now into memory that nobody can change any more, with
 * the version of their format. Put at HOT_SAVE what the next one starts from, and again at HOT_QUIESCE what
 * has changed since: the newest one counts. It is not handed on any further: each generation puts its own.
 * What must be right during a drain too, while both generations work, belongs into a shared memory that is
 * kept, see hot_keep().
 *
 * Returns 0, -EINVAL, -ENOMEM, -EMFILE, or what memfd_create(2) or write(2) said.
 */
HOT_EXPORT int hot_put(struct hot *hot, const char *name, const void *bytes, size_t len,
                       uint32_t version);

/*
 * What the predecessor put under @name. The seals of the memory have been verified: it can neither change
 * nor vanish. What it says has not. Ask again at HOT_SERVE: what changed came with the commit.
 *
 * Ownership: *ret_bytes is lent, for reading, until hot_serving(). The ret_ parameters may be NULL.
 * Returns 0, -ENOENT, -EINVAL, -EPERM (it was not sealed) or what mmap(2) said.
 */
HOT_EXPORT int hot_get(struct hot *hot, const char *name, const void **ret_bytes, size_t *ret_len,
                       uint32_t *ret_version);

/*
 * No longer hand on what this generation keeps or has put under @name. A successor that has been offered it
 * already has it. Returns 0, -ENOENT, or -EINVAL.
 */
HOT_EXPORT int hot_drop(struct hot *hot, const char *name);

/*
 * As a new generation: what the predecessor handed over is of no use (a version that is not known, bytes
 * that make no sense). The restart is rolled back with HOT_REASON_REFUSED, @error and @why, which is one
 * line for its operator. Call it before hot_ready(), or at HOT_SERVE instead of hot_serving(); then leave.
 *
 * Returns 0, -EINVAL, or -ENOTCONN: there is no predecessor that could go on serving.
 */
HOT_EXPORT int hot_refuse(struct hot *hot, int error, const char *why);

/*
 * A live connection on its way to another generation: any connected descriptor, with what was read from it and
 * not looked at, what has to be written to it still, and what its host knows of it.
 *
 *     struct hot_connection connection = {.size = sizeof(connection), .kind = "chat", .fd = fd};
 */
struct hot_connection {
        size_t size; /* sizeof(struct hot_connection) */
        const char
                *kind; /* what it speaks, so that the receiver knows; as a name of hot_listen() */
        int fd;
        unsigned int flags; /* HOT_RESUMABLE, or 0 */
        const void *input;  /* read from it, and not processed */
        size_t input_len;
        const void *output; /* to be written before anything else */
        size_t output_len;
        const void *state; /* the host's own */
        size_t state_len;
        uint32_t version; /* of the state's format */
        int error; /* HOT_CONNECTION: 0: it comes from an older generation; else it is one of ours that
                               came back, and why: an errno, positive */
};

/*
 * The giver keeps a copy through its probation, which it does not touch: if the receiver dies by then, and had
 * not touched the connection either, it comes back as HOT_CONNECTION. Only for TCP connections without input and
 * output, and only where every generation that serves the kind ends a connection in this order: out of the
 * poller, shutdown(2), close(2). While somebody holds a copy a close(2) alone sends nothing to the peer.
 */
#define HOT_RESUMABLE 0x1

/*
 * R8: after HOT_DRAIN, give a connection to the generation that serves. Take it out of every poller first, and
 * read or write nothing any more: the bytes that are in the kernel travel with the descriptor. Connections leave
 * in batches, the last one when hot_next() is called: give some, let the loop turn, give more.
 *
 * Returns 0: the descriptor is the library's now, the rest was copied. It comes back, with the same bytes, as
 * HOT_CONNECTION if the receiver refuses it or dies before it accepts it. A drain waits for the answer.
 * Otherwise nothing has happened: -EAGAIN (no room: HOT_DRAIN comes again), -ENOTCONN (nobody to give it to, or
 * nobody who takes connections), -EINVAL, -EBADF, -E2BIG (more than 64 MiB) or -ENOMEM.
 */
HOT_EXPORT int hot_give(struct hot *hot, const struct hot_connection *connection);

/*
 * How many hot_give() would take now: for those who have to collect them from other threads. 0 means that
 * HOT_DRAIN comes again when there is room. Returns a number, or -ENOTCONN as hot_give() does.
 */
HOT_EXPORT int hot_give_room(struct hot *hot);

/*
 * Take the connection of the HOT_CONNECTION that hot_next() gave last. Put it into a poller at once, if you
 * like, but read and write nothing before hot_next() has returned NULL: by then the giver knows that it is ours,
 * and until then it would serve it again if this process died.
 *
 * Ownership: the descriptor is given to the caller. It is FD_CLOEXEC, and as blocking as its giver left it.
 * Returns it, or -EINVAL if there is none.
 */
HOT_EXPORT int hot_accept_connection(struct hot *hot);

/*
 * Do not take it: its giver goes on with it, and is told @error, an errno. What is neither accepted nor refused
 * by the next hot_next() is refused with EOPNOTSUPP. One that came back is closed. Returns 0 or -EINVAL.
 */
HOT_EXPORT int hot_refuse_connection(struct hot *hot, int error);

/*
 * The privileges that this process has given up since hot_open() (user and group ids, capabilities, the root
 * directory), or the bounds that it has set itself (no_new_privs, seccomp, securebits), are meant: the next
 * generation shall begin with what is left now. Without this a restart is refused at R2, since a program
 * that was started as root would start its successor as somebody who may not do what it does first.
 *
 * Call it after the last of them, in the thread that calls hot_next(). Returns 0 or a negative errno.
 */
HOT_EXPORT int hot_dropped_privileges(struct hot *hot);

/*
 * A PID that never changes, for PID 1 of a container, runit, s6, supervisord and a foreground shell: the
 * process that calls this stays, as a small init, and a child of it goes on and serves. Generations replace
 * each other as ever; the init reaps, passes every signal on to the one that serves, and ends when no child
 * is left.
 *
 *     int main(int argc, char **argv)
 *     {
 *             int status;
 *
 *             if (hot_init(&status) > 0)
 *                     return status;
 *
 * Call it first in main(): before threads, before anything is opened or written. In a process that takes
 * over from another it does nothing. The PID file holds the init's pid then, and no service manager is told
 * of another. If the init is killed the generations stop.
 *
 * Returns 0 in the process that goes on; 1 in the one that stayed, after the end of all, with the exit
 * status of the last generation that served (128 + N if signal N killed it); or a negative errno: then
 * nothing has happened.
 */
HOT_EXPORT int hot_init(int *ret_status);

#ifdef __cplusplus
}
#endif

#endif
