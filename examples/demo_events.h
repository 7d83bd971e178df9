/* SPDX-License-Identifier: MIT */
#ifndef DEMO_EVENTS_H
#define DEMO_EVENTS_H

/* Streams of numbered events, each with a beat of its own, and one thread for all of them. */

#include <hotstart/http.h>

void demo_events_add(struct hot_http *server);
void demo_events_done(void);

#endif
