/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In blocks: an array that grows would have to be copied in the middle of the measurement. */
#define BLOCK_SAMPLES 65536

struct sample {
        uint64_t due, end;
};

struct block {
        struct block *next;
        size_t count;
        struct sample samples[BLOCK_SAMPLES];
};

struct mark {
        enum stretch stretch;
        uint64_t from, to;
};

struct samples {
        struct block *blocks; /* the newest first */
        size_t count;
        struct mark *marks;
        size_t n_marks;
};

struct samples *samples_new(void)
{
        return calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *samples)
{
        struct block *next;

        if (!samples)
                return;
        for (struct block *block = samples->blocks; block; block = next) {
                next = block->next;
                free(block);
        }
        free(samples->marks);
        free(samples);
}

int samples_add(struct samples *samples, uint64_t due, uint64_t end)
{
        struct block *block = samples->blocks;

        if (!block || block->count == BLOCK_SAMPLES) {
                block = malloc(sizeof(*block));
                if (!block)
                        return -ENOMEM;
                block->count = 0;
                block->next = samples->blocks;
                samples->blocks = block;
        }
        block->samples[block->count++] = (struct sample){.due = due, .end = end};
        samples->count++;
        return 0;
}

int samples_mark(struct samples *samples, enum stretch stretch, uint64_t from, uint64_t to)
{
        struct mark *marks;

        marks = realloc(samples->marks, (samples->n_marks + 1) * sizeof(*marks));
        if (!marks)
                return -ENOMEM;
        marks[samples->n_marks++] = (struct mark){.stretch = stretch, .from = from, .to = to};
        samples->marks = marks;
        return 0;
}

static enum stretch stretch_of(const struct samples *samples, const struct sample *sample)
{
        enum stretch stretch = STRETCH_STEADY;

        for (size_t i = 0; i < samples->n_marks; i++) {
                const struct mark *mark = &samples->marks[i];

                if (sample->due <= mark->to && sample->end >= mark->from && mark->stretch > stretch)
                        stretch = mark->stretch;
        }
        return stretch;
}

size_t samples_ended(const struct samples *samples, uint64_t from, uint64_t to)
{
        size_t count = 0;

        for (const struct block *block = samples->blocks; block; block = block->next)
                for (size_t i = 0; i < block->count; i++)
                        count += block->samples[i].end >= from && block->samples[i].end <= to;
        return count;
}

static int compare(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return (left > right) - (left < right);
}

/* The lowest value that @permille of them do not exceed. */
static uint64_t at(const uint64_t *sorted, size_t count, size_t permille)
{
        size_t rank = (count * permille + 999) / 1000;

        return count == 0 ? 0 : sorted[rank > 0 ? rank - 1 : 0];
}

int samples_summarize(const struct samples *samples, enum stretch stretch,
                      struct samples_summary *ret)
{
        uint64_t *taken = malloc((samples->count + 1) * sizeof(*taken));
        size_t count = 0;

        if (!taken)
                return -ENOMEM;
        for (const struct block *block = samples->blocks; block; block = block->next)
                for (size_t i = 0; i < block->count; i++)
                        if (stretch_of(samples, &block->samples[i]) == stretch)
                                taken[count++] = block->samples[i].end - block->samples[i].due;
        qsort(taken, count, sizeof(*taken), compare);
        *ret = (struct samples_summary){
                .count = count,
                .p50 = at(taken, count, 500),
                .p99 = at(taken, count, 990),
                .p999 = at(taken, count, 999),
                .highest = at(taken, count, 1000),
        };
        free(taken);
        return 0;
}
