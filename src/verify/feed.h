/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_FEED_H
#define HOT_VERIFY_FEED_H

/*
 * A feed: bytes of a text/event-stream in, events out, of which only the ids are of interest. Pure.
 *
 * An event ends with an empty line. Its id is that of its last "id:" line that is a number; others have none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hot__feed {
        void (*event)(void *data, bool has_id, uint64_t id);
        void *data;
        char line[64]; /* of the line being read: enough for an id */
        size_t length; /* of the line, however long it is */
        bool after_cr; /* a line feed now belongs to the end of the last line */
        bool begun;    /* the event has a field */
        bool has_id;
        uint64_t id;
};

void hot__feed_take(struct hot__feed *feed, const char *bytes, size_t count);

/* Is an event, or a line, begun and not ended? */
bool hot__feed_is_inside(const struct hot__feed *feed);

#endif
