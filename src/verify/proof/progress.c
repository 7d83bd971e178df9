/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "collector.h"

#define DRAW_EVERY (100 * PROOF_MILLISECOND)
#define BAR_CELLS  20
#define NARROW     60 /* columns below which there is only the bar */

void progress_begin(struct progress *progress, bool quiet)
{
        const char *term = getenv("TERM");

        *progress = (struct progress){.shown = !quiet && isatty(STDERR_FILENO) && term &&
                                               strcmp(term, "dumb") != 0};
}

static unsigned int width_of_terminal(void)
{
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;
        return size.ws_col;
}

/* One of eight heights, a step for each factor of two and a half from 1 ms on. */
static const char *height(uint64_t latency)
{
        static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
        double limit = (double)PROOF_MILLISECOND;
        size_t i = 0;

        if (latency == 0)
                return " ";
        while (i < 7 && (double)latency > limit) {
                limit *= 2.5;
                i++;
        }
        return blocks[i];
}

static void draw_bar(size_t done, size_t all)
{
        size_t full = all > 0 ? done * BAR_CELLS / all : BAR_CELLS;

        for (size_t i = 0; i < BAR_CELLS; i++)
                fputs(i < full ? "━" : "╌", stderr);
}

void progress_draw(struct progress *progress, const struct proof_evidence *evidence,
                   struct collector *collector)
{
        uint64_t now = hot__clock_now();
        unsigned int columns;
        size_t cells;

        if (!progress->shown || now < progress->next)
                return;
        progress->next = now + DRAW_EVERY;
        columns = width_of_terminal();
        fprintf(stderr, "\r\033[K%zu/%u ", evidence->n_restarts, evidence->options->restarts);
        draw_bar(evidence->n_restarts, evidence->options->restarts);
        if (columns >= NARROW) {
                fprintf(stderr, " %" PRIu64 " answers, ", collector->ok);
                fprintf(stderr,
                        collector->failed > 0 ? "\033[31m%" PRIu64 " failed\033[0m "
                                              : "%" PRIu64 " failed ",
                        collector->failed);
                cells = columns - NARROW < STRIP_CELLS ? columns - NARROW : STRIP_CELLS;
                for (size_t i = STRIP_CELLS - cells; i < STRIP_CELLS; i++)
                        fputs(height(collector->strip[i]), stderr);
        }
        fflush(stderr);
}

void progress_end(struct progress *progress)
{
        if (!progress->shown)
                return;
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
}
