/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/fd is a directory of links that are no ordinary links: readlinkat(2) gives the kernel's name
 * for the file, statx(2) through the link the file itself, even when no path leads there. Any step may fail
 * with ENOENT because the descriptor was closed since the directory was read: then it is not in the table.
 */
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "kind.h"

int hot__table_open(const struct hot__proc *process, struct hot__table *ret)
{
        int fd = openat(process->fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory;

        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        directory = fdopendir(fd);
        if (!directory) {
                hot__fd_close(fd);
                return -ENOMEM;
        }
        *ret = (struct hot__table){process, directory};
        return 0;
}

void hot__table_done(struct hot__table *table)
{
        if (table->directory)
                closedir(table->directory);
        table->directory = NULL;
}

/* Of our own process the table would show the descriptors that reading it takes. */
static bool is_ours(const struct hot__table *table, int fd)
{
        return table->process->pid == getpid() &&
               (fd == table->process->fd || fd == dirfd(table->directory));
}

int hot__table_next(struct hot__table *table, int *ret_fd, char target[PATH_MAX])
{
        struct dirent *entry;
        ssize_t n;
        int fd;

        for (;;) {
                errno = 0;
                entry = readdir(table->directory);
                if (!entry)
                        return -errno;
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
                        continue;
                fd = (int)strtol(entry->d_name, NULL, 10);
                if (is_ours(table, fd))
                        continue;
                n = readlinkat(dirfd(table->directory), entry->d_name, target, PATH_MAX - 1);
                if (n >= 0)
                        break;
                if (errno != ENOENT)
                        return -errno;
        }
        target[n] = '\0';
        *ret_fd = fd;
        return 1;
}

/* Who and what the file is. A file system that hangs is not waited for. */
static int read_file(const struct hot__table *table, struct hot__row *row)
{
        char name[16];
        struct statx stx;

        snprintf(name, sizeof(name), "%d", row->public.fd);
        if (statx(dirfd(table->directory), name, AT_STATX_DONT_SYNC,
                  STATX_TYPE | STATX_MODE | STATX_INO, &stx) < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        row->public.device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
        row->public.inode = stx.stx_ino;
        row->public.kind = hot__kind_of(row->target, stx.stx_mode);
        return 0;
}

static int read_fdinfo(const struct hot__table *table, struct hot__row *row)
{
        char path[32], *text;
        size_t len;
        int r;

        snprintf(path, sizeof(path), "fdinfo/%d", row->public.fd);
        r = hot__proc_read(table->process, path, &text, &len);
        if (r < 0)
                return r;
        r = hot__kind_read_fdinfo(row, text);
        free(text);
        return r;
}

int hot__table_read(const struct hot__table *table, int fd, const char *target,
                    struct hot__row *ret_row)
{
        struct hot__row row;
        char *copy = strdup(target);
        int r;

        if (!copy)
                return -ENOMEM;
        hot__row_init(&row, fd, copy);
        r = read_file(table, &row);
        if (r == 0)
                r = read_fdinfo(table, &row);
        if (r < 0) {
                hot__row_done(&row);
                return r;
        }
        *ret_row = row;
        return 0;
}
