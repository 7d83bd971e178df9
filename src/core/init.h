/* SPDX-License-Identifier: MIT */
#ifndef HOT_INIT_H
#define HOT_INIT_H

/*
 * The process that stays, so that a service manager sees one pid for ever: a small init, the parent or
 * subreaper of every generation. It reaps, passes signals on to the generation that serves, and ends with
 * that one's status when nobody is left. It is no part of the life cycle: generations restart as ever.
 *
 * Who serves, the generations say on a socket that all of them hold the same end of (HOT_INIT in the
 * environment). The kernel vouches for the sender. When the init is killed the socket hangs up, and the
 * generations stop: who killed it meant the service.
 */

#include <sys/types.h>

#include "channel.h"

/* A message: three numbers of 32 bits, little-endian: this, a pid, a wait status. Numbers are never reused;
 * the init is older than every generation, and passes over what it does not know. */
enum hot__init_message {
        HOT__INIT_STARTING = 1, /* pid 0: the sender is a generation that does not serve yet */
        HOT__INIT_SERVES = 2,   /* this generation serves now; pid 0: the sender */
        HOT__INIT_ENDED = 3,    /* the sender has reaped this one, which ended so */
        HOT__INIT_BEGINS = 4, /* pid 0: the sender may accept, and has not said yet that it does */
};

struct hot__init {
        struct hot__channel channel;
        pid_t pid; /* of the init; 0: there is none */
};

/*
 * Use the inherited socket. Ownership: takes @fd on success only. Returns 0, -EBADF, -ENOTSOCK,
 * -EPROTOTYPE or -ENOTCONN.
 */
int hot__init_adopt(struct hot__init *ret, int fd);

/* Tell the init, if there is one. What cannot be told changes nothing for those whom we serve. */
void hot__init_tell(struct hot__init *init, enum hot__init_message message, pid_t pid, int status);

/* Read what there is, into @message. Returns whether the init is gone; then @init is as if there were none. */
bool hot__init_is_gone(struct hot__init *init, struct hot__message *message);

void hot__init_done(struct hot__init *init);

#endif
