/* SPDX-License-Identifier: MIT */
#ifndef HOT_FOREIGN_H
#define HOT_FOREIGN_H

/*
 * Dialects of others that announce a list of numbers: in, so that a program runs under their supervisors
 * or takes over from them, and out. Pure.
 *
 *   Server::Starter  SERVER_STARTER_PORT=KEY=FD;KEY=FD, KEY = PORT, HOST:PORT, [V6]:PORT or a UNIX path
 *   einhorn          EINHORN_FD_COUNT=N, EINHORN_FD_0=FD …, EINHORN_FD_NAME_0=NAME …, EINHORN_MASTER_PID=PID
 *   unicorn          UNICORN_FD=FD,FD
 *   gunicorn         GUNICORN_FD=FD,FD (and GUNICORN_PID)
 *   nginx            NGINX=FD;FD;
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than anybody passes: a bound for what has to be compared with each other. */
#define HOT__FOREIGN_MAX 256

enum hot__foreign_kind {
        HOT__FOREIGN_STARTER = 1,
        HOT__FOREIGN_EINHORN,
        HOT__FOREIGN_UNICORN,
        HOT__FOREIGN_GUNICORN,
        HOT__FOREIGN_NGINX,
};

struct hot__foreign {
        enum hot__foreign_kind kind;
        const char *variable; /* the one that announces, or that is malformed */
        bool supervised;      /* by a process that stays, and whose sockets they are */
        int n;
        struct {
                int fd;
                const char *name; /* in the environment, not terminated; NULL if there is none */
                size_t name_len;
        } entries[HOT__FOREIGN_MAX];
};

/*
 * Read an environment; the first of the kinds in the order above counts. @parent is the reader's parent: what
 * einhorn says is for its own children only. A number below 3 or twice is malformed; what a number is the
 * kernel has to say. A variable NGINX that is no such list is no announcement.
 *
 * Returns 1, 0 if there is none, or -EINVAL with ret->variable set.
 */
int hot__foreign_parse(char *const *environment, pid_t parent, struct hot__foreign *ret);

/* Is "NAME=value" one of these variables? */
bool hot__foreign_owns(const char *entry);

/* One listener to announce. */
struct hot__foreign_listener {
        const char *name;    /* as for LISTEN_FDNAMES */
        const char *address; /* canonical; "" if it is not known */
};

/*
 * The variables that announce @n listeners, from descriptor 3 on, by the process @announcer. One allocation with
 * the entries and their NULL, for free(). Returns 0, -ENOMEM, -E2BIG (execve(2) takes no such string) or -EINVAL (n is 0
 * or too large).
 */
int hot__foreign_announce(enum hot__foreign_kind kind,
                          const struct hot__foreign_listener *listeners, size_t n, pid_t announcer,
                          uint64_t generation, char ***ret);

#endif
