/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"

/* What strikes next: the call with this number, with that one of its errnos. */
static struct {
        bool counting; /* between prepare and clean */
        unsigned int at, which;
        unsigned int n_calls;
        const char *call; /* that was struck, or would have been if it had so many errnos */
        int error;        /* 0: it had not */
        bool recovers;
} fault;

bool fault_hit(const char *call)
{
        return fault.error && (strcmp(call, FAULT_ANY) == 0 || strcmp(fault.call, call) == 0);
}

/* @errors end with 0; those behind a second 0 must be recovered from. */
static bool strikes(const char *call, const int *errors)
{
        unsigned int left = fault.which;
        bool recovers = false;

        if (!fault.counting || ++fault.n_calls != fault.at)
                return false;
        fault.call = call;
        for (;; errors++) {
                if (*errors == 0 && recovers)
                        return false;
                if (*errors == 0)
                        recovers = true;
                else if (left-- == 0)
                        break;
        }
        fault.error = errno = *errors;
        fault.recovers = recovers;
        return true;
}

#define ERRORS(...) ((const int[]){__VA_ARGS__})

#define WRAP(type, failed, name, parameters, arguments, errors) \
        type __real_##name parameters;                          \
        type __wrap_##name parameters;                          \
        type __wrap_##name parameters                           \
        {                                                       \
                if (strikes(#name, errors))                     \
                        return failed;                          \
                return __real_##name arguments;                 \
        }

WRAP(int, -1, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
     ERRORS(EACCES, ENOMEM, 0, 0))
WRAP(void *, NULL, calloc, (size_t n, size_t size), (n, size), ERRORS(ENOMEM, 0, 0))
WRAP(int, -1, capget, (void *header, void *data), (header, data), ERRORS(EPERM, 0, 0))
WRAP(int, -1, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
     ERRORS(EACCES, 0, 0))
WRAP(int, -1, epoll_create1, (int flags), (flags), ERRORS(EMFILE, ENFILE, ENOMEM, 0, 0))
WRAP(int, -1, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event),
     (epoll, operation, fd, event), ERRORS(ENOMEM, ENOSPC, 0, 0))
WRAP(int, -1, eventfd, (unsigned int count, int flags), (count, flags),
     ERRORS(EMFILE, ENOMEM, 0, 0))
WRAP(int, -1, fstat, (int fd, struct stat *st), (fd, st), ERRORS(EIO, 0, 0))
WRAP(int, -1, fstatfs, (int fd, struct statfs *fs), (fd, fs), ERRORS(EIO, 0, 0))
WRAP(int, -1, getgroups, (int size, gid_t *groups), (size, groups), ERRORS(EINVAL, 0, 0))
WRAP(int, -1, getpeername, (int fd, struct sockaddr *address, socklen_t *len), (fd, address, len),
     ERRORS(ENOBUFS, 0, 0))
WRAP(int, -1, getresuid, (uid_t * real, uid_t *effective, uid_t *saved), (real, effective, saved),
     ERRORS(EPERM, 0, 0))
WRAP(int, -1, getsockname, (int fd, struct sockaddr *address, socklen_t *len), (fd, address, len),
     ERRORS(ENOBUFS, 0, 0))
WRAP(int, -1, getsockopt, (int fd, int level, int option, void *value, socklen_t *len),
     (fd, level, option, value, len), ERRORS(ENOPROTOOPT, 0, 0))
WRAP(int, -1, listen, (int fd, int backlog), (fd, backlog), ERRORS(EADDRINUSE, 0, 0))
WRAP(int, -1, lstat, (const char *path, struct stat *st), (path, st), ERRORS(EACCES, 0, 0))
WRAP(void *, NULL, malloc, (size_t size), (size), ERRORS(ENOMEM, 0, 0))
/* EINVAL: a kernel that does not know MFD_NOEXEC_SEAL. */
WRAP(int, -1, memfd_create, (const char *name, unsigned int flags), (name, flags),
     ERRORS(EMFILE, ENOMEM, 0, EINVAL, 0))
WRAP(void *, MAP_FAILED, mmap,
     (void *address, size_t len, int protection, int flags, int fd, off_t offset),
     (address, len, protection, flags, fd, offset), ERRORS(ENOMEM, 0, 0))
WRAP(int, -1, pipe2, (int fds[2], int flags), (fds, flags), ERRORS(EMFILE, ENFILE, 0, 0))
WRAP(ssize_t, -1, read, (int fd, void *buffer, size_t size), (fd, buffer, size), ERRORS(EIO, 0, 0))
WRAP(void *, NULL, realloc, (void *old, size_t size), (old, size), ERRORS(ENOMEM, 0, 0))
WRAP(void *, NULL, reallocarray, (void *old, size_t n, size_t size), (old, n, size),
     ERRORS(ENOMEM, 0, 0))
WRAP(ssize_t, -1, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags),
     ERRORS(ENOMEM, 0, 0))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *header, int flags), (fd, header, flags),
     ERRORS(ENOMEM, ENOBUFS, 0, EINTR, ECONNRESET, EAGAIN, 0))
WRAP(int, -1, rename, (const char *from, const char *to), (from, to), ERRORS(EROFS, 0, 0))
WRAP(int, -1, renameat2,
     (int from_dir, const char *from, int to_dir, const char *to, unsigned int flags),
     (from_dir, from, to_dir, to, flags), ERRORS(EROFS, 0, 0))
WRAP(ssize_t, -1, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags),
     ERRORS(ENOBUFS, 0, 0))
WRAP(ssize_t, -1, sendmsg, (int fd, const struct msghdr *header, int flags), (fd, header, flags),
     ERRORS(ENOBUFS, ETOOMANYREFS, EPIPE, ENOMEM, 0, EINTR, 0))
WRAP(int, -1, setsockopt, (int fd, int level, int option, const void *value, socklen_t len),
     (fd, level, option, value, len), ERRORS(ENOPROTOOPT, ENOMEM, 0, 0))
WRAP(int, -1, signalfd, (int fd, const sigset_t *signals, int flags), (fd, signals, flags),
     ERRORS(EMFILE, ENOMEM, 0, 0))
WRAP(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol),
     ERRORS(EMFILE, ENOBUFS, 0, 0))
WRAP(int, -1, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), ERRORS(EMFILE, ENFILE, ENOMEM, 0, 0))
WRAP(int, -1, stat, (const char *path, struct stat *st), (path, st), ERRORS(EACCES, 0, 0))
WRAP(int, -1, statvfs, (const char *path, struct statvfs *fs), (path, fs), ERRORS(EACCES, 0, 0))
WRAP(char *, NULL, strdup, (const char *text), (text), ERRORS(ENOMEM, 0, 0))
WRAP(int, -1, timerfd_create, (int clock, int flags), (clock, flags), ERRORS(EMFILE, ENOMEM, 0, 0))
WRAP(int, -1, timerfd_settime,
     (int fd, int flags, const struct itimerspec *new, struct itimerspec *old),
     (fd, flags, new, old), ERRORS(ECANCELED, 0, 0))
WRAP(int, -1, unlink, (const char *path), (path), ERRORS(EROFS, 0, 0))
/* Anything but an interruption would mean that there is no such child. */
WRAP(int, -1, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
     (type, id, info, options), ERRORS(0, EINTR, 0))
WRAP(ssize_t, -1, write, (int fd, const void *bytes, size_t len), (fd, bytes, len),
     ERRORS(ENOSPC, EIO, 0, 0))

/* A close that fails has closed all the same: Linux frees the number first. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
        bool fails = strikes("close", ERRORS(0, EINTR, EIO, 0));
        int r = __real_close(fd);

        if (!fails)
                return r;
        errno = fault.error;
        return -1;
}

/* Of the arguments behind the fourth the first is used: where the pidfd goes. */
int __real_clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
        va_list arguments;
        void *where;

        if (strikes("clone", ERRORS(EAGAIN, EMFILE, ENOMEM, 0, 0)))
                return -1;
        va_start(arguments, argument);
        where = va_arg(arguments, void *);
        va_end(arguments);
        return __real_clone(function, stack, flags, argument, where);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
        bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
        va_list arguments;
        int argument;

        if (strikes("fcntl", copies ? ERRORS(EMFILE, 0, 0) : ERRORS(EPERM, 0, 0)))
                return -1;
        if (command == F_GETFD || command == F_GETFL)
                return __real_fcntl(fd, command);
        va_start(arguments, command);
        argument = va_arg(arguments, int);
        va_end(arguments);
        return __real_fcntl(fd, command, argument);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
        va_list arguments;
        mode_t mode = 0;

        if (strikes("open", ERRORS(EMFILE, EACCES, 0, 0)))
                return -1;
        if (flags & O_CREAT) {
                va_start(arguments, flags);
                mode = va_arg(arguments, mode_t);
                va_end(arguments);
        }
        return __real_open(path, flags, mode);
}

/* The sweep */

static bool is_listed(const char *const *list, const char *call)
{
        for (; list && *list; list++)
                if (strcmp(*list, call) == 0 || strcmp(*list, FAULT_ANY) == 0)
                        return true;
        return false;
}

/* Call number @at fails with its errno number @which. Returns what the scenario returned. */
static int run_once(const struct fault_scenario *scenario, unsigned int at, unsigned int which)
{
        void *state = NULL;
        int r;

        assert_int_equal(fdcheck_setup(&state), 0);
        if (scenario->prepare)
                scenario->prepare();
        memset(&fault, 0, sizeof(fault));
        fault.at = at;
        fault.which = which;
        fault.counting = true;
        r = scenario->run();
        fault.counting = false;
        if (scenario->clean)
                scenario->clean();
        if (fdcheck_teardown(&state) < 0)
                fail_msg("call %u (%s) failed with \"%s\", and something was left behind", at,
                         fault.call, strerror(fault.error));
        return r;
}

static void judge(const struct fault_scenario *scenario, unsigned int at, int r)
{
        const char *words = strerror(fault.error);

        if (r >= 0 && !fault.recovers && !is_listed(scenario->tolerated, fault.call))
                fail_msg("call %u (%s) failed with \"%s\" unnoticed", at, fault.call, words);
        if (r < 0 && fault.recovers)
                fail_msg("call %u (%s): \"%s\" was not recovered from: %d", at, fault.call, words,
                         r);
        if (r < 0 && r != -fault.error && !is_listed(scenario->translated, fault.call))
                fail_msg("call %u (%s) failed with \"%s\" and came out as \"%s\"", at, fault.call,
                         words, strerror(-r));
}

void fault_sweep(const struct fault_scenario *scenario)
{
        unsigned int n_calls, at, which;

        assert_int_equal(run_once(scenario, 0, 0), 0);
        n_calls = fault.n_calls;
        assert_true(n_calls > 0);
        for (at = 1; at <= n_calls; at++) {
                for (which = 0;; which++) {
                        int r = run_once(scenario, at, which);

                        /* Where other processes take part, a run may have a call or two fewer. */
                        if (!fault.call && (r < 0 || at + 4 < n_calls))
                                fail_msg("call %u did not come again", at);
                        if (fault.error == 0)
                                break;
                        judge(scenario, at, r);
                }
        }
}
