/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <stddef.h>

/* How far a value is shifted to the right so that 64 <= value < 128; 0 for what is smaller already.
 * */
static unsigned int shift_of(uint64_t value)
{
        if (value < 2 * HOT__HISTOGRAM_PARTS)
                return 0;
        return 57U - (unsigned int)__builtin_clzll(value);
}

static size_t counter_of(uint64_t value)
{
        unsigned int shift = shift_of(value);

        return (size_t)shift * HOT__HISTOGRAM_PARTS + (size_t)(value >> shift);
}

/* The highest value that the counter stands for. */
static uint64_t highest_of(size_t counter)
{
        size_t shift;
        uint64_t part;

        if (counter < 2 * HOT__HISTOGRAM_PARTS)
                return counter;
        shift = counter / HOT__HISTOGRAM_PARTS - 1;
        part = counter - shift * HOT__HISTOGRAM_PARTS;
        return ((part + 1) << shift) - 1;
}

void hot__histogram_add(struct hot__histogram *histogram, uint64_t value)
{
        if (histogram->count == 0 || value < histogram->lowest)
                histogram->lowest = value;
        if (value > histogram->highest)
                histogram->highest = value;
        histogram->count++;
        histogram->counters[counter_of(value)]++;
}

uint64_t hot__histogram_at(const struct hot__histogram *histogram, unsigned int permille)
{
        uint64_t seen = 0, wanted = (histogram->count * permille + 999) / 1000;

        if (histogram->count == 0)
                return 0;
        if (wanted == 0)
                wanted = 1;
        for (size_t i = 0; i < HOT__HISTOGRAM_COUNTERS; i++) {
                seen += histogram->counters[i];
                if (seen >= wanted)
                        return highest_of(i) < histogram->highest ? highest_of(i)
                                                                  : histogram->highest;
        }
        return histogram->highest;
}
