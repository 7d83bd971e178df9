/* SPDX-License-Identifier: MIT */
#ifndef HOT_PIDFILE_H
#define HOT_PIDFILE_H

/*
 * PID files, replaced as a whole: a reader sees the old content or the new, never a part.
 */

#include <sys/types.h>

/*
 * Write "@pid\n" to a temporary file beside @path (0644, less the umask) and rename it over whatever has
 * the name, a symbolic link included. Nothing is left behind on failure. Returns 0 or a negative errno.
 */
int hot__pidfile_write(const char *path, pid_t pid);

/* The pid in it, or a negative errno (-EINVAL: anything else than one pid is inside). */
pid_t hot__pidfile_read(const char *path);

/* Remove it if it still names @pid. Returns 0, also when it does not, or a negative errno. */
int hot__pidfile_remove(const char *path, pid_t pid);

#endif
