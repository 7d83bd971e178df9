/* SPDX-License-Identifier: MIT */
#ifndef HOT_DIALECT_H
#define HOT_DIALECT_H

/*
 * Dialects: how inherited descriptors are announced in the environment. Pure: environments in and out,
 * no descriptor is looked at. What a number really is, the kernel has to say (listener, channel).
 *
 *   own      HOT_CHANNEL=FD, HOT_ELDER=FD and HOT_GENERATION=N beside systemd's variables (whose LISTEN_PID does not
 *            matter then: the channel tells processes apart by credentials)
 *   systemd  LISTEN_FDS=N, LISTEN_PID=PID, LISTEN_FDNAMES=a:b: see sd_listen_fds(3)
 *            LISTEN_PIDFDID=N is the number of the receiver's pidfd, which no other process can have;
 *            LISTEN_FDS_FIRST_FD=FD, where they do not begin at 3
 *   seed     HOT_CONTINUE=1: one listener at descriptor 3
 *   foreign  lists of numbers, of Server::Starter, einhorn, unicorn, gunicorn and nginx: foreign.h
 *
 * What we announce to a child is all three: they agree that the first listener is descriptor 3.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "foreign.h"
#include "wire.h"

#define HOT__FIRST_FD 3

enum hot__dialect {
        HOT__DIALECT_NONE,
        HOT__DIALECT_OWN,
        HOT__DIALECT_SYSTEMD,
        HOT__DIALECT_SEED,
        HOT__DIALECT_FOREIGN,
};

/* Whose environment it is. */
struct hot__reader {
        pid_t pid, parent;
        uint64_t pidfd_id; /* the inode of its pidfd where the kernel has them; else 0 */
};

struct hot__announcement {
        enum hot__dialect dialect;
        const char *variable; /* the one that announced it, or that is malformed; "" if none */
        int n_fds;            /* listeners: see hot__dialect_fd() */
        int first_fd;         /* the first of them, but for FOREIGN */
        bool supervised;      /* whoever announces stays, and its paths are its own */
        const char *names;    /* LISTEN_FDNAMES' value, in the environment; NULL if not given */
        int channel;          /* OWN: its descriptor; else -EBADF */
        int elder; /* OWN: where the verdict on our elder comes from, see verdict.h; or -EBADF */
        int init;  /* where to tell who serves, see init.h; or -EBADF. Beside any dialect */
        uint64_t generation; /* OWN: of the receiver; else 1 */
        struct hot__foreign foreign;
};

/*
 * Read an environment. Returns 0, or -EINVAL with ret->variable naming the
 * malformed one.
 */
int hot__dialect_parse(char *const *environment, const struct hot__reader *reader,
                       struct hot__announcement *ret);

/* The descriptor of listener @index. */
int hot__dialect_fd(const struct hot__announcement *announcement, int index);

/* Does the environment say for which pidfd it is meant? Finding out one's own takes a few calls. */
bool hot__dialect_names_pidfd(char *const *environment);

/* The name of listener @index, "unknown" where none was given. Returns 0, or -EINVAL if it is too long
 * or has characters that no name may have. */
int hot__dialect_name(const struct hot__announcement *announcement, int index,
                      char ret[HOT__NAME_MAX]);

/* May it name a listener? 1 to 255 printable ASCII characters, no ':'. */
bool hot__dialect_name_is_valid(const char *name);

/* Is "NAME=value" a variable of a dialect, which nobody but the receiver should see? */
bool hot__dialect_owns(const char *entry);

/* An environment for a child. One allocation each; the strings of the base are borrowed. */
struct hot__environment {
        char **entries;
        char *own;                       /* the strings that are not the base's */
        char **next_entry, *next_string; /* room for one variable more */
        char *pid_slots[3]; /* where the child's pid is to be written, HOT__PID_DIGITS digits and a
                               zero; NULL after the last */
};

#define HOT__PID_DIGITS 10

/*
 * Rebuild @base (never append to what may already announce something) and announce @n_names listeners
 * from HOT__FIRST_FD on, with the channel and the elder's verdict right behind them. A WATCHDOG_PID in
 * @base, which is about the reader, becomes one about the child. Returns 0 or -ENOMEM.
 */
int hot__environment_build(char *const *base, const char *const *names, size_t n_names,
                           uint64_t generation, struct hot__environment *ret);

/* Announce the init's socket too. Once. */
void hot__environment_add_init(struct hot__environment *environment, size_t fd);

void hot__environment_done(struct hot__environment *environment);

/* Write @pid into the slot. Async-signal-safe: the child does this between clone and exec. */
void hot__environment_set_pid(char *pid_slot, pid_t pid);

#endif
