/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "patience.h"

/* More than a restart that goes well has; of one that does not, the first are the telling ones. */
#define MOMENTS_MAX 64

struct moment {
        uint64_t when;
        size_t order; /* as noted: among those of the same moment */
        char text[160];
};

struct timeline {
        uint64_t zero;
        struct moment moments[MOMENTS_MAX];
        size_t n;
};

struct timeline *timeline_new(uint64_t zero)
{
        struct timeline *timeline = calloc(1, sizeof(*timeline));

        if (timeline)
                timeline->zero = zero;
        return timeline;
}

void timeline_free(struct timeline *timeline)
{
        free(timeline);
}

double timeline_at(const struct timeline *timeline, uint64_t when)
{
        return timeline ? ((double)when - (double)timeline->zero) / (double)MILLISECOND : 0;
}

void timeline_add(struct timeline *timeline, uint64_t when, const char *format, ...)
{
        struct moment *moment;
        va_list arguments;

        if (!timeline || timeline->n == MOMENTS_MAX)
                return;
        moment = &timeline->moments[timeline->n];
        moment->when = when;
        moment->order = timeline->n++;
        va_start(arguments, format);
        vsnprintf(moment->text, sizeof(moment->text), format, arguments);
        va_end(arguments);
}

static int compare_moments(const void *a, const void *b)
{
        const struct moment *x = a, *y = b;

        if (x->when != y->when)
                return x->when > y->when ? 1 : -1;
        return (x->order > y->order) - (x->order < y->order);
}

void timeline_print(struct timeline *timeline)
{
        if (!timeline)
                return;
        qsort(timeline->moments, timeline->n, sizeof(*timeline->moments), compare_moments);
        for (size_t i = 0; i < timeline->n; i++)
                printf("  %8.1f ms  %s\n", timeline_at(timeline, timeline->moments[i].when),
                       timeline->moments[i].text);
}
