/* SPDX-License-Identifier: MIT */
/*
 * The kernel names what has no path: "pipe:[INODE]", "socket:[INODE]", "anon_inode:[eventpoll]". A path
 * always starts with '/', so neither can be taken for the other. A memfd is the exception: it looks like a
 * deleted file "/memfd:NAME" of the root directory.
 */
#include "kind.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct class
{
        int kind;
        const char *name;
        const char *prefix; /* of the kernel's name; NULL: any */
        const char *suffix; /* likewise */
        mode_t format;      /* the S_IFMT part of st_mode; 0: any */
};

/* The first that fits is the kind. Which socket it is the kernel's name does not tell: see socket.c. */
static const struct class classes[] = {
        {HOT_INSPECT_PIPE, "pipe", "pipe:[", "]", S_IFIFO},
        {HOT_INSPECT_SOCKET, "socket", "socket:[", "]", 0},
        {HOT_INSPECT_EPOLL, "epoll", "anon_inode:[eventpoll]", NULL, 0},
        {HOT_INSPECT_EVENTFD, "eventfd", "anon_inode:[eventfd]", NULL, 0},
        {HOT_INSPECT_TIMERFD, "timerfd", "anon_inode:[timerfd]", NULL, 0},
        {HOT_INSPECT_SIGNALFD, "signalfd", "anon_inode:[signalfd]", NULL, 0},
        {HOT_INSPECT_INOTIFY, "inotify", "anon_inode:inotify", NULL, 0},
        {HOT_INSPECT_PIDFD, "pidfd", "anon_inode:[pidfd]", NULL, 0},
        {HOT_INSPECT_IO_URING, "io_uring", "anon_inode:[io_uring]", NULL, 0},
        {HOT_INSPECT_ANONYMOUS, "anonymous", "anon_inode:", NULL, 0},
        {HOT_INSPECT_MEMFD, "memfd", "/memfd:", " (deleted)", S_IFREG},
        {HOT_INSPECT_FILE, "file", NULL, NULL, S_IFREG},
        {HOT_INSPECT_DIRECTORY, "directory", NULL, NULL, S_IFDIR},
        {HOT_INSPECT_CHARACTER, "character", NULL, NULL, S_IFCHR},
        {HOT_INSPECT_BLOCK, "block", NULL, NULL, S_IFBLK},
        {HOT_INSPECT_FIFO, "fifo", NULL, NULL, S_IFIFO},
};

/* The classes of sockets, which only differ in name here. */
static const struct class sockets[] = {
        {HOT_INSPECT_TCP, "tcp", NULL, NULL, 0},
        {HOT_INSPECT_UDP, "udp", NULL, NULL, 0},
        {HOT_INSPECT_UNIX, "unix", NULL, NULL, 0},
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
