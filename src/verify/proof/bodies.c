/* SPDX-License-Identifier: MIT */
#include "bodies.h"

#include <errno.h>
#include <stdlib.h>

/* Answers of two processes cross: only so long after another body is the first one back. */
static const uint64_t crossing = 300 * UINT64_C(1000000);

/* How many answers a generation must have given to be asked. */
static const uint64_t enough = 3;

static void end_group(struct bodies *bodies)
{
        if (bodies->all >= enough && bodies->same * 2 > bodies->all)
                bodies->groups++;
        bodies->same = bodies->all = 0;
}

static struct body *find(struct bodies *bodies, uint64_t hash, uint64_t size)
{
        for (size_t i = 0; i < bodies->n; i++) {
                size_t at = (bodies->last + i) % bodies->n;

                if (bodies->list[at].hash == hash && bodies->list[at].size == size) {
                        bodies->last = at;
                        return &bodies->list[at];
                }
        }
        return NULL;
}

static struct body *append(struct bodies *bodies, uint64_t hash, uint64_t size, uint64_t now)
{
        /* So many different ones: the last place is for all of them. */
        if (bodies->n == BODIES_MAX)
                return &bodies->list[BODIES_MAX - 1];
        bodies->last = bodies->n;
        bodies->list[bodies->n] = (struct body){.hash = hash, .size = size, .first = now};
        return &bodies->list[bodies->n++];
}

static int list_moment(struct body *body, const struct bodies_moment *moment)
{
        if (!body->moments)
                body->moments = calloc(BODIES_LISTED, sizeof(*body->moments));
        if (!body->moments)
                return -ENOMEM;
        if (body->n_moments < BODIES_LISTED)
                body->moments[body->n_moments++] = *moment;
        return 0;
}

int bodies_note(struct bodies *bodies, uint64_t hash, uint64_t size, size_t group, bool fresh,
                const struct bodies_moment *moment)
{
        struct body *body;

        if (bodies->vary)
                return 0;
        if (group > bodies->group)
                end_group(bodies);
        if (group > bodies->group)
                bodies->group = group;
        body = find(bodies, hash, size);
        if (!body)
                body = append(bodies, hash, size, moment->end);
        bodies->steady |= moment->restart == SIZE_MAX;
        /* More than one before anything was restarted, or none: what is right is not known. */
        bodies->vary = !bodies->steady || (moment->restart == SIZE_MAX && bodies->n > 1);
        if (bodies->vary)
                return 0;
        body->counts[moment->profile]++;
        body->last = moment->end;
        bodies->all += fresh;
        bodies->same += fresh && body == bodies->list;
        return body == bodies->list ? 0 : list_moment(body, moment);
}

void bodies_finish(struct bodies *bodies)
{
        end_group(bodies);
}

bool bodies_is_wrong(const struct bodies *bodies, size_t index)
{
        const struct body *body = &bodies->list[index];

        if (bodies->vary || index == 0 || bodies->groups < 2)
                return false;
        return bodies->list[0].last > body->first + crossing;
}

void bodies_done(struct bodies *bodies)
{
        for (size_t i = 0; i < bodies->n; i++)
                free(bodies->list[i].moments);
        *bodies = (struct bodies){0};
}
