/* SPDX-License-Identifier: MIT */
#ifndef DEMO_EVENTS_H
#define DEMO_EVENTS_H

/*
 * GET /events: a stream of numbered events, one every 50 ms. Who comes back with Last-Event-ID goes on from there.
 */

#include <hotstart/http.h>

void demo_events_add(struct hot_http *server);

#endif
