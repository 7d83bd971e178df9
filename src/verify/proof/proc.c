/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#define PATH_SIZE 64

/* A small file of /proc, terminated. Returns its length or a negative errno. */
static ssize_t slurp(const char *path, char *buffer, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n, error;

        if (fd < 0)
                return -errno;
        n = read(fd, buffer, size - 1);
        error = errno;
        close(fd);
        if (n < 0)
                return -error;
        buffer[n] = '\0';
        return n;
}

/* The name is in parentheses and may have any byte in it, a parenthesis too: the last one ends it. */
int proc_read_stat(pid_t pid, struct proc_stat *ret)
{
        char path[PATH_SIZE], text[1024], *open, *close;
        ssize_t n;
        size_t length;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        n = slurp(path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? -ESRCH : (int)n;
        open = strchr(text, '(');
        close = strrchr(text, ')');
        if (!open || !close || close < open)
                return -EPROTO;
        *ret = (struct proc_stat){0};
        length = (size_t)(close - open - 1);
        if (length >= sizeof(ret->name))
                length = sizeof(ret->name) - 1;
        for (size_t i = 0; i < length; i++)
                ret->name[i] = isprint((unsigned char)open[1 + i]) ? open[1 + i] : '?';
        if (sscanf(close + 1,
                   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                   "%llu %*u %*d %*u %*u %*u %llu",
                   &ret->state, &ret->parent, &ret->start, &ret->stack) != 4)
                return -EPROTO;
        return 0;
}

static int append(pid_t **pids, size_t *n, size_t *room, pid_t pid)
{
        pid_t *larger;

        if (*n == *room) {
                *room = *room ? *room * 2 : 8;
                larger = reallocarray(*pids, *room, sizeof(**pids));
                if (!larger)
                        return -ENOMEM;
                *pids = larger;
        }
        (*pids)[(*n)++] = pid;
        return 0;
}

/* Kernels without CONFIG_PROC_CHILDREN: ask every process for its parent. */
static int search_children(pid_t pid, pid_t **pids, size_t *n, size_t *room)
{
        pid_t *all;
        size_t n_all;
        int r = hot_inspect_processes(&all, &n_all);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n_all && r == 0; i++)
                if (hot_inspect_parent_of(all[i]) == pid)
                        r = append(pids, n, room, all[i]);
        free(all);
        return r;
}

static int append_children_of_thread(pid_t pid, const char *thread, pid_t **pids, size_t *n,
                                     size_t *room)
{
        char path[PATH_SIZE + 256], text[4096], *rest, *word;
        ssize_t got;
        int r = 0;

        snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, thread);
        got = slurp(path, text, sizeof(text));
        if (got < 0)
                return 0; /* the thread has ended */
        for (rest = text; r == 0 && (word = strsep(&rest, " \n"));)
                if (*word)
                        r = append(pids, n, room, (pid_t)strtol(word, NULL, 10));
        return r;
}

int proc_read_children(pid_t pid, pid_t **ret_pids, size_t *ret_n)
{
        char path[PATH_SIZE];
        struct dirent *entry;
        pid_t *pids = NULL;
        size_t n = 0, room = 0;
        DIR *tasks;
        int r = 0;

        if (access("/proc/thread-self/children", F_OK) < 0) {
                r = search_children(pid, &pids, &n, &room);
        } else {
                snprintf(path, sizeof(path), "/proc/%d/task", pid);
                tasks = opendir(path);
                if (!tasks)
                        return errno == ENOENT ? -ESRCH : -errno;
                while (r == 0 && (entry = readdir(tasks)))
                        if (entry->d_name[0] != '.')
                                r = append_children_of_thread(pid, entry->d_name, &pids, &n, &room);
                closedir(tasks);
        }
        if (r < 0) {
                free(pids);
                return r;
        }
        *ret_pids = pids;
        *ret_n = n;
        return 0;
}

uint64_t proc_read_memory(pid_t pid)
{
        char path[PATH_SIZE], text[4096], *line;
        uint64_t kib = 0;

        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
        if (slurp(path, text, sizeof(text)) < 0)
                return 0;
        line = strstr(text, "\nPss:");
        if (line)
                sscanf(line, "\nPss: %" SCNu64, &kib);
        return kib;
}

int proc_has_socket(pid_t pid, uint64_t inode)
{
        char path[PATH_SIZE], wanted[48], target[48];
        struct dirent *entry;
        int found = 0;
        ssize_t n;
        DIR *fds;

        snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        fds = opendir(path);
        if (!fds)
                return 0;
        while (!found && (entry = readdir(fds))) {
                n = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;
                target[n] = '\0';
                found = strcmp(target, wanted) == 0;
        }
        closedir(fds);
        return found;
}

pid_t proc_find_socket(uint64_t inode)
{
        pid_t *all, found = 0;
        size_t n;

        if (hot_inspect_processes(&all, &n) < 0)
                return 0;
        for (size_t i = 0; i < n && found == 0; i++)
                if (all[i] != getpid() && proc_has_socket(all[i], inode))
                        found = all[i];
        free(all);
        return found;
}
