/* SPDX-License-Identifier: MIT */
#include "verify_probation.h"

#include <jansson.h>
#include <string.h>

#include "talk.h"
#include "target.h"

#define PATIENCE_MS 500

static int remaining_of(const json_t *status, pid_t pid)
{
        const json_t *generation, *generations = json_object_get(status, "generations");
        size_t index;

        json_array_foreach(generations, index, generation)
        {
                if (talk_number(generation, "pid", 0) == pid &&
                    strcmp(talk_text(generation, "phase", ""), "probation") == 0)
                        return (int)talk_number(generation, "probation_ms", -1);
        }
        return -1;
}

int verify_probation(pid_t pid)
{
        struct target target;
        struct talk talk;
        json_t *status;
        int remaining = -1;

        if (target_find(pid, PATIENCE_MS, &target, &talk) < 0)
                return -1;
        if (talk_shares_pids(&talk) && talk_status(&talk, &status) == 0) {
                remaining = remaining_of(status, pid);
                json_decref(status);
        }
        talk_close(&talk);
        target_close(&target);
        return remaining;
}
