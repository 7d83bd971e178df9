/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_id(struct hot__feed *feed)
{
        const char *text = feed->line + 3;
        unsigned long long id;
        char *end;

        if (strncmp(feed->line, "id:", 3) != 0)
                return;
        text += *text == ' ';
        errno = 0;
        id = strtoull(text, &end, 10);
        feed->has_id = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
        feed->id = feed->has_id ? id : 0;
}

static void end_line(struct hot__feed *feed)
{
        size_t length = feed->length;

        feed->length = 0;
        if (length == 0) {
                /* An empty line: what came before it is an event, unless it was nothing or a comment. */
                if (feed->begun)
                        feed->event(feed->data, feed->has_id, feed->id);
                feed->begun = feed->has_id = false;
                return;
        }
        if (feed->line[0] == ':')
                return;
        feed->begun = true;
        if (length < sizeof(feed->line)) {
                feed->line[length] = '\0';
                read_id(feed);
        }
}

void hot__feed_take(struct hot__feed *feed, const char *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                char byte = bytes[i];
                bool second = feed->after_cr && byte == '\n';

                feed->after_cr = byte == '\r';
                if (second)
                        continue;
                if (byte == '\r' || byte == '\n') {
                        end_line(feed);
                        continue;
                }
                if (feed->length < sizeof(feed->line))
                        feed->line[feed->length] = byte;
                feed->length++;
        }
}

bool hot__feed_is_inside(const struct hot__feed *feed)
{
        return feed->begun || feed->length > 0;
}
