/* SPDX-License-Identifier: MIT */
/*
 * A socket belongs to the network namespace of the thread that makes it, for ever. So a thread of its own
 * enters the other namespace (setns(2) moves a thread, not a process), makes the socket and ends: there is
 * no way back that could fail.
 */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fd.h"
#include "socket.h"

static int read_inode(const char *path, uint64_t *ret_netns)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        *ret_netns = st.st_ino;
        return 0;
}

uint64_t hot__namespace_of_caller(void)
{
        uint64_t netns = 0;

        return read_inode("/proc/thread-self/ns/net", &netns) < 0 ? 0 : netns;
}

int hot__namespace_of(pid_t pid, uint64_t *ret_netns)
{
        char path[48];

        snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        return read_inode(path, ret_netns);
}

struct visit {
        int namespace_fd; /* borrowed */
        int result;       /* a descriptor, or a negative errno */
};

static void *enter(void *data)
{
        struct visit *visit = data;

        visit->result =
                setns(visit->namespace_fd, CLONE_NEWNET) < 0 ? -errno : hot__socket_source();
        return NULL;
}

/* The thread is born with all signals blocked: the caller's handlers must not run in another namespace. */
static int visit(int namespace_fd)
{
        struct visit visit = {namespace_fd, -EIO};
        sigset_t all, before;
        pthread_t thread;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, NULL, enter, &visit);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return -r;
        pthread_join(thread, NULL);
        return visit.result;
}

int hot__namespace_socket(pid_t pid, uint64_t netns)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct stat st;
        char path[48];

        snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_ino == netns ? visit(fd) : -ESRCH;
}
