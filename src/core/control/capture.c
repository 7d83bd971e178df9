/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"

/*
 * The standard error of a new process, while somebody who has asked for the restart wants to know what it
 * writes there. It is a pipe; we pass on what comes through it. A process that speaks our protocol gets
 * the real one with the offer, and puts it in place when it is ready: it must not depend on a process
 * that will end. One that does not would be killed by SIGPIPE when we end, so we stay as long as anybody
 * may write.
 */

/* What is read in one go when the end of it is wanted: more than a pipe holds. */
#define READS_MAX 64

/* A number that few others come near. */
#define FAR 512

static void stop_relaying(struct hot *hot)
{
        hot__unwatch(hot, hot->tail.fd);
        hot__tail_close(&hot->tail);
        if (hot->relaying)
                hot_release(hot);
        hot->relaying = false;
}

void hot__capture_done(struct hot *hot)
{
        stop_relaying(hot);
        hot->own_stderr = hot__fd_close(hot->own_stderr);
}

void hot__capture_begin(struct hot *hot)
{
        hot->tail.written = 0;
}

int hot__capture_open(struct hot *hot, int *ret_theirs)
{
        int r;

        stop_relaying(hot);
        /* What is nowhere to be passed on is not captured: they would differ in who has a stderr. */
        if (!hot__control_captures(hot) || !hot->stdio[STDERR_FILENO] ||
            !hot__fd_is_open(STDERR_FILENO))
                return 0;
        r = hot__tail_open(&hot->tail, ret_theirs);
        return r < 0 ? r : hot__watch(hot, hot->tail.fd, HOT__SOURCE_STDERR);
}

void hot__capture_read(struct hot *hot)
{
        if (hot->tail.fd >= 0 && hot__tail_read(&hot->tail, STDERR_FILENO) < 0)
                stop_relaying(hot);
}

void hot__capture_text(struct hot *hot, char *buffer, size_t size)
{
        for (int i = 0; i < READS_MAX && hot->tail.fd >= 0; i++) {
                int r = hot__tail_read(&hot->tail, STDERR_FILENO);

                if (r < 0)
                        stop_relaying(hot);
                if (r <= 0)
                        break;
        }
        hot__tail_text(&hot->tail, buffer, size);
}

void hot__capture_stay(struct hot *hot)
{
        if (hot->tail.fd < 0 || hot->relaying)
                return;
        hot->relaying = true;
        hot_hold(hot);
}

/* All zero if it is not open. */
static struct hot__file_id identify(int fd)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return (struct hot__file_id){0};
        return (struct hot__file_id){.dev = st.st_dev, .ino = st.st_ino};
}

/* Out of the way meanwhile: what is opened until we are ready has the same number with it and without. */
void hot__capture_take_fd(struct hot *hot, int fd)
{
        int far = fcntl(fd, F_DUPFD_CLOEXEC, FAR);

        hot__fd_close(hot->own_stderr);
        hot->own_stderr = far >= 0 ? far : hot__fd_take_above_stdio(fd);
        if (far >= 0)
                hot__fd_close(fd);
        hot->captured_stderr = identify(STDERR_FILENO);
}

/* A host that has put its own log there meanwhile keeps it. */
void hot__capture_end(struct hot *hot)
{
        struct hot__file_id now;

        if (hot->own_stderr < 0)
                return;
        now = identify(STDERR_FILENO);
        if (now.dev == hot->captured_stderr.dev && now.ino == hot->captured_stderr.ino)
                hot__stdio_replace(hot->own_stderr, STDERR_FILENO);
        hot->own_stderr = hot__fd_close(hot->own_stderr);
}
