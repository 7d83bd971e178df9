/* SPDX-License-Identifier: MIT */
/*
 * Taking a path: a socket is bound to a temporary name in the same directory, given its mode and owner, made
 * to listen, and only then renamed, over the stale socket if there is one, so that whoever finds the path finds
 * a listener.
 * bind(2) cannot replace a name, and unlink(2) before it would leave a gap and could hit a listener that
 * came meanwhile. Of two programs that start at once over one stale path both would find it stale and
 * the second would make the first unreachable without a word, so a lock is held from the look to the
 * rename. It is a file beside the path, there for that moment only; flock(2) lets go of it by itself
 * when its holder dies, so one left behind by a crash does no harm.
 *
 * The temporary name is the path's with an ending. So it tells the path for as long as the socket lives, also
 * when the path was removed by hand; and what a killed process has left behind is found by the next one,
 * which has the lock and removes it. Only where sun_path is too short for the ending is the name a random one.
 *
 * Leaving a path: a listener that is to end is renamed first, so that nobody finds it any more while its
 * queue is served, and a new one can have the path; and back, if it is to go on after all.
 *
 * A socket is stale if connect(2) says ECONNREFUSED: nobody listens on it. (EAGAIN is a full backlog, a
 * sure sign of life; EPROTOTYPE is a socket of another type.) The living one sees a connection that is
 * closed at once.
 *
 * Knowing a path: after the rename getsockname(2) still says the temporary name, in every process that
 * inherits the listener. The inode is what lasts: see unixdiag.h.
 */
#include "unixpath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "unixdiag.h"

#define SUN_PATH_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path)

/* Enough letters that another try is rarely needed, few enough to be read in a listing. */
#define TEMPORARY_LEN 12

#define ENDING_NEW  ".hotstart-new"
#define ENDING_LEFT ".hotstart-left-" /* and the inode: there may be several */
#define ENDING_LOCK ".hotstart-lock"

/* A path with the longest ending. */
#define ENDED_MAX (SUN_PATH_MAX + sizeof(ENDING_LEFT) + 10)

static socklen_t set_path(struct sockaddr_un *un, const char *path)
{
        size_t n = strlen(path);

        memset(un, 0, sizeof(*un));
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, path, n);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
}

static int new_socket(int *ret_fd)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

/* Does nobody listen on the socket at @path? Returns 0 if so, -EADDRINUSE, or another negative errno. */
static int check_stale(const char *path)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct sockaddr_un un;
        socklen_t len = set_path(&un, path);
        int r = new_socket(&fd);

        if (r < 0)
                return r;
        if (connect(fd, (const struct sockaddr *)&un, len) == 0)
                return -EADDRINUSE;
        switch (errno) {
        case ECONNREFUSED:
                return 0;
        case EAGAIN:
        case EPROTOTYPE:
                return -EADDRINUSE;
        default:
                return -errno;
        }
}

enum found {
        FOUND_NOTHING,
        FOUND_STALE,
};

/* What is at @path? Returns enum found, -ENOTSOCK, -EADDRINUSE or another negative errno. */
static int look(const char *path)
{
        struct stat st;
        int r;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? FOUND_NOTHING : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -ENOTSOCK;
        r = check_stale(path);
        return r < 0 ? r : FOUND_STALE;
}

/* A name beside @path, not longer than sun_path takes: with a long directory it has few letters. */
static int choose_temporary(const char *path, char *ret, size_t size)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
        size_t directory = (size_t)(strrchr(path, '/') - path) + 1;
        size_t n = SUN_PATH_MAX - 1 - directory;
        uint8_t random[TEMPORARY_LEN];

        if (n > TEMPORARY_LEN)
                n = TEMPORARY_LEN;
        if (directory + n >= size)
                return -ENAMETOOLONG;
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -errno;
        memcpy(ret, path, directory);
        for (size_t i = 0; i < n; i++)
                ret[directory + i] = letters[random[i] % (sizeof(letters) - 1)];
        if (n == TEMPORARY_LEN)
                ret[directory] = '.';
        ret[directory + n] = '\0';
        return 0;
}

/* Remove the socket at @name if nobody listens on it. What else is there stays. Returns 0 or a negative errno. */
static int remove_dead(const char *name)
{
        int found = strlen(name) < SUN_PATH_MAX ? look(name) : FOUND_NOTHING;

        if (found == FOUND_STALE && unlink(name) < 0)
                return -errno;
        return found < 0 && found != -EADDRINUSE && found != -ENOTSOCK ? found : 0;
}

/* Bind to a random name beside @path, which is too long for an ending. */
static int bind_randomly(int fd, const char *path, char *ret_temporary, size_t size)
{
        struct sockaddr_un un;
        socklen_t len;
        int r;

        /* Of a name with one letter there are but 32: it may be taken, or be the path's own. */
        for (unsigned int tries = 0; tries < 256; tries++) {
                r = choose_temporary(path, ret_temporary, size);
                if (r < 0)
                        return r;
                if (strcmp(ret_temporary, path) == 0)
                        continue;
                len = set_path(&un, ret_temporary);
                if (bind(fd, (const struct sockaddr *)&un, len) == 0)
                        return 0;
                if (errno != EADDRINUSE)
                        return -errno;
        }
        return -EADDRINUSE;
}

/* Bind to a temporary name beside @path, whose lock we have. */
static int bind_beside(int fd, const char *path, char *ret_temporary, size_t size)
{
        struct sockaddr_un un;
        socklen_t len;
        int r;

        if (strlen(path) + strlen(ENDING_NEW) >= size)
                return bind_randomly(fd, path, ret_temporary, size);
        snprintf(ret_temporary, size, "%s%s", path, ENDING_NEW);
        len = set_path(&un, ret_temporary);
        if (bind(fd, (const struct sockaddr *)&un, len) == 0)
                return 0;
        if (errno != EADDRINUSE)
                return -errno;
        r = remove_dead(ret_temporary);
        if (r < 0)
                return r;
        return bind(fd, (const struct sockaddr *)&un, len) < 0 ? -errno : 0;
}

/* Listen under a temporary name beside @path. */
static int listen_beside(const char *path, const struct hot__access *access, int backlog,
                         char *ret_temporary, size_t size, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        int r = new_socket(&fd);

        if (r == 0)
                r = bind_beside(fd, path, ret_temporary, size);
        if (r < 0)
                return r;
        r = hot__access_grant(ret_temporary, access);
        if (r == 0 && listen(fd, backlog) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlink(ret_temporary);
                return r;
        }
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

/* Listen beside @path and take its name; @found says what is there. */
static int listen_and_rename(const char *path, const struct hot__access *access, int backlog,
                             enum found found, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char temporary[SUN_PATH_MAX];
        int r = listen_beside(path, access, backlog, temporary, sizeof(temporary), &fd);

        if (r < 0)
                return r;
        /* Programs that know nothing of our lock may have come since the look. */
        r = renameat2(AT_FDCWD, temporary, AT_FDCWD, path,
                      found == FOUND_NOTHING ? RENAME_NOREPLACE : 0);
        if (r < 0 && errno == EINVAL)
                r = rename(temporary, path); /* a file system without RENAME_NOREPLACE */
        if (r < 0) {
                r = errno == EEXIST ? -EADDRINUSE : -errno;
                (void)unlink(temporary);
                return r;
        }
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Lock @name, made for it. Returns 0 and gives the descriptor, 1 if its holder removed it just then (try
 * again), -EADDRINUSE if another program is taking the path now, or another negative errno.
 */
static int try_lock(const char *name, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct stat locked, named;

        fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
        if (fstat(fd, &locked) < 0)
                return -errno;
        if (lstat(name, &named) < 0)
                return errno == ENOENT ? 1 : -errno;
        if (!is_same_file(&locked, &named))
                return 1;
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

static void close_directory(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

/* What those have left behind that were killed while they were leaving @path. It is only in the way of the eye:
 * that it cannot be removed is no reason to fail. */
static void remove_left(const char *path)
{
        CLEANUP(close_directory) DIR *directory = NULL;
        const char *base = strrchr(path, '/') + 1;
        size_t n = (size_t)(base - path), len = strlen(base);
        char name[PATH_MAX];
        const struct dirent *entry;

        snprintf(name, sizeof(name), "%.*s", (int)n, path);
        directory = opendir(name);
        while (directory && (entry = readdir(directory))) {
                if (strncmp(entry->d_name, base, len) != 0 ||
                    strncmp(entry->d_name + len, ENDING_LEFT, strlen(ENDING_LEFT)) != 0)
                        continue;
                snprintf(name, sizeof(name), "%.*s%s", (int)n, path, entry->d_name);
                (void)remove_dead(name);
        }
}

int hot__unixpath_listen(const char *path, const struct hot__access *access, int backlog,
                         int *ret_fd)
{
        CLEANUP(hot__fd_closep) int lock = -EBADF;
        char name[ENDED_MAX];
        int r, found;

        snprintf(name, sizeof(name), "%s%s", path, ENDING_LOCK);
        do
                r = try_lock(name, &lock);
        while (r == 1);
        if (r < 0)
                return r;
        remove_left(path);
        found = look(path);
        r = found < 0 ? found : listen_and_rename(path, access, backlog, (enum found)found, ret_fd);
        /* Removed while it is held: whoever opened it before looks again. */
        (void)unlink(name);
        return r;
}

/* The path that @fd was bound to, with a terminating zero. Returns 0 or -ENOENT (none, or relative). */
static int get_bound_path(int fd, char *ret, size_t size)
{
        struct sockaddr_un un = {0};
        socklen_t len = sizeof(un);
        size_t n;

        if (getsockname(fd, (struct sockaddr *)&un, &len) < 0)
                return -errno;
        if (un.sun_family != AF_UNIX || un.sun_path[0] != '/')
                return -ENOENT;
        n = strnlen(un.sun_path, sizeof(un.sun_path));
        if (n >= size)
                return -ENOSPC;
        memcpy(ret, un.sun_path, n);
        ret[n] = '\0';
        return 0;
}

static bool share_directory(const char *a, const char *b)
{
        char directory[SUN_PATH_MAX + 2];
        struct stat of_a, of_b;
        size_t n = (size_t)(strrchr(a, '/') - a) + 1, m = (size_t)(strrchr(b, '/') - b) + 1;

        if (n >= sizeof(directory) || m >= sizeof(directory))
                return false;
        memcpy(directory, a, n);
        directory[n] = '\0';
        if (stat(directory, &of_a) < 0)
                return false;
        memcpy(directory, b, m);
        directory[m] = '\0';
        return stat(directory, &of_b) == 0 && is_same_file(&of_a, &of_b);
}

/*
 * Is @st, found at @path, the file @bound that @fd was bound to? Where stat(2) names another device than
 * the superblock's (btrfs, overlayfs), the directory in which it was bound has to do: inode numbers do
 * not repeat in one file system.
 */
static bool is_bound_file(const struct stat *st, const char *path, int fd,
                          const struct hot__unixdiag *bound)
{
        char name[SUN_PATH_MAX + 1];

        if (!S_ISSOCK(st->st_mode) || (uint32_t)st->st_ino != bound->inode)
                return false;
        if (major(st->st_dev) == bound->device_major && minor(st->st_dev) == bound->device_minor)
                return true;
        return get_bound_path(fd, name, sizeof(name)) == 0 && share_directory(name, path);
}

bool hot__unixpath_is_of(const char *path, int fd)
{
        char name[SUN_PATH_MAX + 1];
        struct hot__unixdiag bound;
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return false;
        r = hot__unixdiag_file(fd, &bound);
        if (r == 0)
                return is_bound_file(&st, path, fd, &bound);
        /* The kernel does not tell, or there is no file: the name it was bound under has to do. */
        return S_ISSOCK(st.st_mode) && get_bound_path(fd, name, sizeof(name)) == 0 &&
               strcmp(name, path) == 0;
}

/* Look for a name of @fd's file in the directory of @bound_path. Writes the whole path. */
static int search(int fd, const char *bound_path, char *buffer, size_t size)
{
        CLEANUP(close_directory) DIR *directory = NULL;
        char path[PATH_MAX];
        int n = (int)(strrchr(bound_path, '/') - bound_path) + 1;
        const struct dirent *entry;

        snprintf(path, sizeof(path), "%.*s", n, bound_path);
        directory = opendir(path);
        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                if (entry->d_type != DT_SOCK && entry->d_type != DT_UNKNOWN)
                        continue;
                snprintf(path, sizeof(path), "%.*s%s", n, bound_path, entry->d_name);
                if (!hot__unixpath_is_of(path, fd))
                        continue;
                if (strlen(path) >= size)
                        return -ENOSPC;
                memcpy(buffer, path, strlen(path) + 1);
                return 0;
        }
        return -ENOENT;
}

int hot__unixpath_find(int fd, char *buffer, size_t size)
{
        char path[SUN_PATH_MAX + 1];
        int r = get_bound_path(fd, path, sizeof(path));

        if (r < 0)
                return r;
        if (!hot__unixpath_is_of(path, fd))
                return search(fd, path, buffer, size);
        if (strlen(path) >= size)
                return -ENOSPC;
        memcpy(buffer, path, strlen(path) + 1);
        return 0;
}

int hot__unixpath_meant(int fd, char *buffer, size_t size)
{
        char path[SUN_PATH_MAX + 1];
        int r = get_bound_path(fd, path, sizeof(path));
        size_t n, ending = strlen(ENDING_NEW);

        if (r < 0)
                return r;
        n = strlen(path);
        if (n <= ending || strcmp(path + n - ending, ENDING_NEW) != 0)
                return -ENOENT;
        path[n - ending] = '\0';
        if (n - ending >= size)
                return -ENOSPC;
        memcpy(buffer, path, n - ending + 1);
        return 0;
}

/* Rename what @fd is bound to, if @from is it. */
static int move(int fd, const char *from, const char *to)
{
        struct stat st;

        /* A symbolic link to our socket is somebody else's. */
        if (lstat(from, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode) || !hot__unixpath_is_of(from, fd))
                return 0;
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
                return 0;
        return errno == EINVAL && rename(from, to) == 0 ? 0 : -errno;
}

/* The name beside @path for the inode of @fd. */
static int name_left(const char *path, int fd, char *ret, size_t size)
{
        struct hot__unixdiag bound;
        int r = hot__unixdiag_file(fd, &bound);

        if (r == 0)
                snprintf(ret, size, "%s%s%" PRIu32, path, ENDING_LEFT, bound.inode);
        return r;
}

int hot__unixpath_leave(const char *path, int fd)
{
        char left[ENDED_MAX];
        int r = name_left(path, fd, left, sizeof(left));

        return r < 0 ? r : move(fd, path, left);
}

int hot__unixpath_return(const char *path, int fd)
{
        char left[ENDED_MAX];
        int r = name_left(path, fd, left, sizeof(left));

        return r < 0 ? r : move(fd, left, path);
}

/* Unlink @name if it is still the inode that @fd is bound to. Returns 0, also when it is not. */
static int unlink_own(const char *name, int fd)
{
        struct stat st;

        /* A symbolic link to our socket is somebody else's. */
        if (lstat(name, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode) || !hot__unixpath_is_of(name, fd))
                return 0;
        return unlink(name) < 0 && errno != ENOENT ? -errno : 0;
}

int hot__unixpath_unlink(const char *path, int fd)
{
        return unlink_own(path, fd);
}

int hot__unixpath_unlink_left(const char *path, int fd)
{
        char left[ENDED_MAX];
        int r = name_left(path, fd, left, sizeof(left));

        return r < 0 ? r : unlink_own(left, fd);
}
