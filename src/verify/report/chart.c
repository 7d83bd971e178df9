/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <inttypes.h>

#include "causes.h"

#define WIDTH   1000.0
#define HEIGHT  300.0
#define LEFT    52.0
#define BOTTOM  270.0
#define TOP     34.0
#define FAILED  16.0 /* where failures are marked */
#define LOWEST  1e4  /* ns: what is faster is drawn there */
#define COLOURS 6
#define TICKS   8

#define BARS       48 /* of a histogram: equal steps of the logarithm, from 10 us to 100 s */
#define BAR_DECADE 7.0
#define H_HEIGHT   120.0

struct scale {
        double from, span; /* ns */
        double top;        /* the logarithm of the slowest, above that of LOWEST */
};

static double x_of(const struct scale *scale, uint64_t at)
{
        double x = ((double)at - scale->from) / scale->span;

        return LEFT + (x < 0 ? 0 : x > 1 ? 1 : x) * (WIDTH - LEFT - 10);
}

/* The logarithm of @ratio, which is above 1, to a hundred-thousandth: a picture needs no more of libm. */
static double decades(double ratio)
{
        double whole = 0, bit = 0.5;

        for (; ratio >= 10; ratio /= 10)
                whole++;
        for (; bit > 1e-6; bit /= 2) {
                ratio *= ratio;
                if (ratio >= 10) {
                        ratio /= 10;
                        whole += bit;
                }
        }
        return whole;
}

static double height_of(double ns)
{
        return ns <= LOWEST ? 0 : decades(ns / LOWEST);
}

static double y_of(const struct scale *scale, uint64_t latency)
{
        return BOTTOM - height_of((double)latency) / scale->top * (BOTTOM - TOP);
}

static struct scale measure(const struct proof_evidence *evidence)
{
        struct scale scale = {.from = (double)evidence->began,
                              .span = (double)(evidence->ended - evidence->began) + 1};
        uint64_t slowest = 10 * PROOF_MILLISECOND;

        for (size_t i = 0; i < evidence->n_dots; i++)
                if (evidence->dots[i].latency > slowest)
                        slowest = evidence->dots[i].latency;
        scale.top = height_of((double)slowest * 1.1);
        return scale;
}

static void draw_axes(FILE *out, const struct scale *scale)
{
        static const char *const labels[] = {"10 µs", "0.1 ms", "1 ms", "10 ms",
                                             "0.1 s", "1 s",    "10 s", "100 s"};

        for (size_t i = 0; i < sizeof(labels) / sizeof(*labels) && (double)i <= scale->top; i++) {
                double y = BOTTOM - (double)i / scale->top * (BOTTOM - TOP);

                fprintf(out,
                        "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                        "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                        LEFT, WIDTH - 10, y, y, LEFT - 6, y + 4, labels[i]);
        }
        for (int i = 0; i <= TICKS; i++) {
                double seconds = scale->span / (double)PROOF_SECOND * i / TICKS;

                fprintf(out, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%.1f s</text>\n",
                        LEFT + (WIDTH - LEFT - 10) * i / TICKS, HEIGHT - 8, seconds);
        }
}

static void draw_restarts(FILE *out, const struct proof_evidence *evidence,
                          const struct scale *scale)
{
        for (size_t i = 0; i < evidence->n_restarts; i++) {
                const struct proof_restart *restart = &evidence->restarts[i];
                double x = x_of(scale, restart->at);

                fprintf(out,
                        "<line class=\"restart\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" "
                        "y2=\"%.0f\"><title>restart %zu",
                        x, x, TOP - 10, BOTTOM, i + 1);
                if (restart->effect != 0)
                        fprintf(out, ", first answer of the new generation after %.1f ms",
                                (double)(restart->effect - restart->at) /
                                        (double)PROOF_MILLISECOND);
                fputs("</title></line>\n", out);
        }
}

static void draw_dots(FILE *out, const struct proof_evidence *evidence, const struct scale *scale)
{
        for (size_t i = 0; i < evidence->n_dots; i++) {
                const struct proof_dot *dot = &evidence->dots[i];

                fprintf(out, "<circle class=\"g%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>\n",
                        dot->generation == SIZE_MAX ? 0 : dot->generation % COLOURS,
                        x_of(scale, dot->at), y_of(scale, dot->latency));
        }
}

/* So many fit beside each other; where there are more, they are on top of each other. */
static void draw_failures(FILE *out, const struct proof_evidence *evidence,
                          const struct scale *scale)
{
        double last = -1;

        for (size_t i = 0; i < evidence->n_failures; i++) {
                const struct proof_failure *failure = &evidence->failures[i];
                double x = x_of(scale, failure->end);

                if (x - last < 0.5 && x >= last)
                        continue;
                last = x;
                fprintf(out,
                        "<path class=\"failure\" d=\"M%.1f %.1fl8 8m0 -8l-8 8\">"
                        "<title>%s: %s</title></path>\n",
                        x - 4, FAILED - 4, hot__outcome_name((int)failure->outcome),
                        causes_profile(evidence->profiles[failure->profile].name));
        }
}

void chart_timeline(FILE *out, const struct proof_evidence *evidence)
{
        struct scale scale = measure(evidence);

        fprintf(out,
                "<svg class=\"timeline\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                "aria-label=\"latency over time\">\n",
                WIDTH, HEIGHT);
        draw_axes(out, &scale);
        draw_restarts(out, evidence, &scale);
        draw_dots(out, evidence, &scale);
        draw_failures(out, evidence, &scale);
        fputs("</svg>\n", out);
}

/* ---- histograms ---- */

static size_t bar_of(uint64_t ns)
{
        double bar = height_of((double)ns) * BARS / BAR_DECADE;

        return bar >= BARS ? BARS - 1 : (size_t)bar;
}

/* Shares of all, so that few answers around restarts compare with many away from them. */
static double spread(const struct hot__histogram *histogram, double bars[BARS])
{
        double highest = 0;

        for (size_t i = 0; i < BARS; i++)
                bars[i] = 0;
        for (unsigned int i = 1; i <= 1000 && histogram->count > 0; i++)
                bars[bar_of(hot__histogram_at(histogram, i))] += 0.001;
        for (size_t i = 0; i < BARS; i++)
                highest = bars[i] > highest ? bars[i] : highest;
        return highest;
}

static void draw_bars(FILE *out, const char *class, const double bars[BARS], double highest,
                      double shift)
{
        const double step = 500.0 / BARS;

        for (size_t i = 0; i < BARS; i++) {
                double height = highest > 0 ? bars[i] / highest * (H_HEIGHT - 24) : 0;

                if (height > 0)
                        fprintf(out,
                                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                                "height=\"%.1f\"/>\n",
                                class, (double)i * step + shift, H_HEIGHT - 18 - height,
                                step / 2 - 0.5, height);
        }
}

void chart_histogram(FILE *out, const struct hot__histogram *steady,
                     const struct hot__histogram *around)
{
        static const char *const labels[] = {"10 µs", "0.1 ms", "1 ms", "10 ms",
                                             "0.1 s", "1 s",    "10 s"};
        double quiet[BARS], loud[BARS];
        double before = spread(steady, quiet), after = spread(around, loud);
        double highest = before > after ? before : after;

        fprintf(out,
                "<svg class=\"histogram\" viewBox=\"0 0 500 %.0f\" role=\"img\" "
                "aria-label=\"latencies\">\n",
                H_HEIGHT);
        for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++)
                fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
                        (double)i * 500 / BAR_DECADE, H_HEIGHT - 4, labels[i]);
        draw_bars(out, "steady", quiet, highest, 0);
        draw_bars(out, "around", loud, highest, 500.0 / BARS / 2);
        fputs("</svg>\n", out);
}
