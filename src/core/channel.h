/* SPDX-License-Identifier: MIT */
#ifndef HOT_CHANNEL_H
#define HOT_CHANNEL_H

/*
 * The channel between two generations: an AF_UNIX SOCK_SEQPACKET socketpair. A message arrives whole,
 * with exactly its own descriptors. This is the only room that calls sendmsg(2) and recvmsg(2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "wire.h"

#define HOT__MESSAGE_FDS HOT__FRAME_FDS

struct hot__pending; /* a message that waits for room, with copies of its descriptors */

struct hot__channel {
        int fd; /* owned; -EBADF when closed */
        struct hot__pending *first, *last;
};

struct hot__message {
        uint8_t bytes[HOT__FRAME_MAX];
        size_t len;
        pid_t pid; /* of the sender, from SCM_CREDENTIALS: vouched for by the kernel; 0 if it is in no
                      process namespace that we see */
        uid_t uid;
        int fds[HOT__MESSAGE_FDS]; /* the message's until stolen; -EBADF after that */
        size_t n_fds;
};

/*
 * Make a pair, non-blocking, FD_CLOEXEC, with SO_PASSCRED. Initialises @ret_ours and gives the other end
 * in *ret_theirs. Returns 0 or a negative errno.
 */
int hot__channel_pair(struct hot__channel *ret_ours, int *ret_theirs);

/*
 * Use an inherited end. Checks that it is a connected AF_UNIX SOCK_SEQPACKET socket whose peer was made
 * by @uid (SO_PEERCRED names who made the pair). Sets it non-blocking, SO_PASSCRED, FD_CLOEXEC.
 * Ownership: takes @fd on success only, so that a foreign descriptor is left as it was.
 * Returns 0, -EBADF, -ENOTSOCK, -EPROTOTYPE, -ENOTCONN or -EPERM.
 */
int hot__channel_init_inherited(struct hot__channel *ret, int fd, uid_t uid);

/* Close, dropping what was not sent. May be called again. */
void hot__channel_done(struct hot__channel *channel);

/*
 * Send one message, or queue it behind others if the socket is full. @fds are borrowed: a queued message
 * has copies. Poll for POLLOUT and flush while channel->first is set.
 * Returns 0, -EMSGSIZE, -EINVAL (empty, or too many descriptors), -EPIPE (the peer is gone) or another
 * negative errno; the message is neither sent nor queued then.
 */
int hot__channel_send(struct hot__channel *channel, const void *bytes, size_t len, const int *fds,
                      size_t n_fds);

/* Send what is queued. Returns 1 if some is still waiting for room (poll for POLLOUT), 0 if none, or a
 * negative errno. */
int hot__channel_flush(struct hot__channel *channel);

enum hot__received {
        HOT__RECEIVED_NOTHING = 0, /* not now */
        HOT__RECEIVED_MESSAGE,
        HOT__RECEIVED_EOF, /* the peer has closed its end, and all it had sent was read */
};

/*
 * Receive one message. A truncated one, or one whose descriptors the kernel could not all deliver, is an
 * error after everything that did arrive has been closed. ECONNRESET from a peer that died with unread
 * frames is read past: what it had sent comes after.
 * Returns enum hot__received, or -EXFULL (bytes truncated), -ECHRNG (descriptors lost), -EPROTO (empty,
 * more than HOT__MESSAGE_FDS descriptors, or no credentials) or another negative errno. @message owns
 * descriptors only after HOT__RECEIVED_MESSAGE; hot__message_done() may follow every result, and must
 * before the message is received into again.
 */
int hot__channel_receive(struct hot__channel *channel, struct hot__message *message);

/* Move a descriptor out of the message. Returns it (given to the caller) or -EBADF. */
int hot__message_steal_fd(struct hot__message *message, size_t index);

/* Close the descriptors that nobody stole. */
void hot__message_done(struct hot__message *message);

/*
 * One datagram to an address, with descriptors: the service manager's protocol goes through this door.
 * Never blocks (-EAGAIN: the receiver is behind). @fds are borrowed. Returns 0 or a negative errno.
 */
int hot__datagram_send(const struct sockaddr *address, socklen_t address_len, const void *bytes,
                       size_t len, const int *fds, size_t n_fds);

#endif
