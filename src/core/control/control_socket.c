/* SPDX-License-Identifier: MIT */
/*
 * A hard link to a socket file leads to the socket as its first name does, and stays when that is removed;
 * a symbolic link has to do where the host's path is on another file system, or not ours to link to
 * (protected_hardlinks, proc(5)).
 *
 * The socket's mode is set before it is bound: bind(2) gives the file the mode of the socket's own inode,
 * less the umask, so there is no moment in which others could connect.
 */
#include "control_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control_path.h"
#include "fd.h"
#include "listener.h"
#include "unixpath.h"

#define NAME_SIZE 16

/* More commands at once than anybody starts. */
#define BACKLOG 128

static int make_absolute(const char *path, char **ret)
{
        char directory[PATH_MAX];
        char *absolute;
        int n;

        if (*path != '/' && !getcwd(directory, sizeof(directory)))
                return -errno;
        n = *path == '/' ? asprintf(&absolute, "%s", path)
                         : asprintf(&absolute, "%s/%s", directory, path);
        if (n < 0)
                return -ENOMEM;
        *ret = absolute;
        return 0;
}

int hot__control_socket_init(struct hot__control_socket *control, const char *path)
{
        char *absolute = NULL;
        int r = *path ? make_absolute(path, &absolute) : 0;

        if (r < 0)
                return r;
        if (absolute && strlen(absolute) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
                free(absolute);
                return -ENAMETOOLONG;
        }
        *control =
                (struct hot__control_socket){.fd = -EBADF, .directory = -EBADF, .path = absolute};
        return 0;
}

void hot__control_socket_done(struct hot__control_socket *control)
{
        control->fd = hot__fd_close(control->fd);
        free(control->path);
        control->path = NULL;
}

/* ---- the directory of the names ---- */

/*
 * The first place that can be had; the error of the last one is as telling as any. Opened for each use,
 * and looked at again: what is kept open from before a chroot(2) is a way out of it.
 */
static int open_place(struct hot__control_socket *control, const char *runtime, int *ret_fd)
{
        char place[HOT__CONTROL_PLACE_MAX];
        int r = -ENOENT;

        for (size_t i = 0; i < HOT__CONTROL_PLACES; i++) {
                if (!hot__control_place(i, geteuid(), runtime, place))
                        continue;
                r = hot__control_directory_make(place, ret_fd);
                if (r == 0) {
                        strcpy(control->place, place);
                        return 0;
                }
        }
        return r;
}

/* The place that was had. */
static int reopen_place(const struct hot__control_socket *control, int *ret_fd)
{
        if (!control->place[0])
                return -ENOENT;
        return hot__control_directory_open(AT_FDCWD, control->place, geteuid(), ret_fd);
}

static void name_of(pid_t pid, char *ret)
{
        snprintf(ret, NAME_SIZE, "%d", (int)pid);
}

static void path_of(const struct hot__control_socket *control, const char *name, char *ret)
{
        snprintf(ret, PATH_MAX, "%.*s/%s", PATH_MAX - NAME_SIZE - 2, control->place, name);
}

/* Does the name lead to our socket? */
static bool is_ours(const struct hot__control_socket *control, const char *name)
{
        char path[PATH_MAX];

        path_of(control, name, path);
        return hot__unixpath_is_of(path, control->fd);
}

static void close_stream(DIR **stream)
{
        if (*stream)
                closedir(*stream);
}

static bool is_name(const char *name)
{
        return strlen(name) < NAME_SIZE && strspn(name, "0123456789") == strlen(name);
}

/* Told each name of ours, in its directory; returns true to end. */
typedef bool visitor(int directory, const char *name, void *data);

static void visit_names(const struct hot__control_socket *control, visitor *visit, void *data)
{
        CLEANUP(hot__fd_closep) int directory = -EBADF;
        CLEANUP(close_stream) DIR *stream = NULL;
        const struct dirent *entry;

        if (control->fd < 0 || reopen_place(control, &directory) < 0)
                return;
        stream = opendir(control->place);
        while (stream && (entry = readdir(stream)))
                if (is_name(entry->d_name) && is_ours(control, entry->d_name) &&
                    visit(directory, entry->d_name, data))
                        return;
}

/* ---- binding ---- */

static int new_socket(int *ret_fd)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

/* A name that leads nowhere any more may be taken; a living one may not. */
static int clear_name(int directory, const char *name)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        struct stat st;
        int r;

        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = hot__control_address(directory, name, un.sun_path, sizeof(un.sun_path));
        if (r < 0)
                return r;
        r = new_socket(&fd);
        if (r < 0)
                return r;
        if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0 || errno == EAGAIN)
                return -EADDRINUSE;
        return unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The name as others will see it, where that fits into an address. */
static int bind_name(const struct hot__control_socket *control, int directory, int fd,
                     const char *name)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        char path[PATH_MAX];
        int r;

        path_of(control, name, path);
        if (strlen(path) < sizeof(un.sun_path)) {
                strcpy(un.sun_path, path);
        } else {
                r = hot__control_address(directory, name, un.sun_path, sizeof(un.sun_path));
                if (r < 0)
                        return r;
        }
        if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
                return -errno;
        if (listen(fd, BACKLOG) == 0)
                return 0;
        r = -errno;
        (void)unlinkat(directory, name, 0);
        return r;
}

/*
 * Names that servers left behind which were killed: nobody has the number, and nobody listens. One that
 * has just been bound, and does not listen yet, has a process.
 */
static void sweep(const struct hot__control_socket *control, int directory)
{
        CLEANUP(close_stream) DIR *stream = opendir(control->place);
        const struct dirent *entry;

        while (stream && (entry = readdir(stream))) {
                char process[sizeof("/proc/") + NAME_SIZE];

                if (!is_name(entry->d_name))
                        continue;
                snprintf(process, sizeof(process), "/proc/%.*s", NAME_SIZE, entry->d_name);
                if (access(process, F_OK) < 0 && errno == ENOENT)
                        clear_name(directory, entry->d_name);
        }
}

static int bind_in_place(struct hot__control_socket *control, const char *runtime)
{
        CLEANUP(hot__fd_closep) int directory = -EBADF;
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char name[NAME_SIZE];
        int r = open_place(control, runtime, &directory);

        name_of(getpid(), name);
        if (r == 0)
                sweep(control, directory);
        if (r == 0)
                r = clear_name(directory, name);
        if (r == 0)
                r = new_socket(&fd);
        if (r == 0)
                r = bind_name(control, directory, fd, name);
        if (r == 0)
                control->fd = hot__fd_take(&fd);
        return r;
}

int hot__control_socket_bind(struct hot__control_socket *control, const char *runtime)
{
        const struct hot__access access = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

        if (!control->path)
                return bind_in_place(control, runtime);
        return hot__unixpath_listen(control->path, &access, BACKLOG, &control->fd);
}

int hot__control_socket_take_fd(struct hot__control_socket *control, int fd)
{
        int r = hot__listener_verify(fd);

        if (r < 0) {
                hot__fd_close(fd);
                return r;
        }
        control->fd = fd;
        return 0;
}

/* ---- names ---- */

static bool note_name(int directory, const char *name, void *data)
{
        char *found = data;

        (void)directory;
        strcpy(found, name);
        return true;
}

/* Some path that leads to the socket: the host's, one of our names, or where it was bound. */
static int find_path(const struct hot__control_socket *control, char *ret)
{
        char name[NAME_SIZE] = "";

        if (control->path && hot__unixpath_is_of(control->path, control->fd)) {
                strcpy(ret, control->path);
                return 0;
        }
        visit_names(control, note_name, name);
        if (!name[0])
                return hot__unixpath_find(control->fd, ret, PATH_MAX);
        path_of(control, name, ret);
        return 0;
}

static int add_name(int directory, const char *path, const char *name)
{
        int r = clear_name(directory, name);

        if (r < 0)
                return r;
        if (linkat(AT_FDCWD, path, directory, name, 0) == 0)
                return 0;
        if (errno != EXDEV && errno != EPERM)
                return -errno;
        return symlinkat(path, directory, name) < 0 ? -errno : 0;
}

int hot__control_socket_advertise(struct hot__control_socket *control, const char *runtime,
                                  pid_t pid)
{
        CLEANUP(hot__fd_closep) int directory = -EBADF;
        char name[NAME_SIZE], path[PATH_MAX];
        int r = open_place(control, runtime, &directory);

        if (r < 0)
                return r;
        name_of(pid, name);
        if (is_ours(control, name))
                return 0;
        r = find_path(control, path);
        if (r == 0)
                return add_name(directory, path, name);
        /* Somebody has cleaned up where it was: nobody can find it any more. */
        control->fd = hot__fd_close(control->fd);
        return hot__control_socket_bind(control, runtime);
}

void hot__control_socket_withdraw(const struct hot__control_socket *control, pid_t pid)
{
        CLEANUP(hot__fd_closep) int directory = -EBADF;
        char name[NAME_SIZE];

        name_of(pid, name);
        if (control->fd >= 0 && reopen_place(control, &directory) == 0 && is_ours(control, name))
                (void)unlinkat(directory, name, 0);
}

struct keep {
        const pid_t *alive;
        size_t n;
};

static bool forget_name(int directory, const char *name, void *data)
{
        const struct keep *keep = data;

        for (size_t i = 0; i < keep->n; i++)
                if (keep->alive[i] == (pid_t)strtol(name, NULL, 10))
                        return false;
        (void)unlinkat(directory, name, 0);
        return false;
}

void hot__control_socket_forget(const struct hot__control_socket *control, const pid_t *alive,
                                size_t n)
{
        visit_names(control, forget_name, &(struct keep){alive, n});
}

void hot__control_socket_unlink(const struct hot__control_socket *control)
{
        hot__control_socket_forget(control, NULL, 0);
        if (control->path && control->fd >= 0 && hot__unixpath_is_of(control->path, control->fd))
                (void)unlink(control->path);
}
