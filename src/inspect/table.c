/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/fd is a directory of links that are no ordinary links: readlinkat(2) gives the kernel's name
 * for the file, statx(2) through the link the file itself, even when no path leads there, and statx(2) of
 * the link the access mode, as permissions. Any step may fail with ENOENT because the descriptor was closed
 * since the directory was read: then it is not in the table.
 *
 * Each step costs some microseconds. All sockets are on one file system, as all pipes are: once its number
 * is known, statx tells all there is to know of them.
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

#include "decimal.h"
#include "fd.h"
#include "fdinfo.h"
#include "kind.h"

/* Room for the name of a link below /proc/PID/fd or /proc/PID. */
#define LINK_MAX_LEN HOT__DECIMAL_MAX

int hot__table_open(const struct hot__proc *process, struct hot__arena *arena,
                    struct hot__devices *devices, struct hot__table *ret)
{
        int fd = openat(process->fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int error = errno;

        ret->process = process;
        ret->arena = arena;
        ret->devices = devices;
        ret->directory = fd < 0 ? -EBADF : fd;
        ret->is_self = process->pid == getpid();
        ret->at = ret->len = 0;
        return fd >= 0 ? 0 : error == ENOENT ? -ESRCH : -error;
}

void hot__table_done(struct hot__table *table)
{
        table->directory = hot__fd_close(table->directory);
}

/* Of our own process the table would show the descriptors that reading it takes. */
static bool is_ours(const struct hot__table *table, int fd)
{
        return table->is_self && (fd == table->process->fd || fd == table->directory);
}

/* Returns 1, 0 at the end of the directory, or a negative errno. */
static int fill(struct hot__table *table)
{
        ssize_t n = getdents64(table->directory, table->entries, sizeof(table->entries));

        if (n < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        table->at = 0;
        table->len = (size_t)n;
        return n > 0;
}

int hot__table_next(struct hot__table *table, int *ret_fd)
{
        const struct dirent64 *entry;
        int fd, r;

        for (;;) {
                if (table->at == table->len) {
                        r = fill(table);
                        if (r <= 0)
                                return r;
                }
                entry = (const void *)(table->entries + table->at);
                table->at += entry->d_reclen;
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
                        continue;
                fd = (int)strtol(entry->d_name, NULL, 10);
                if (!is_ours(table, fd))
                        break;
        }
        *ret_fd = fd;
        return 1;
}

/* Where the link to a row's file is: the directory's descriptor, and the name in it. */
static int find_link(const struct hot__table *table, const struct hot__row *row,
                     char name[LINK_MAX_LEN])
{
        static const char *const names[] = {
                [HOT_INSPECT_CWD] = "cwd",
                [HOT_INSPECT_ROOT] = "root",
                [HOT_INSPECT_PROGRAM] = "exe",
        };

        if (row->public.role == HOT_INSPECT_DESCRIPTOR) {
                hot__decimal(name, (uint64_t)row->public.fd);
                return table->directory;
        }
        strcpy(name, names[row->public.role]);
        return table->process->fd;
}

static int read_link(int directory, const char *name, char target[PATH_MAX])
{
        ssize_t n = readlinkat(directory, name, target, PATH_MAX - 1);

        if (n < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        target[n] = '\0';
        return 0;
}

int hot__table_target(const struct hot__table *table, int fd, char target[PATH_MAX])
{
        char name[LINK_MAX_LEN];

        hot__decimal(name, (uint64_t)fd);
        return read_link(table->directory, name, target);
}

/* A row stays when a step fails, and says which; only a descriptor that is gone has none. */
static int failed(struct hot__row *row, const char *step, int error)
{
        if (error == -ESRCH || error == -ENOMEM)
                return error;
        if (row->public.error == 0) {
                row->public.error = error;
                row->public.step = step;
        }
        return 0;
}

static int set_target(const struct hot__table *table, struct hot__row *row, const char *target)
{
        row->public.target = hot__arena_copy(table->arena, target, strlen(target));
        return row->public.target ? 0 : -ENOMEM;
}

static int read_target(const struct hot__table *table, struct hot__row *row)
{
        char name[LINK_MAX_LEN], target[PATH_MAX];
        int directory = find_link(table, row, name);
        int r = read_link(directory, name, target);

        if (r < 0)
                return failed(row, "readlink", r);
        return set_target(table, row, target);
}

/* Who and what the file is. A file system that hangs is not waited for. */
static int read_file(const struct hot__table *table, struct hot__row *row)
{
        struct hot_inspect_fd *public = &row->public;
        char name[LINK_MAX_LEN];
        int directory = find_link(table, row, name);
        struct statx stx;

        if (statx(directory, name, AT_STATX_DONT_SYNC,
                  STATX_TYPE | STATX_MODE | STATX_INO | STATX_NLINK | STATX_SIZE, &stx) < 0)
                return failed(row, "stat", errno == ENOENT ? -ESRCH : -errno);
        public->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
        public->raw_device = makedev(stx.stx_rdev_major, stx.stx_rdev_minor);
        public->inode = stx.stx_ino;
        public->mode = stx.stx_mode;
        public->links = stx.stx_nlink;
        public->size = stx.stx_size;
        public->deleted = stx.stx_nlink == 0 && (S_ISREG(stx.stx_mode) || S_ISDIR(stx.stx_mode));
        return 0;
}

static void learn_device(struct hot__devices *devices, const struct hot_inspect_fd *public)
{
        if (public->kind == HOT_INSPECT_SOCKET)
                devices->sockets = public->device;
        if (public->kind == HOT_INSPECT_PIPE)
                devices->pipes = public->device;
}

static bool is_socket(const struct hot__devices *devices, const struct hot_inspect_fd *public)
{
        return S_ISSOCK(public->mode) && devices->sockets != 0 &&
               public->device == devices->sockets;
}

static bool is_pipe(const struct hot__devices *devices, const struct hot_inspect_fd *public)
{
        return S_ISFIFO(public->mode) && devices->pipes != 0 && public->device == devices->pipes;
}

/* These are what their mode says, whatever their name. */
static bool is_plain(mode_t mode)
{
        return S_ISDIR(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

int hot__table_look(const struct hot__table *table, struct hot__row *row)
{
        struct hot_inspect_fd *public = &row->public;
        int r = read_file(table, row);

        if (r < 0)
                return r;
        if (is_socket(table->devices, public)) {
                public->kind = HOT_INSPECT_SOCKET;
        } else if (is_pipe(table->devices, public)) {
                public->kind = HOT_INSPECT_PIPE;
        } else {
                if (!is_plain(public->mode))
                        r = read_target(table, row);
                public->kind = hot__kind_of(public->target, public->mode);
                learn_device(table->devices, public);
        }
        if (public->kind == HOT_INSPECT_SOCKET)
        public->access = O_RDWR;
        return r;
}

static int complete_target(const struct hot__table *table, struct hot__row *row)
{
        const struct hot_inspect_fd *public = &row->public;
        char target[48], *end;

        if (*public->target)
                return 0;
        if (public->kind != HOT_INSPECT_SOCKET && public->kind != HOT_INSPECT_PIPE)
                return read_target(table, row);
        end = stpcpy(target, public->kind == HOT_INSPECT_SOCKET ? "socket:[" : "pipe:[");
        strcpy(hot__decimal(end, public->inode), "]");
        return set_target(table, row, target);
}

/* The link's permissions are the access mode. A descriptor for neither is one of O_PATH. */
static int read_access(const struct hot__table *table, struct hot__row *row)
{
        char name[LINK_MAX_LEN];
        int directory = find_link(table, row, name);
        struct stat st;

        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return failed(row, "lstat", errno == ENOENT ? -ESRCH : -errno);
        switch (st.st_mode & (S_IRUSR | S_IWUSR)) {
        case S_IRUSR | S_IWUSR:
                row->public.access = O_RDWR;
                break;
        case S_IRUSR:
                row->public.access = O_RDONLY;
                break;
        case S_IWUSR:
                row->public.access = O_WRONLY;
                break;
        default:
                row->public.access = O_PATH;
        }
        return 0;
}

/* Longer than a page is an epoll's, or an io_uring's, of many. */
static int read_long_status(const struct hot__table *table, struct hot__row *row, const char *path)
{
        char *text;
        size_t len;
        int r = hot__proc_read(table->process, path, &text, &len);

        if (r < 0)
                return failed(row, "fdinfo", r);
        r = hot__fdinfo_read(row, text, table->arena);
        free(text);
        return r;
}

static int read_status(const struct hot__table *table, struct hot__row *row)
{
        char path[32], text[4096];
        int r;

        hot__decimal(stpcpy(path, "fdinfo/"), (uint64_t)row->public.fd);
        r = hot__proc_read_short(table->process, path, text, sizeof(text));
        if (r == -ENOBUFS)
                return read_long_status(table, row, path);
        return r < 0 ? failed(row, "fdinfo", r) : hot__fdinfo_read(row, text, table->arena);
}

int hot__table_read(const struct hot__table *table, struct hot__row *row, unsigned int details)
{
        bool numbered = row->public.role == HOT_INSPECT_DESCRIPTOR;
        int r = 0;

        row->public.details = details;
        if (details & HOT_INSPECT_TARGET)
                r = complete_target(table, row);
        if (r == 0 && numbered && (details & HOT_INSPECT_STATUS))
                r = read_status(table, row);
        else if (r == 0 && numbered && (details & HOT_INSPECT_ACCESS) &&
                 row->public.kind != HOT_INSPECT_SOCKET)
                r = read_access(table, row);
        return r;
}
