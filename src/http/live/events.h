/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_EVENTS_H
#define HOT_HTTP_EVENTS_H

/*
 * Server-sent events: a response that does not end, filled by whoever has something to say. A producer over a
 * bounded queue; after a while of silence a comment goes out, so that whoever is in between, and we,
 * notice in time that somebody is gone.
 *
 * A stream belongs to those who hold it: its response does until .closed has returned.
 */

/* The producer has had nothing for as long as the heartbeat is apart: put one into the queue. */
void hot__events_beat(void *data);

#endif
