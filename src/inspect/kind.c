/* SPDX-License-Identifier: MIT */
/*
 * The kernel names what has no path: "pipe:[INODE]", "socket:[INODE]", "anon_inode:[eventpoll]". A path
 * always starts with '/', so neither can be taken for the other. A memfd is the exception: it looks like a
 * deleted file "/memfd:NAME" of the root directory.
 *
 * fdinfo has lines "key:<blanks>value". "flags:" comes for every kind and shows the description's flags,
 * but with O_CLOEXEC standing for the descriptor's own FD_CLOEXEC. The other lines belong to a class.
 */
#include "kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct class
{
        int kind;
        const char *name;
        const char *prefix; /* of the kernel's name; NULL: any */
        const char *suffix; /* likewise */
        mode_t format;      /* the S_IFMT part of st_mode; 0: any */
        int (*read_line)(struct hot__row *row, const char *key, const char *value);
};

/* A size that is a power of two is full: the array doubles, and nobody has to remember its room. */
static int append_watch(struct hot__row *row, const struct hot_inspect_watch *watch)
{
        size_t n = row->public.n_watches;
        struct hot_inspect_watch *larger;

        if ((n & (n - 1)) == 0) {
                larger = realloc(row->watches, (n ? n * 2 : 1) * sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                row->watches = larger;
                row->public.watches = larger;
        }
        row->watches[n] = *watch;
        row->public.n_watches = n + 1;
        return 0;
}

/* "tfd:        5 events:       19 data:                5  pos:0 ino:30fa sdev:9" */
static int read_watch(struct hot__row *row, const char *key, const char *value)
{
        struct hot_inspect_watch watch = {.fd = -1};
        const char *inode = strstr(value, " ino:");

        if (strcmp(key, "tfd") != 0 ||
            sscanf(value, "%d events: %x", &watch.fd, &watch.events) != 2)
                return 0;
        if (inode)
                watch.inode = strtoull(inode + strlen(" ino:"), NULL, 16);
        return append_watch(row, &watch);
}

static int read_pid(struct hot__row *row, const char *key, const char *value)
{
        if (strcmp(key, "Pid") == 0)
                row->public.pid = (pid_t)strtol(value, NULL, 10);
        return 0;
}

/* The first that fits is the kind. Which socket it is the kernel's name does not tell: see socket.c. */
static const struct class classes[] = {
        {HOT_INSPECT_PIPE, "pipe", "pipe:[", "]", S_IFIFO, NULL},
        {HOT_INSPECT_SOCKET, "socket", "socket:[", "]", 0, NULL},
        {HOT_INSPECT_EPOLL, "epoll", "anon_inode:[eventpoll]", NULL, 0, read_watch},
        {HOT_INSPECT_EVENTFD, "eventfd", "anon_inode:[eventfd]", NULL, 0, NULL},
        {HOT_INSPECT_TIMERFD, "timerfd", "anon_inode:[timerfd]", NULL, 0, NULL},
        {HOT_INSPECT_SIGNALFD, "signalfd", "anon_inode:[signalfd]", NULL, 0, NULL},
        {HOT_INSPECT_INOTIFY, "inotify", "anon_inode:inotify", NULL, 0, NULL},
        {HOT_INSPECT_PIDFD, "pidfd", "anon_inode:[pidfd]", NULL, 0, read_pid},
        {HOT_INSPECT_IO_URING, "io_uring", "anon_inode:[io_uring]", NULL, 0, NULL},
        {HOT_INSPECT_ANONYMOUS, "anonymous", "anon_inode:", NULL, 0, NULL},
        {HOT_INSPECT_MEMFD, "memfd", "/memfd:", " (deleted)", S_IFREG, NULL},
        {HOT_INSPECT_FILE, "file", NULL, NULL, S_IFREG, NULL},
        {HOT_INSPECT_DIRECTORY, "directory", NULL, NULL, S_IFDIR, NULL},
        {HOT_INSPECT_CHARACTER, "character", NULL, NULL, S_IFCHR, NULL},
        {HOT_INSPECT_BLOCK, "block", NULL, NULL, S_IFBLK, NULL},
        {HOT_INSPECT_FIFO, "fifo", NULL, NULL, S_IFIFO, NULL},
};

/* The classes of sockets, which only differ in name here. */
static const struct class sockets[] = {
        {HOT_INSPECT_TCP, "tcp", NULL, NULL, 0, NULL},
        {HOT_INSPECT_UDP, "udp", NULL, NULL, 0, NULL},
        {HOT_INSPECT_UNIX, "unix", NULL, NULL, 0, NULL},
};

static bool has_prefix(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
        size_t len = strlen(text), n = strlen(suffix);

        return len >= n && strcmp(text + len - n, suffix) == 0;
}

static bool fits(const struct class *class, const char *target, mode_t mode)
{
        if (class->format != 0 && class->format != (mode & S_IFMT))
                return false;
        if (class->prefix && !has_prefix(target, class->prefix))
                return false;
        return !class->suffix || has_suffix(target, class->suffix);
}

int hot__kind_of(const char *target, mode_t mode)
{
        for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
                if (fits(&classes[i], target, mode))
                        return classes[i].kind;
        return HOT_INSPECT_UNKNOWN;
}

static const struct class *find_class(int kind)
{
        for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
                if (classes[i].kind == kind)
                        return &classes[i];
        for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
                if (sockets[i].kind == kind)
                        return &sockets[i];
        return NULL;
}

const char *hot_inspect_kind_name(int kind)
{
        const struct class *class = find_class(kind);

        return class ? class->name : "?";
}

static void read_flags(struct hot_inspect_fd *row, const char *value)
{
        unsigned long flags = strtoul(value, NULL, 8);

        row->cloexec = (flags & O_CLOEXEC) != 0;
        row->flags = (int)(flags & ~(unsigned long)O_CLOEXEC);
        row->access = flags & O_PATH ? O_PATH : (int)(flags & O_ACCMODE);
}

int hot__kind_read_fdinfo(struct hot__row *row, char *text)
{
        const struct class *class = find_class(row->public.kind);
        char *line, *value;
        int r = 0;

        while (r == 0 && (line = strsep(&text, "\n"))) {
                value = strchr(line, ':');
                if (!value)
                        continue;
                *value++ = '\0';
                if (strcmp(line, "flags") == 0)
                        read_flags(&row->public, value);
                else if (class && class->read_line)
                        r = class->read_line(row, line, value);
        }
        return r;
}
