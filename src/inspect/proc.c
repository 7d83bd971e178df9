/* SPDX-License-Identifier: MIT */
/*
 * Every file of a process is opened relative to one descriptor of its directory in /proc: the kernel ties
 * that to the process, not to the number, so that a number which is used again while we read gives ESRCH
 * and never a mixture of two processes.
 */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fd.h"

/* The kernel's (proc(5), "stat", field 9): set before a task gives up its files, and for ever after. */
#define PF_EXITING 0x4

/* A process that is gone shows as a missing file or as ESRCH, by when it went. */
static int vanished_or(int error)
{
        return error == ENOENT ? -ESRCH : -error;
}

int hot__proc_parse_stat(const char *text, struct hot__proc *ret)
{
        const char *open = strchr(text, '('), *close = strrchr(text, ')');
        struct hot__proc parsed = *ret;
        unsigned long long start = 0, stack = 0;
        unsigned int flags;
        size_t len;

        /* The name may hold anything, parentheses too: it ends at the last one. */
        if (!open || !close || close < open)
                return -EINVAL;
        len = (size_t)(close - open - 1);
        if (len >= sizeof(parsed.name))
                return -EINVAL;
        memcpy(parsed.name, open + 1, len);
        parsed.name[len] = '\0';
        if (sscanf(close + 1,
                   " %c %d %d %d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %llu"
                   " %*u %*d %*u %*u %*u %llu",
                   &parsed.state, &parsed.parent, &parsed.group, &parsed.session, &flags,
                   &parsed.n_threads, &start, &stack) < 5)
                return -EINVAL;
        parsed.start = start;
        parsed.stack = stack;
        if (flags & PF_EXITING)
                return -ESRCH;
        *ret = parsed;
        return 0;
}

/* It has 52 numbers at most. */
static int read_stat(const struct hot__proc *process, struct hot__proc *ret)
{
        char text[2048];
        int r = hot__proc_read_short(process, "stat", text, sizeof(text));

        return r < 0 ? r : hot__proc_parse_stat(text, ret);
}

static int read_identity(struct hot__proc *process)
{
        struct stat st;
        int r;

        if (fstat(process->fd, &st) < 0)
                return vanished_or(errno);
        process->uid = st.st_uid;
        process->error = 0;
        r = read_stat(process, process);
        if (r == -EACCES || r == -EPERM) {
                process->error = r;
                return 0;
        }
        return r;
}

int hot__proc_open(pid_t pid, struct hot__proc *ret)
{
        struct hot__proc process = {.fd = -EBADF, .pid = pid};
        char path[32];
        int r;

        snprintf(path, sizeof(path), "/proc/%d", pid);
        process.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process.fd < 0)
                return vanished_or(errno);
        r = read_identity(&process);
        if (r < 0) {
                hot__proc_done(&process);
                return r;
        }
        *ret = process;
        return 0;
}

int hot__proc_check(const struct hot__proc *process)
{
        struct hot__proc now = *process;

        return read_stat(process, &now);
}

void hot__proc_done(struct hot__proc *process)
{
        process->fd = hot__fd_close(process->fd);
}

/* Files in /proc have no size to ask for: read until the end, with a buffer that doubles. Most come in pages. */
static int read_all(int fd, char **ret_text, size_t *ret_len)
{
        size_t size = 4 * 4096, len = 0;
        char *text = malloc(size), *larger;
        ssize_t n;

        while (text && (n = read(fd, text + len, size - len - 1)) != 0) {
                if (n < 0) {
                        int error = errno;

                        free(text);
                        return vanished_or(error);
                }
                len += (size_t)n;
                if (size - len > 1)
                        continue;
                larger = realloc(text, size * 2);
                if (!larger)
                        free(text);
                text = larger;
                size *= 2;
        }
        if (!text)
                return -ENOMEM;
        text[len] = '\0';
        *ret_text = text;
        *ret_len = len;
        return 0;
}

int hot__proc_read(const struct hot__proc *process, const char *path, char **ret_text,
                   size_t *ret_len)
{
        CLEANUP(hot__fd_closep) int fd = openat(process->fd, path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return vanished_or(errno);
        return read_all(fd, ret_text, ret_len);
}

int hot__proc_read_short(const struct hot__proc *process, const char *path, char *text, size_t size)
{
        CLEANUP(hot__fd_closep) int fd = openat(process->fd, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size);

        if (n < 0)
                return vanished_or(errno);
        if ((size_t)n == size)
                return -ENOBUFS;
        text[n] = '\0';
        return 0;
}

pid_t hot_inspect_parent_of(pid_t pid)
{
        struct hot__proc process;
        int r = hot__proc_open(pid, &process);

        if (r < 0)
                return r;
        hot__proc_done(&process);
        return process.error < 0 ? process.error : process.parent;
}

int hot_inspect_program(pid_t pid, char *buffer, size_t size)
{
        char path[32], program[PATH_MAX];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/exe", pid);
        n = readlink(path, program, sizeof(program));
        if (n < 0)
                return vanished_or(errno);
        /* readlink(2) cuts without saying so: a full buffer may be a cut one. */
        if ((size_t)n == sizeof(program) || (size_t)n >= size)
                return -ENOSPC;
        memcpy(buffer, program, (size_t)n);
        buffer[n] = '\0';
        return 0;
}

/* The value of @variable among the zero-terminated strings from @text to @end, or NULL. */
static const char *find_variable(const char *text, const char *end, const char *variable)
{
        size_t len = strlen(variable);

        for (; text < end; text += strlen(text) + 1)
                if (strncmp(text, variable, len) == 0 && text[len] == '=')
                        return text + len + 1;
        return NULL;
}

int hot_inspect_environment(pid_t pid, const char *variable, char *buffer, size_t size)
{
        struct hot__proc process;
        const char *value;
        char *text;
        size_t len;
        int r = hot__proc_open(pid, &process);

        if (r < 0)
                return r;
        r = hot__proc_read(&process, "environ", &text, &len);
        hot__proc_done(&process);
        if (r < 0)
                return r;
        value = find_variable(text, text + len, variable);
        if (!value)
                r = -ENOENT;
        else if (strlen(value) >= size)
                r = -ENOSPC;
        else
                memcpy(buffer, value, strlen(value) + 1);
        free(text);
        return r;
}

static int compare_pids(const void *a, const void *b)
{
        pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

        return (x > y) - (x < y);
}

static int append_pid(pid_t **pids, size_t *n, size_t *room, pid_t pid)
{
        pid_t *larger;

        if (*n == *room) {
                *room = *room ? *room * 2 : 128;
                larger = realloc(*pids, *room * sizeof(**pids));
                if (!larger)
                        return -ENOMEM;
                *pids = larger;
        }
        (*pids)[(*n)++] = pid;
        return 0;
}

int hot_inspect_processes(pid_t **ret_pids, size_t *ret_n)
{
        DIR *directory = opendir("/proc");
        struct dirent *entry;
        size_t n = 0, room = 0;
        pid_t *pids = NULL;
        int r = 0;

        if (!directory)
                return -errno;
        while (r == 0 && (entry = readdir(directory)))
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                        r = append_pid(&pids, &n, &room, (pid_t)strtol(entry->d_name, NULL, 10));
        closedir(directory);
        if (r < 0) {
                free(pids);
                return r;
        }
        if (n > 0)
                qsort(pids, n, sizeof(*pids), compare_pids);
        *ret_pids = pids;
        *ret_n = n;
        return 0;
}
