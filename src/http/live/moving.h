/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_MOVING_H
#define HOT_HTTP_MOVING_H

/*
 * What WebSockets and tunnels have in common on their way to another generation: a path, by which the next one
 * finds who takes them, and what their host has said of them; see luggage.h.
 */

#include <stdint.h>

#include "luggage.h"
#include "move.h"

struct hot__moving {
        hot__saver *saver;
        void *about; /* the saver's */
        const char *path;
        const char *protocol; /* NULL: the kind says it */
        uint32_t version;
        unsigned int flags;
};

/* Have the host save it, and put it all into the passage's state. Returns 0, what the host said, or -ENOMEM. */
int hot__moving_pack(const struct hot__moving *moving, struct hot__passage *passage);

/* Its connection lets go of the exchange, which has nothing more to say. */
void hot__moving_leave(struct hot__connection *connection, struct hot__passage *passage);

/* The kind's .check. */
int hot__moving_check(const struct hot__passage *passage);

/* The other way round. *ret_path ends with a zero, and is the caller's to free. Returns 0, -EPROTO or -ENOMEM. */
int hot__moving_unpack(const struct hot__passage *passage, struct hot__luggage *ret,
                       struct hot__bytes *ret_path);

/* The data of the route that @handler has there, or NULL. */
void *hot__moving_find(const struct hot_http *server, const char *method, const char *path,
                       hot_http_handler *handler);

/* An exchange for a connection that has arrived as something else than a request, or NULL. */
struct hot__exchange *hot__moving_arrive(struct hot__connection *connection);

#endif
