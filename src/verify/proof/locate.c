/* SPDX-License-Identifier: MIT */
#include "locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fd.h"
#include "unixpath.h"

int locate_url(const char *url, char address[static LOCATE_MAX], char path[static LOCATE_MAX],
               bool *ret_tls)
{
        bool tls = strncmp(url, "https://", 8) == 0;
        size_t length;

        *path = '\0';
        *ret_tls = tls;
        if (!tls && strncmp(url, "http://", 7) != 0) {
                if (strlen(url) >= LOCATE_MAX)
                        return -EINVAL;
                strcpy(address, url);
                return 0;
        }
        url += tls ? 8 : 7;
        length = strcspn(url, "/?#");
        if (length == 0 || length + 5 >= LOCATE_MAX || strlen(url + length) >= LOCATE_MAX)
                return -EINVAL;
        if (url[length] == '/')
                strcpy(path, url + length);
        else if (url[length])
                return -EINVAL;
        path[strcspn(path, "#")] = '\0';
        memcpy(address, url, length);
        address[length] = '\0';
        /* A colon inside of brackets belongs to the host. */
        if (!strchr(address[0] == '[' && strchr(address, ']') ? strchr(address, ']') : address,
                    ':'))
                strcat(address, tls ? ":443" : ":80");
        return 0;
}

/* Under which path can a UNIX listener be reached? The name that it was bound to may have been changed since. */
static int find_path(pid_t pid, const struct hot_inspect_fd *fd, char *path, size_t size)
{
        CLEANUP(hot__fd_closep)
        int pidfd = hot__fd_take_above_stdio((int)syscall(SYS_pidfd_open, pid, 0));
        CLEANUP(hot__fd_closep) int copy = -EBADF;

        if (pidfd >= 0)
                copy = hot__fd_take_above_stdio((int)syscall(SYS_pidfd_getfd, pidfd, fd->fd, 0));
        return copy < 0 ? -errno : hot__unixpath_find(copy, path, size);
}

static void name(pid_t pid, const struct hot_inspect_fd *fd, char address[static LOCATE_MAX])
{
        const char *port = strrchr(fd->local, ':');
        char path[LOCATE_MAX - 8];

        if (fd->kind == HOT_INSPECT_UNIX)
                snprintf(address, LOCATE_MAX, "unix:%s",
                         fd->local[0] == '/' && find_path(pid, fd, path, sizeof(path)) == 0
                                 ? path
                                 : fd->local);
        else if (strncmp(fd->local, "[::]:", 5) == 0)
                snprintf(address, LOCATE_MAX, "[::1]%s", port ? port : "");
        else if (strncmp(fd->local, "0.0.0.0:", 8) == 0 || strncmp(fd->local, "*:", 2) == 0)
                snprintf(address, LOCATE_MAX, "127.0.0.1%s", port ? port : "");
        else
                snprintf(address, LOCATE_MAX, "%s", fd->local);
}

static int search(const struct family *family, int kind, char address[static LOCATE_MAX])
{
        const struct hot_inspect_fd *fd;
        struct hot_inspect *process;
        int r = -ENOENT;

        for (size_t i = 0; i < family->n && r < 0; i++) {
                if (family->members[i].gone ||
                    hot_inspect_read(family->members[i].pid, HOT_INSPECT_ADDRESSES, &process) < 0)
                        continue;
                for (size_t k = 0; r < 0 && (fd = hot_inspect_at(process, k)); k++) {
                        if (!fd->listening || fd->kind != kind || fd->type != SOCK_STREAM)
                                continue;
                        name(family->members[i].pid, fd, address);
                        r = 0;
                }
                hot_inspect_free(process);
        }
        return r;
}

int locate_listener(const struct family *family, bool any, char address[static LOCATE_MAX])
{
        int r = search(family, HOT_INSPECT_TCP, address);

        return r < 0 && any ? search(family, HOT_INSPECT_UNIX, address) : r;
}

int locate_pid_file(const char *path, pid_t *ret)
{
        char text[32] = "";
        FILE *file = fopen(path, "re");
        long pid;

        if (!file)
                return -errno;
        (void)!fgets(text, sizeof(text), file);
        fclose(file);
        pid = strtol(text, NULL, 10);
        if (pid <= 0 || pid > 1 << 22)
                return -EINVAL;
        *ret = (pid_t)pid;
        return 0;
}
