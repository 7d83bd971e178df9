/* SPDX-License-Identifier: MIT */
#ifndef HOT_CONTROL_CLIENT_H
#define HOT_CONTROL_CLIENT_H

/*
 * One connection to the control socket: lines in, lines out, never waiting for either. What a client may
 * cost is bounded: one unread line, and answers up to a limit, beyond which it is dropped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest request, its newline included. */
#define HOT__CONTROL_LINE_MAX 256

/* Events that nobody reads pile up to this; one answer may be larger. */
#define HOT__CONTROL_PENDING_MAX ((size_t)256 * 1024)

struct hot__control_client {
        int fd; /* owned; -EBADF: a free slot */
        char input[HOT__CONTROL_LINE_MAX];
        size_t input_len;
        char *output; /* owned: what is not sent yet */
        size_t output_len;
        uint64_t used;                   /* when it last said something */
        uint64_t waits_for;              /* the restart whose outcome it gets; 0: none */
        bool asked_capture, asked_force; /* of that restart */
        bool wants_status;               /* until the other generations have told */
        bool subscribed;                 /* to events */
        bool closing;                    /* as soon as all is sent */
        bool ended;                      /* it will ask for nothing more */
        bool lingering; /* it was told all, and is let go as soon as it is content */
};

/* Whose process is at the other end? Returns 0 or a negative errno. */
int hot__control_client_peer(int fd, pid_t *ret_pid, uid_t *ret_uid);

/* Ownership: takes @fd, always. */
void hot__control_client_take_fd(struct hot__control_client *client, int fd);

/*
 * Say no more. What is unread when a socket is closed is a reset at the other end, where an answer may be
 * unread too: so what comes is taken and forgotten until the other end is closed as well.
 */
void hot__control_client_linger(struct hot__control_client *client);
/* Returns false at that end. */
bool hot__control_client_spill(const struct hot__control_client *client);

/* Close, dropping what was not sent. May be called again. */
void hot__control_client_done(struct hot__control_client *client);

enum hot__control_said {
        HOT__CONTROL_SAID_NOTHING = 0, /* not now */
        HOT__CONTROL_SAID_LINE,
        HOT__CONTROL_SAID_TOO_MUCH, /* a line that is too long; there is no going on */
        HOT__CONTROL_SAID_END,      /* closed, or broken; a line without its newline was none */
};

/* The next line, without its newline. One with a zero in it is as good as an empty one. */
enum hot__control_said hot__control_client_hear(struct hot__control_client *client,
                                                char ret_line[HOT__CONTROL_LINE_MAX]);

/* Send, or queue behind what is unsent. Returns 0, -ENOMEM, or what send(2) said: drop the client then. */
int hot__control_client_say(struct hot__control_client *client, const char *text, size_t len);

/* Send what is queued. Returns 1 if some is still waiting for room, 0 if none, or a negative errno. */
int hot__control_client_flush(struct hot__control_client *client);

#endif
