/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "deadline.h"

void hot__deadlines_init(struct hot__deadlines *deadlines)
{
        for (int i = 0; i < HOT__N_DEADLINES; i++)
                deadlines->queue[i].prev = deadlines->queue[i].next = &deadlines->queue[i];
}

void hot__deadline_clear(struct hot__deadline *deadline)
{
        if (!deadline->next)
                return;
        deadline->prev->next = deadline->next;
        deadline->next->prev = deadline->prev;
        deadline->prev = deadline->next = NULL;
}

void hot__deadline_set_beside(struct hot__deadlines *deadlines, struct hot__deadline *deadline,
                              enum hot__deadline_kind kind, uint64_t at,
                              struct hot__deadline *beside)
{
        struct hot__deadline *queue = &deadlines->queue[kind];
        struct hot__deadline *before;

        hot__deadline_clear(deadline);
        before = beside && beside->next && beside->kind == kind ? beside : queue->prev;
        while (before->next != queue && before->next->at <= at)
                before = before->next;
        while (before != queue && before->at > at)
                before = before->prev;
        deadline->kind = kind;
        deadline->at = at;
        deadline->prev = before;
        deadline->next = before->next;
        before->next->prev = deadline;
        before->next = deadline;
}

void hot__deadline_set(struct hot__deadlines *deadlines, struct hot__deadline *deadline,
                       enum hot__deadline_kind kind, uint64_t at)
{
        hot__deadline_set_beside(deadlines, deadline, kind, at, NULL);
}

uint64_t hot__deadlines_next(const struct hot__deadlines *deadlines)
{
        uint64_t next = UINT64_MAX;

        for (int i = 0; i < HOT__N_DEADLINES; i++) {
                const struct hot__deadline *queue = &deadlines->queue[i];

                if (queue->next != queue && queue->next->at < next)
                        next = queue->next->at;
        }
        return next;
}

struct hot__deadline *hot__deadlines_passed_of(struct hot__deadlines *deadlines,
                                               enum hot__deadline_kind kind, uint64_t now)
{
        struct hot__deadline *first = deadlines->queue[kind].next;

        if (first == &deadlines->queue[kind] || first->at > now)
                return NULL;
        hot__deadline_clear(first);
        return first;
}

struct hot__deadline *hot__deadlines_passed(struct hot__deadlines *deadlines, uint64_t now)
{
        for (int i = 0; i < HOT__N_DEADLINES; i++) {
                struct hot__deadline *first =
                        hot__deadlines_passed_of(deadlines, (enum hot__deadline_kind)i, now);

                if (first)
                        return first;
        }
        return NULL;
}
