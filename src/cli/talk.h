/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_TALK_H
#define HOT_CLI_TALK_H

/*
 * A conversation with a control socket, hotstart-control(7): one line of words there, lines of JSON back.
 * Whoever is at the other end may be stopped, dying, or another program: everything is waited for up to a
 * deadline, and an answer counts only if it is an object with a type.
 */

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How long a server may take to say something that it need not wait for. */
#define TALK_PATIENCE_MS 10000

struct talk {
        int fd;        /* owned; -1: none */
        json_t *hello; /* owned: the server's greeting */
        char *input;   /* owned: what has come of the next lines */
        size_t len, size;
};

enum { TALK_END = 1 }; /* the server has closed the connection */

/*
 * Connect to the socket @path, which must belong to @owner or root, and hear its greeting.
 *
 * Returns 0, or a negative errno: what connect(2) said (ECONNREFUSED: nobody listens there any more),
 * -ETIMEDOUT (it does not answer), -EPROTO (it is no control socket), -EPERM (it is another user's).
 */
int talk_open(struct talk *ret, const char *path, uid_t owner, int patience_ms);

void talk_close(struct talk *talk);

/* Send one request. Returns 0 or a negative errno. */
int talk_ask(struct talk *talk, const char *line);

/*
 * The next answer, given to the caller. @patience_ms below 0: as long as it takes. Returns 0, TALK_END,
 * -ETIMEDOUT, -EPROTO or another negative errno.
 */
int talk_hear(struct talk *talk, int patience_ms, json_t **ret);

/* Is that the type of an answer? */
bool talk_is(const json_t *answer, const char *type);

/* Of an object, with what to take where it is missing or of another kind. */
const char *talk_text(const json_t *object, const char *key, const char *otherwise);
json_int_t talk_number(const json_t *object, const char *key, json_int_t otherwise);

/* Ask for the status, and give the answer. Returns 0, TALK_END or a negative errno. */
int talk_status(struct talk *talk, json_t **ret);

/*
 * Is the process one of the server's generations (pids in its own namespace)? The greeting names those that
 * the server knows without asking; in a probation there may be others.
 */
bool talk_knows_pid(struct talk *talk, pid_t pid);

/* Was it one of the last that have ended? That says nothing of a process that has the number now. */
bool talk_knew_pid(const struct talk *talk, pid_t pid);

/* Are the pids of the server's answers ours too? */
bool talk_shares_pids(const struct talk *talk);

#endif
