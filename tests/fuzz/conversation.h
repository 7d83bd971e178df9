/* SPDX-License-Identifier: MIT */
#ifndef CONVERSATION_H
#define CONVERSATION_H

/*
 * A connection of a real server, over a real socket, its loop turned by hand, and a client that sends what it is
 * told to and then says that no more will come. After that the connection has to end: nothing hangs.
 */

#include <stddef.h>
#include <stdint.h>

#define ANSWERS_MAX (1 << 20)

/* All that the client has received. */
struct answers {
        char *bytes; /* ANSWERS_MAX of them */
        size_t len;
};

struct hot_http;

/* Its routes: GET and POST /g and everything below /a/ tell what came; GET /p is produced; /w a WebSocket. */
struct hot_http *conversation_server(void);

/* Send @data in pieces, and read what comes. */
void converse(struct hot_http *server, const uint8_t *data, size_t size, size_t piece,
              struct answers *answers);

#endif
