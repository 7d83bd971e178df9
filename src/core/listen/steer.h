/* SPDX-License-Identifier: MIT */
#ifndef HOT_STEER_H
#define HOT_STEER_H

/*
 * Which listener new connections and datagrams reach, decided in the kernel before they queue anywhere.
 * Whatever is steered belongs to the socket, and is so for every process that shares it.
 */

#include <stdbool.h>

/*
 * Let the SO_REUSEPORT group of @fd choose among its first @n members (in the order in which they joined)
 * or, with 0, among all. Handshakes that have begun stay where they are. Returns 0, -EINVAL (@fd is in no
 * group) or another negative errno.
 */
int hot__steer_group(int fd, unsigned int n);

/* Let it choose the member number @index, always. */
int hot__steer_to(int fd, unsigned int index);

/*
 * Let nothing new reach the listener @fd: a SYN or a datagram is dropped. What has begun goes on, what is
 * queued stays. A client's second SYN finds another member of the group, or, when the listener is closed,
 * its refusal. UNIX sockets are not steered. Returns 0, -EPERM
 * (the kernel wants a privilege for that: decoy.h) or another negative errno.
 */
int hot__steer_away(int fd);

/* Is it so? Who has taken the listener over in the meantime has undone it. */
bool hot__steer_is_away(int fd);

/* Undo that, if it was done; a filter of somebody else stays. Returns 0 or a negative errno. */
int hot__steer_back(int fd);

#endif
