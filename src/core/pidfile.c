/* SPDX-License-Identifier: MIT */
/*
 * PID files, replaced as a whole by rename(2).
 *
 * The temporary file is made anew (O_EXCL) under a name nobody can guess: in a directory where others may
 * write, a link waiting under a known name would have us write to its target. It is not flushed to the
 * disk: no process in it survives the power failure that this would be for.
 */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

/* The largest pid has seven digits; a file that holds one has no more than this. */
#define CONTENT_MAX 16

static int create_beside(const char *path, char *ret_name, size_t size, int *ret_fd)
{
        uint64_t random;
        int fd, n;

        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -errno;
        n = snprintf(ret_name, size, "%s.%016" PRIx64, path, random);
        if (n < 0 || (size_t)n >= size)
                return -ENAMETOOLONG;
        fd = open(ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int write_pid(int fd, pid_t pid)
{
        char content[CONTENT_MAX];
        int n = snprintf(content, sizeof(content), "%d\n", pid);
        ssize_t written = write(fd, content, (size_t)n);

        if (written < 0)
                return -errno;
        return written == n ? 0 : -ENOSPC;
}

int hot__pidfile_write(const char *path, pid_t pid)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char temporary[PATH_MAX];
        int r;

        if (pid <= 0)
                return -EINVAL;
        r = create_beside(path, temporary, sizeof(temporary), &fd);
        if (r < 0)
                return r;
        r = write_pid(fd, pid);
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r;
}

/* Digits of a positive number, and a newline if there is anything more. */
static pid_t parse(const char *content, size_t len)
{
        pid_t pid = 0;
        size_t i;

        for (i = 0; i < len && content[i] >= '0' && content[i] <= '9'; i++) {
                int digit = content[i] - '0';

                if (pid > (INT_MAX - digit) / 10)
                        return -EINVAL;
                pid = pid * 10 + digit;
        }
        if (pid == 0 || (i < len && (content[i] != '\n' || i + 1 < len)))
                return -EINVAL;
        return pid;
}

pid_t hot__pidfile_read(const char *path)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char content[CONTENT_MAX];
        ssize_t n;

        /* O_NONBLOCK: a FIFO of that name must not stop us. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        n = read(fd, content, sizeof(content));
        if (n < 0)
                return -errno;
        return (size_t)n < sizeof(content) ? parse(content, (size_t)n) : -EINVAL;
}

/* What has been moved away was replaced after all: back with it, unless there is a newer one by now. */
static int put_back(const char *moved, const char *path)
{
        int r = link(moved, path) < 0 && errno != EEXIST ? -errno : 0;

        (void)unlink(moved);
        return r;
}

/*
 * Whoever else may write it does so at any time, so it is moved away before it is looked at for good: what
 * would be removed by its name might be another one by then.
 */
int hot__pidfile_remove(const char *path, pid_t pid)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char temporary[PATH_MAX];
        pid_t named = hot__pidfile_read(path);
        int r;

        if (named == -ENOENT || named == -EINVAL)
                return 0;
        if (named < 0)
                return named;
        if (named != pid)
                return 0;
        r = create_beside(path, temporary, sizeof(temporary), &fd);
        if (r < 0)
                return r;
        if (rename(path, temporary) < 0) {
                r = errno == ENOENT ? 0 : -errno;
                (void)unlink(temporary);
                return r;
        }
        named = hot__pidfile_read(temporary);
        if (named != pid) {
                r = put_back(temporary, path);
                return named < 0 && named != -EINVAL ? named : r;
        }
        return unlink(temporary) < 0 && errno != ENOENT ? -errno : 0;
}
