/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_SERVER_H
#define EXPERIMENT_SERVER_H

/*
 * The server under test: its generations as processes, and its log.
 *
 * The experiment makes itself the reaper of its descendants: when an old generation ends, the newer one
 * becomes its child, so that every generation can be waited for and nothing can be left behind.
 */

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A process that is held by a pidfd: it can be signalled without hitting another. */
struct generation {
        pid_t pid; /* 0: none */
        int pidfd; /* owned; -EBADF if there is none */
        uint64_t number;
        bool ended;
        int wait_status; /* as waitpid(2) has it, when it has ended */
};

struct server {
        char program[4096];
        struct sockaddr_in address;
        char listen[32];    /* the same in text */
        unsigned int delay; /* seconds that GET /hello takes */
        int log_fd; /* owned: the reading end of what the server prints; -EBADF before and after */
        char log[1024]; /* a line that is not yet complete */
        size_t log_len;
};

/*
 * Choose the program (@program, or `demo` beside this one) and the port (@port, or a free one when that is
 * taken or 0) and say so. Returns 0 or a negative errno.
 */
int server_init(struct server *ret, const char *program, uint16_t port, unsigned int delay);

/* Start its first generation with the signal mask @mask. Returns 0 or a negative errno. */
int server_start(struct server *server, const sigset_t *mask, struct generation *ret);

/* Print what the server has logged since. Returns false at the end of the log: all of it is gone. */
bool server_log(struct server *server);

/* Kill whatever there still is, by pidfd, and wait until it is gone. Returns how many there were. */
unsigned int server_done(struct server *server);

/* Hold on to a process. Returns 0, -ESRCH or another negative errno. */
int generation_open(struct generation *ret, pid_t pid, uint64_t number);
void generation_done(struct generation *generation);

/* Returns 0 or a negative errno. */
int generation_signal(const struct generation *generation, int signal);

/* Note the end of a child that has ended. Returns whether it has. */
bool generation_has_ended(struct generation *generation);

/* The child of @parent, or 0 if it has none. */
pid_t generation_successor(const struct generation *parent);

#endif
