/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "crate.h"

/* Not zeroed: a passage is written as a whole before it counts. */
struct hot__crate *hot__crate_new(struct hot *hot)
{
        struct hot__crate *crate = malloc(sizeof(*crate));

        if (!crate)
                return NULL;
        crate->next = NULL;
        crate->hot = hot;
        crate->n = 0;
        hot_hold(hot);
        return crate;
}

void hot__crate_free_empty(struct hot__crate *crate)
{
        hot_release(crate->hot);
        free(crate);
}

void hot__crate_free(struct hot__crate *crate)
{
        if (!crate)
                return;
        for (size_t i = 0; i < crate->n; i++)
                hot__passage_done(&crate->passages[i]);
        hot__crate_free_empty(crate);
}

void hot__crates_add(struct hot__crates *crates, struct hot__crate *crate)
{
        crate->next = NULL;
        if (crates->last)
                crates->last->next = crate;
        else
                crates->first = crate;
        crates->last = crate;
}

void hot__crates_move(struct hot__crates *to, struct hot__crates *from)
{
        if (!from->first)
                return;
        if (to->last)
                to->last->next = from->first;
        else
                to->first = from->first;
        to->last = from->last;
        *from = (struct hot__crates){0};
}

struct hot__crate *hot__crates_take(struct hot__crates *crates)
{
        struct hot__crate *crate = crates->first;

        if (!crate)
                return NULL;
        crates->first = crate->next;
        if (!crates->first)
                crates->last = NULL;
        return crate;
}

void hot__crates_free(struct hot__crates *crates)
{
        struct hot__crate *crate;

        while ((crate = hot__crates_take(crates)))
                hot__crate_free(crate);
}
