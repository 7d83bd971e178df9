/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_LOOP_H
#define HOT_HTTP_LOOP_H

/*
 * A loop: the only room that polls, by epoll(7). A loop polls descriptors, has one alarm and can be woken from other
 * threads. It knows nothing of HTTP.
 *
 * Descriptors are watched, not given to it: who watches one owns it, may close it as soon as hot__watch_close()
 * has returned, or pass it to another process. It is out of the epoll then, which matters for sockets that other
 * processes hold too: an epoll goes on reporting a closed descriptor while its description lives, and nobody can
 * take it out any more.
 *
 * To begin to watch is one system call, and so is to end it: thousands of connections move from one process to
 * another, and libraries that try a descriptor first, or set its flags, need five.
 *
 * What is ready is reported until it is not. To find out the kernel looks at all it has reported once more in the next
 * turn, which is a tenth of what a short request costs. So a watch with .edge is told of by the epoll only when
 * something comes, and for who has left something the loop asks again, by a system call. Who says that there
 * was no more saves both.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOT__READABLE 1
#define HOT__WRITABLE 2

struct hot__watch;

struct hot__loop {
        int epoll_fd, wake_fd; /* owned */
        uint64_t now;          /* of this turn, ms */
        uint64_t alarm_at;     /* UINT64_MAX: not set */
        size_t n_watches;
        struct hot__watch *closed; /* their memory may go at the end of the turn */
        atomic_bool waking;        /* a wake-up is on its way */
        bool ending;
        void (*woken)(struct hot__loop *loop);
        void (*alarmed)(struct hot__loop *loop);
        void (*turned)(struct hot__loop *loop); /* before it waits; may be NULL */
};

struct hot__watch {
        struct hot__loop *loop;
        struct hot__watch *next; /* of those that are closed */
        int fd;                  /* borrowed */
        uint8_t events;          /* watched for */
        uint8_t owed;            /* reported, and perhaps still true after .ready */
        bool edge;               /* its epoll tells of what is new: hot__watch_took_all() */
        /* @events is what may be done now; an error of the descriptor counts as both. */
        void (*ready)(struct hot__watch *watch, int events);
        void (*closed)(struct hot__watch *watch); /* its memory is free to go */
};

/* Returns 0 or a negative errno. */
int hot__loop_init(struct hot__loop *loop, void (*woken)(struct hot__loop *loop),
                   void (*alarmed)(struct hot__loop *loop));

/* Run until hot__loop_close() was called and the last watch is closed. */
void hot__loop_run(struct hot__loop *loop);

/* One turn, which waits for nothing. */
void hot__loop_run_once(struct hot__loop *loop);

/* It shall end. On its thread. */
void hot__loop_close(struct hot__loop *loop);

/* Free a loop that has run to its end, or never ran. */
void hot__loop_done(struct hot__loop *loop);

/* Have .woken called soon. Thread-safe, until hot__loop_done(). */
void hot__loop_wake(struct hot__loop *loop);

/* The time of this turn of the loop, in ms, monotonic. */
uint64_t hot__loop_now(const struct hot__loop *loop);

/* Have .alarmed called at @at or, if an earlier alarm is set, at that. */
void hot__loop_alarm(struct hot__loop *loop, uint64_t at);

/* Have @turned called in each turn of the loop, when all that was ready is done. */
void hot__loop_on_turn(struct hot__loop *loop, void (*turned)(struct hot__loop *loop));

/* Watch @fd (borrowed until hot__watch_close()) for nothing yet: .ready and .closed are the caller's to set, and
 * .edge if it will say what it has taken. */
void hot__watch_init(struct hot__watch *watch, struct hot__loop *loop, int fd);

/* Watch for @events; 0 takes it out of the epoll. Returns 0 or a negative errno. */
int hot__watch_set(struct hot__watch *watch, int events);

/* In .ready: a read has found the end of what was there, by -EAGAIN or, on TCP, because it got less than it had room
 * for. Nothing is lost if nobody says so, nor by what came meanwhile. */
void hot__watch_took_all(struct hot__watch *watch);

/* Out of the epoll, now; .closed is called at the end of this turn of the loop. */
void hot__watch_close(struct hot__watch *watch);

#endif
