/* SPDX-License-Identifier: MIT */
#include "timers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int hot__timers_init(struct hot__timers *timers, size_t capacity)
{
        struct hot__timer **heap = calloc(capacity + 1, sizeof(struct hot__timer *));

        if (!heap)
                return -ENOMEM;
        *timers = (struct hot__timers){.heap = heap, .capacity = capacity};
        return 0;
}

void hot__timers_done(struct hot__timers *timers)
{
        free(timers->heap);
        *timers = (struct hot__timers){0};
}

static void put(struct hot__timers *timers, struct hot__timer *timer, size_t place)
{
        timers->heap[place] = timer;
        timer->place = place;
}

static void rise(struct hot__timers *timers, struct hot__timer *timer)
{
        size_t place = timer->place;

        while (place > 1 && timers->heap[place / 2]->at > timer->at) {
                put(timers, timers->heap[place / 2], place);
                place /= 2;
        }
        put(timers, timer, place);
}

static void sink(struct hot__timers *timers, struct hot__timer *timer)
{
        size_t place = timer->place, child;

        while ((child = place * 2) <= timers->count) {
                if (child < timers->count && timers->heap[child + 1]->at < timers->heap[child]->at)
                        child++;
                if (timers->heap[child]->at >= timer->at)
                        break;
                put(timers, timers->heap[child], place);
                place = child;
        }
        put(timers, timer, place);
}

void hot__timers_set(struct hot__timers *timers, struct hot__timer *timer, uint64_t at)
{
        timer->at = at;
        if (timer->place == 0) {
                assert(timers->count < timers->capacity);
                put(timers, timer, ++timers->count);
        }
        rise(timers, timer);
        sink(timers, timer);
}

void hot__timers_clear(struct hot__timers *timers, struct hot__timer *timer)
{
        struct hot__timer *last;

        if (timer->place == 0)
                return;
        last = timers->heap[timers->count--];
        if (last != timer) {
                put(timers, last, timer->place);
                rise(timers, last);
                sink(timers, last);
        }
        timer->place = 0;
}

struct hot__timer *hot__timers_first(const struct hot__timers *timers)
{
        return timers->count > 0 ? timers->heap[1] : NULL;
}
