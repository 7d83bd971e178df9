/* SPDX-License-Identifier: MIT */
#ifndef DEMO_LIVE_H
#define DEMO_LIVE_H

/*
 * What the demo has of connections that live long, and go on over restarts where they were:
 *
 *      /ws            echoes; with ?who it answers each message as JSON, with its number and who answers
 *      /events?ms=N   an event each N ms (50), numbered without end: from 1, or behind Last-Event-ID
 *      /tunnel        echoes byte for byte, after "Upgrade: echo"
 */

#include <hotstart/http.h>

void demo_live_add(struct hot_http *server);

/* The server has ended. */
void demo_live_done(void);

#endif
