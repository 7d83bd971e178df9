/* SPDX-License-Identifier: MIT */
#ifndef HOT_CONTROL_SOCKET_H
#define HOT_CONTROL_SOCKET_H

/*
 * The listening end of a control socket, and its names. One socket for all generations, bound by the first
 * and inherited like a listener; each generation that serves adds the name DIRECTORY/PID (control_path.h),
 * so that any of their pids leads to it. A name is ours if the kernel says that it leads to our socket,
 * whoever made it.
 */

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

struct hot__control_socket {
        int fd;               /* owned; -EBADF: none */
        int directory;        /* owned; of the names; -EBADF: none could be had */
        char place[PATH_MAX]; /* its path */
        char *path; /* owned: where the host wants it, absolute; NULL: nowhere but under our names */
};

/* None yet, at @path: "" for the place that follows from the pid. Returns 0, -ENAMETOOLONG, -ENOMEM or an
 * error of getcwd(3). */
int hot__control_socket_init(struct hot__control_socket *control, const char *path);

/* Close. The names stay. May be called again. */
void hot__control_socket_done(struct hot__control_socket *control);

/*
 * Bind it, of mode 0600, and listen. @runtime: see hot__control_place(). Returns 0, -EADDRINUSE (somebody
 * lives there) or another negative errno.
 */
int hot__control_socket_bind(struct hot__control_socket *control, const char *runtime);

/* Use an inherited one. Ownership: takes @fd, always. Returns 0, or -ENOTSOCK or -EDESTADDRREQ. */
int hot__control_socket_take_fd(struct hot__control_socket *control, int fd);

/*
 * Give it the name of this process, beside those that it has. One that has lost all its names is bound
 * anew. Returns 0 or a negative errno; the other names go on leading to it then.
 */
int hot__control_socket_advertise(struct hot__control_socket *control, const char *runtime,
                                  pid_t pid);

/* Remove the name of one process, if it is one of ours. */
void hot__control_socket_withdraw(const struct hot__control_socket *control, pid_t pid);

/* Remove its names except those of the @n processes that are still there. */
void hot__control_socket_forget(const struct hot__control_socket *control, const pid_t *alive,
                                size_t n);

/* Remove every name: nobody listens any more when this process ends. */
void hot__control_socket_unlink(const struct hot__control_socket *control);

#endif
