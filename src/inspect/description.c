/* SPDX-License-Identifier: MIT */
/*
 * Are two descriptors one open file description? Two descriptors with the same inode need not be: a pipe
 * has two descriptions, a file may be opened twice, and all epolls, eventfds and timerfds share one inode.
 * kcmp(2) compares the kernel's own pointers; it asks for the right to read both processes (ptrace(2)),
 * which listing their descriptors needs as well, but a container's seccomp filter may still refuse it.
 *
 * A socket cannot be opened again by its name in /proc, so a socket's inode is as good.
 */
#include <errno.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hotstart/inspect.h>

static int read_target(pid_t pid, int fd, char target[PATH_MAX])
{
        char path[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        n = readlink(path, target, PATH_MAX - 1);
        if (n < 0)
                return errno == ENOENT ? -EBADF : -errno;
        target[n] = '\0';
        return 0;
}

/* @error is why kcmp would not tell: returned as it is unless both are sockets. */
static int compare_sockets(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b, int error)
{
        char a[PATH_MAX], b[PATH_MAX];

        if (read_target(pid_a, fd_a, a) < 0 || read_target(pid_b, fd_b, b) < 0)
                return error;
        if (strncmp(a, "socket:[", 8) != 0 || strncmp(b, "socket:[", 8) != 0)
                return error;
        return strcmp(a, b) == 0;
}

int hot_inspect_same(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b)
{
        long r;

        if (fd_a < 0 || fd_b < 0)
                return -EBADF;
        r = syscall(SYS_kcmp, pid_a, pid_b, KCMP_FILE, (unsigned long)fd_a, (unsigned long)fd_b);
        if (r == 0)
                return 1;
        if (r > 0)
                return 0;
        if (errno == ESRCH || errno == EBADF)
                return -errno;
        return compare_sockets(pid_a, fd_a, pid_b, fd_b, -errno);
}
