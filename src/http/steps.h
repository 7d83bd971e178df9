/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_STEPS_H
#define HOT_HTTP_STEPS_H

/* The core's events in words: one line for each step of a restart. */

#include "log.h"

void hot__log_event(const struct hot__log *log, const struct hot_event *event);

#endif
