/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "steps.h"

static void log_step(const struct hot__log *log, const struct hot_event *event)
{
        char pid[64] = "";
        char text[512];

        if (event->failure) {
                hot__log(log, "warning: %s",
                         hot_failure_string(event->failure, text, sizeof(text)));
                return;
        }

        if (event->pid)
                snprintf(pid, sizeof(pid), " (pid %d, generation %llu)", (int)event->pid,
                         (unsigned long long)event->generation);
        hot__log(log, "restart: %s%s%s%s", hot_step_name(event->step),
                 event->detail && *event->detail ? " " : "", event->detail ? event->detail : "",
                 pid);
}

void hot__log_event(const struct hot__log *log, const struct hot_event *event)
{
        char text[512];

        switch (event->type) {
        case HOT_STEP:
                log_step(log, event);
                break;
        case HOT_FAILED:
                hot__log(log, "restart rolled back: %s",
                         event->failure ? hot_failure_string(event->failure, text, sizeof(text))
                                        : "?");
                break;
        case HOT_RESUME:
                hot__log(log, "accepting again");
                break;
        case HOT_STOP:
                hot__log(log, "stopping");
                break;
        default:
                break;
        }
}
