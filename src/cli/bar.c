/* SPDX-License-Identifier: MIT */
#include "bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 30

static int terminal_width(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void bar_show(unsigned long done, unsigned long all, const char *text)
{
        static const char full[] = "##############################";
        int filled = all > 0 ? (int)(done * BAR_WIDTH / all) : 0;
        char line[256];

        if (!isatty(STDERR_FILENO))
                return;
        if (filled > BAR_WIDTH)
                filled = BAR_WIDTH;
        snprintf(line, sizeof(line), "[%-*.*s] %s", BAR_WIDTH, filled, full, text);
        /* Cut to the width: a line that wraps could not be drawn over. */
        fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
}

void bar_end(void)
{
        if (isatty(STDERR_FILENO))
                fputs("\r\033[K", stderr);
}
