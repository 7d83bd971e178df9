/* SPDX-License-Identifier: MIT */
#ifndef HOT_CONTROL_PATH_H
#define HOT_CONTROL_PATH_H

/*
 * Where the control socket of a process is: DIRECTORY/PID, in a directory that belongs to its user alone.
 * The server and those who look for it derive the same path from this one room.
 *
 * The places, in order of preference:
 *
 *   $XDG_RUNTIME_DIR/hotstart   if that variable names a directory that is the user's own
 *   /run/hotstart               for root
 *   /tmp/hotstart-UID           for everybody else
 *
 * A directory counts only if it is one (no symbolic link), belongs to the user, and lets nobody else in:
 * what others could put there is never opened. Where others could have made it first (/tmp), they can keep
 * a user from having a control socket, and no more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOT__CONTROL_PLACES 3

/* Long enough for every place: XDG_RUNTIME_DIR is cut off the list if it is longer. */
#define HOT__CONTROL_PLACE_MAX 512

/*
 * The place at @index, below HOT__CONTROL_PLACES, of a user. @runtime is the value of XDG_RUNTIME_DIR or
 * NULL. Pure. Returns false where that place is none of this user's.
 */
bool hot__control_place(size_t index, uid_t uid, const char *runtime,
                        char ret[HOT__CONTROL_PLACE_MAX]);

/*
 * Open a directory for control sockets that belongs to @uid: @path as seen from @root (AT_FDCWD: as we see
 * it). Returns 0 and gives the descriptor (O_PATH), -ENOENT, -ENOTDIR, -EPERM (it is another user's, or
 * others may enter it), or another negative errno.
 */
int hot__control_directory_open(int root, const char *path, uid_t uid, int *ret_fd);

/*
 * The same, of the effective user, and made if it is not there. The directory in which it is made must be
 * the user's or root's, and one in which nobody else can rename it. Returns as above.
 */
int hot__control_directory_make(const char *path, int *ret_fd);

/*
 * The address of a socket in an open directory, of any depth: "/proc/self/fd/N/NAME". Returns the length
 * for bind(2) and connect(2), or -ENAMETOOLONG.
 */
int hot__control_address(int directory, const char *name, char *buffer, size_t size);

#endif
