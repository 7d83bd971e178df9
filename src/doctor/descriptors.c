/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unixpath.h"

#define NAMED_MAX 5

static void check_limit(struct advices *advices, const struct patient *patient)
{
        size_t used = hot_inspect_count(patient->descriptors);

        if (patient->files.rlim_cur == 0 || patient->files.rlim_cur == RLIM_INFINITY)
                return;
        if (used > patient->files.rlim_cur / 10 * 9)
                advise(advices, ADVICE_BAD, "descriptor limit", "Raise LimitNOFILE= or ulimit -n.",
                       "%zu of %" PRIu64 " descriptors are in use: what a new generation is handed "
                       "must fit beside what it opens itself.",
                       used, (uint64_t)patient->files.rlim_cur);
        else
                advise(advices, ADVICE_GOOD, "descriptor limit", "",
                       "%zu of %" PRIu64 " descriptors are in use.", used,
                       (uint64_t)patient->files.rlim_cur);
}

static void name(const struct hot_inspect_fd *fd, char *text, size_t size)
{
        size_t used = strlen(text);

        snprintf(text + used, size - used, "%s%d (%s)", used > 0 ? ", " : "", fd->fd,
                 fd->local[0] ? fd->local : fd->target);
}

/* Everything above standard error that a program would get that this one starts. */
static void check_cloexec(struct advices *advices, const struct patient *patient)
{
        const struct hot_inspect_fd *fd;
        char names[400] = "";
        size_t n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(patient->descriptors, i)); i++) {
                if (fd->fd <= STDERR_FILENO || fd->cloexec)
                        continue;
                if (n++ < NAMED_MAX)
                        name(fd, names, sizeof(names));
        }
        if (n > 0)
                advise(advices, ADVICE_WARN, "close on exec",
                       "Give every descriptor FD_CLOEXEC when it is made; clear it in the child, "
                       "on "
                       "what it is to have.",
                       "%zu descriptor%s without it: %s%s. Every program that this one starts gets "
                       "them, and a new generation may keep them for ever.",
                       n, n == 1 ? "" : "s", names, n > NAMED_MAX ? " …" : "");
        else
                advise(advices, ADVICE_GOOD, "close on exec", "",
                       "Every descriptor above 2 has it.");
}

static const char *stray(const struct hot_inspect_fd *fd)
{
        if (fd->kind == HOT_INSPECT_PIDFD && fd->pid == -1)
                return "a pidfd of a process that has ended";
        if (fd->kind == HOT_INSPECT_UNIX && !fd->listening && fd->peer_inode == 0 &&
            strcmp(fd->state, "CONNECTED") == 0)
                return "a UNIX socket whose other end is gone";
        if (fd->kind == HOT_INSPECT_TCP && strcmp(fd->state, "CLOSE_WAIT") == 0)
                return "a connection whose client has left";
        if (fd->kind == HOT_INSPECT_FILE && strstr(fd->target, " (deleted)"))
                return "a deleted file";
        return NULL;
}

static void check_strays(struct advices *advices, const struct patient *patient)
{
        const struct hot_inspect_fd *fd;
        const char *first = NULL;
        char names[400] = "";
        size_t n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(patient->descriptors, i)); i++) {
                if (!stray(fd))
                        continue;
                if (!first)
                        first = stray(fd);
                if (n++ < NAMED_MAX)
                        name(fd, names, sizeof(names));
        }
        if (n > 0)
                advise(advices, ADVICE_WARN, "leaked descriptors",
                       "`hotstart verify` tells whether they become more with each restart.",
                       "%zu lead%s nowhere: %s%s (the first is %s).", n, n == 1 ? "s" : "", names,
                       n > NAMED_MAX ? " …" : "", first);
}

/* Some things can only be asked of the socket itself. Gives a copy of it, or a negative errno. */
static int fetch(const struct patient *patient, int number)
{
        int pidfd = (int)syscall(SYS_pidfd_open, patient->pid, 0), fd;

        if (pidfd < 0)
                return -errno;
        fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
        if (fd < 0)
                fd = -errno;
        close(pidfd);
        return fd;
}

static bool has_reuseport(const struct patient *patient, int number)
{
        int fd = fetch(patient, number), on = 0;
        socklen_t size = sizeof(on);

        if (fd < 0)
                return false;
        if (getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &size) < 0)
                on = 0;
        close(fd);
        return on != 0;
}

static bool migrates(void)
{
        FILE *file = fopen("/proc/sys/net/ipv4/tcp_migrate_req", "re");
        int value = 0;

        if (!file)
                return false;
        if (fscanf(file, "%d", &value) != 1)
                value = 0;
        fclose(file);
        return value != 0;
}

/*
 * Does a path lead to this listener? The name that it was bound to may have been changed since: whoever wants no
 * gap binds another name and renames it.
 */
static bool is_reachable(const struct patient *patient, const struct hot_inspect_fd *fd)
{
        int copy = fetch(patient, fd->fd), r;
        struct stat status;
        char path[PATH_MAX];

        if (copy < 0)
                return stat(fd->local, &status) == 0 && S_ISSOCK(status.st_mode);
        r = hot__unixpath_find(copy, path, sizeof(path));
        close(copy);
        return r != -ENOENT;
}

static void check_unix(struct advices *advices, const struct patient *patient,
                       const struct hot_inspect_fd *fd)
{
        if (fd->local[0] != '/' || is_reachable(patient, fd))
                return;
        advise(advices, ADVICE_BAD, "listener",
               "Only a process that stops without a successor unlinks its path.",
               "Descriptor %d listens at %s, and there is no such socket any more: nobody can "
               "reach "
               "it, and no restart that hands it over changes that.",
               fd->fd, fd->local);
}

static void check_listeners(struct advices *advices, const struct patient *patient)
{
        const struct hot_inspect_fd *fd;
        bool reuseport = false;
        size_t n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(patient->descriptors, i)); i++) {
                if (!fd->listening)
                        continue;
                n++;
                if (fd->kind == HOT_INSPECT_UNIX)
                        check_unix(advices, patient, fd);
                else
                        reuseport |= fd->kind == HOT_INSPECT_TCP && has_reuseport(patient, fd->fd);
        }
        if (n == 0)
                advise(advices, ADVICE_NOTE, "listener", "", "It listens nowhere.");
        if (reuseport && !migrates())
                advise(advices, ADVICE_WARN, "SO_REUSEPORT",
                       "Pass every socket of the group to the new generation, or sysctl -w "
                       "net.ipv4.tcp_migrate_req=1 before it is made.",
                       "It listens with SO_REUSEPORT: if the new generation binds sockets of its "
                       "own "
                       "and the old one closes its, the clients in the old queues are reset.");
}

void doctor_descriptors(struct advices *advices, const struct patient *patient)
{
        if (!patient->descriptors) {
                advise(advices, ADVICE_NOTE, "descriptors", "Ask as its user, or as root.",
                       "They are not for us to see.");
                return;
        }
        check_limit(advices, patient);
        check_cloexec(advices, patient);
        check_strays(advices, patient);
        check_listeners(advices, patient);
}
