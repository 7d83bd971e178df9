/* SPDX-License-Identifier: MIT */
#include "generations.h"

#include <errno.h>
#include <stdlib.h>

void hot__generations_done(struct hot__generations *generations)
{
        free(generations->list);
        generations->list = NULL;
        generations->count = generations->capacity = 0;
}

static bool is_known(const struct hot__generations *generations,
                     const struct hot__identity *identity)
{
        switch (generations->identify) {
        case HOT__IDENTIFY_HEADERS:
                return identity->number != 0;
        case HOT__IDENTIFY_PID:
                return identity->pid != 0;
        case HOT__IDENTIFY_BODY:
        default:
                return true;
        }
}

static bool is_same(enum hot__identify identify, const struct hot__generation *generation,
                    const struct hot__identity *identity)
{
        switch (identify) {
        case HOT__IDENTIFY_HEADERS:
                return generation->number == identity->number && generation->pid == identity->pid;
        case HOT__IDENTIFY_PID:
                return generation->pid == identity->pid;
        case HOT__IDENTIFY_BODY:
        default:
                return generation->body_hash == identity->body_hash;
        }
}

/* Newest first: it is nearly always the newest that answers. */
static size_t find(const struct hot__generations *generations, const struct hot__identity *identity)
{
        for (size_t i = generations->count; i > 0; i--)
                if (is_same(generations->identify, &generations->list[i - 1], identity))
                        return i;
        return 0;
}

static int append(struct hot__generations *generations, const struct hot__identity *identity,
                  uint64_t now)
{
        struct hot__generation *list = generations->list;
        size_t capacity = generations->capacity;

        if (generations->count == capacity) {
                capacity = capacity > 0 ? capacity * 2 : 16;
                list = reallocarray(list, capacity, sizeof(*list));
                if (!list)
                        return -ENOMEM;
                generations->list = list;
                generations->capacity = capacity;
        }
        generations->count++;
        list[generations->count - 1] = (struct hot__generation){
                .number = generations->identify == HOT__IDENTIFY_HEADERS ? identity->number
                                                                         : generations->count,
                .pid = identity->pid,
                .body_hash = identity->body_hash,
                .first = now,
        };
        return 0;
}

int hot__generations_note(struct hot__generations *generations,
                          const struct hot__identity *identity, size_t profile, uint64_t now,
                          size_t *ret_position)
{
        size_t position;
        int r, is_new = 0;

        if (!is_known(generations, identity)) {
                *ret_position = 0;
                return 0;
        }
        position = find(generations, identity);
        if (position == 0) {
                r = append(generations, identity, now);
                if (r < 0)
                        return r;
                position = generations->count;
                is_new = 1;
        }
        generations->list[position - 1].last = now;
        generations->list[position - 1].answers[profile]++;
        *ret_position = position;
        return is_new;
}

const struct hot__generation *hot__generations_get(const struct hot__generations *generations,
                                                   size_t position)
{
        return position > 0 && position <= generations->count ? &generations->list[position - 1]
                                                              : NULL;
}

bool hot__generations_is_stale(const struct hot__generations *generations, size_t position,
                               uint64_t connect, uint64_t slack)
{
        if (position == 0 || position >= generations->count)
                return false;
        /* The list is in order of first answers: the next one is the earliest of the newer ones. */
        return connect > generations->list[position].first + slack;
}
