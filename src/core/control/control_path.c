/* SPDX-License-Identifier: MIT */
#include "control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

bool hot__control_place(size_t index, uid_t uid, const char *runtime,
                        char ret[HOT__CONTROL_PLACE_MAX])
{
        int n = -1;

        switch (index) {
        case 0:
                if (runtime && runtime[0] == '/')
                        n = snprintf(ret, HOT__CONTROL_PLACE_MAX, "%s/hotstart", runtime);
                break;
        case 1:
                if (uid == 0)
                        n = snprintf(ret, HOT__CONTROL_PLACE_MAX, "/run/hotstart");
                break;
        default:
                n = snprintf(ret, HOT__CONTROL_PLACE_MAX, "/tmp/hotstart-%u", (unsigned int)uid);
        }
        return n >= 0 && n < HOT__CONTROL_PLACE_MAX;
}

/* Nobody but @uid can have put anything into it, or can now. */
static int check_private(int fd, uid_t uid)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_uid == uid && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0 ? 0 : -EPERM;
}

int hot__control_directory_open(int root, const char *path, uid_t uid, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        int r;

        /* From another root the path is to be found below that, not below ours. */
        if (root != AT_FDCWD)
                while (*path == '/')
                        path++;
        fd = openat(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP ? -ENOTDIR : -errno;
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd;
        r = check_private(fd, uid);
        if (r == 0)
                *ret_fd = hot__fd_take(&fd);
        return r;
}

/*
 * May we make our directory in this one? Only where nobody but us and root can take it away again under
 * our feet: not writable for others, or sticky, and not owned by another user, who could do what he likes.
 */
static int check_parent(const char *path)
{
        char parent[HOT__CONTROL_PLACE_MAX];
        const char *slash = strrchr(path, '/');
        size_t n = slash ? (size_t)(slash - path) : 0;
        struct stat st;

        if (n == 0 || n >= sizeof(parent))
                return n == 0 ? -EINVAL : -ENAMETOOLONG;
        memcpy(parent, path, n);
        parent[n] = '\0';
        if (stat(parent, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return -EPERM;
        return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (st.st_mode & S_ISVTX) ? 0 : -EPERM;
}

int hot__control_directory_make(const char *path, int *ret_fd)
{
        int r = check_parent(path);

        if (r < 0)
                return r;
        /* The umask may have taken more than a directory of ours can spare. */
        if (mkdir(path, 0700) == 0)
                r = chmod(path, 0700) < 0 ? -errno : 0;
        else if (errno != EEXIST)
                r = -errno;
        if (r < 0)
                return r;
        return hot__control_directory_open(AT_FDCWD, path, geteuid(), ret_fd);
}

int hot__control_address(int directory, const char *name, char *buffer, size_t size)
{
        int n = snprintf(buffer, size, "/proc/self/fd/%d/%s", directory, name);

        return n >= 0 && (size_t)n < size ? n : -ENAMETOOLONG;
}
