/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

/*
 * What the host must know, in the order in which it happened. The queue has a small, fixed bound: events are
 * fetched before the next input is taken.
 */

struct hot__event *hot__event_add(struct hot *hot, enum hot_event_type type)
{
        struct hot__event *slot = &hot->events[(hot->first_event + hot->n_events) % HOT__N_EVENTS];

        assert(hot->n_events < HOT__N_EVENTS);
        hot->n_events++;
        slot->event = (struct hot_event){.type = (int)type, .deadline = hot->deadline};
        slot->detail[0] = 0;
        slot->event.detail = slot->detail;
        return slot;
}

struct hot__event *hot__event_step(struct hot *hot, enum hot_step step, pid_t pid,
                                   uint64_t generation, const char *detail)
{
        struct hot__event *slot = hot__event_add(hot, HOT_STEP);

        slot->event.step = (int)step;
        slot->event.pid = pid;
        slot->event.generation = generation;
        slot->event.deadline = 0;
        strncpy(slot->detail, detail, sizeof(slot->detail) - 1);
        slot->detail[sizeof(slot->detail) - 1] = 0;
        hot__control_step(hot, &slot->event);
        return slot;
}

void hot__event_trouble(struct hot *hot, enum hot_step step, int error, const char *subject)
{
        struct hot__event *slot = hot__event_step(hot, step, getpid(), hot->generation, "");

        hot__failure_fill(&slot->failure, step, HOT_REASON_ERROR, error, subject);
        slot->event.failure = &slot->failure.detail;
}
