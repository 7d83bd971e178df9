/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "sigpipe.h"

#define LINE_SIZE 1024

/*
 * Who reads our standard error may be gone, or may have stopped reading: a server must neither die of that
 * nor stand still in the middle of a restart. Room in a pipe is room for PIPE_BUF bytes, more than a line
 * has. The descriptor's flags are shared with others, so O_NONBLOCK is not ours to set.
 */
static bool stderr_takes_a_line(void)
{
        struct pollfd poller = {.fd = STDERR_FILENO, .events = POLLOUT};

        return poll(&poller, 1, 0) == 1 && (poller.revents & (POLLOUT | POLLERR)) == POLLOUT;
}

/* The reader may leave at any time. */
static void write_without_sigpipe(const char *line, size_t len)
{
        struct hot__sigpipe sigpipe;
        ssize_t n;

        hot__sigpipe_hold(&sigpipe);
        n = write(STDERR_FILENO, line, len);
        (void)n; /* lost, as a line that finds no room */
        hot__sigpipe_let_go(&sigpipe);
}

/* One write(2) a line: those of several processes do not mix. A line that finds no room is lost. */
void hot__log_to_stderr(const char *line, void *data)
{
        char text[LINE_SIZE + 32];
        int len = snprintf(text, sizeof(text), "[pid %d] %s\n", (int)getpid(), line);

        (void)data;
        if (len > 0 && (size_t)len < sizeof(text) && stderr_takes_a_line())
                write_without_sigpipe(text, (size_t)len);
}

void hot__log(const struct hot__log *log, const char *format, ...)
{
        char line[LINE_SIZE];
        va_list arguments;

        if (!log->sink)
                return;
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        log->sink(line, log->data);
}
