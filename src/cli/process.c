/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_proc(pid_t pid, const char *name)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        return fopen(path, "re");
}

/* "Uid: real effective saved fs", "NSpid: outermost … innermost" */
static void take_status_line(const char *line, struct process *ret)
{
        unsigned int real, effective;
        const char *last = strrchr(line, '\t');

        if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
                ret->uid = effective;
        else if (strncmp(line, "State:", 6) == 0 && strpbrk(line + 6, "ZX"))
                ret->has_ended = true;
        else if (strncmp(line, "NSpid:", 6) == 0 && last)
                ret->inner_pid = (pid_t)strtol(last + 1, NULL, 10);
}

static int read_status(struct process *ret)
{
        FILE *file = open_proc(ret->pid, "status");
        char line[4096];

        if (!file)
                return errno == ENOENT ? -ESRCH : -errno;
        ret->uid = (uid_t)-1;
        ret->inner_pid = ret->pid;
        while (fgets(line, sizeof(line), file))
                take_status_line(line, ret);
        fclose(file);
        return ret->uid == (uid_t)-1 || ret->has_ended ? -ESRCH : 0;
}

/* Closed to us for the processes of others: then its runtime directory is as well. */
static void read_runtime(struct process *ret)
{
        static const char name[] = "XDG_RUNTIME_DIR=";
        FILE *file = open_proc(ret->pid, "environ");
        char *entry = NULL;
        size_t size = 0;

        ret->runtime[0] = '\0';
        while (file && getdelim(&entry, &size, '\0', file) > 0) {
                const char *value = entry + sizeof(name) - 1;

                if (strncmp(entry, name, sizeof(name) - 1) == 0 &&
                    strlen(value) < sizeof(ret->runtime))
                        strcpy(ret->runtime, value);
        }
        free(entry);
        if (file)
                fclose(file);
}

/* The same directory, seen through the same mounts? */
static int is_our_root(pid_t pid, const struct stat *root)
{
        struct stat ours, mounts, our_mounts;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
        return stat("/", &ours) == 0 && ours.st_dev == root->st_dev &&
               ours.st_ino == root->st_ino && stat(path, &mounts) == 0 &&
               stat("/proc/self/ns/mnt", &our_mounts) == 0 && mounts.st_ino == our_mounts.st_ino;
}

static int open_root(pid_t pid)
{
        char path[64];
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return AT_FDCWD;
        if (fstat(fd, &st) == 0 && !is_our_root(pid, &st))
                return fd;
        close(fd);
        return AT_FDCWD;
}

int process_read(pid_t pid, struct process *ret)
{
        struct process process = {.pid = pid, .root = AT_FDCWD};
        int r = read_status(&process);

        if (r < 0)
                return r;
        read_runtime(&process);
        process.root = open_root(pid);
        *ret = process;
        return 0;
}

void process_done(struct process *process)
{
        if (process->root >= 0)
                close(process->root);
        process->root = AT_FDCWD;
}
