/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_REQUEST_H
#define EXPERIMENT_REQUEST_H

/*
 * One HTTP request on a connection of its own, on a plain non-blocking socket. It asks the server to close
 * the connection, so the response ends where the connection does.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REQUEST_ADDRESS_MAX 32

struct request {
        int fd;           /* owned; -EBADF when it is over */
        const char *path; /* borrowed */
        bool sent;
        char local[REQUEST_ADDRESS_MAX]; /* our end: how the server's table shows the connection */
        uint64_t begin, end;
        char response[4096];
        size_t len;

        /* The outcome */
        int error;  /* an errno: refused, reset, cut short, no HTTP; 0: a whole response */
        int status; /* as all that follows, only when error is 0 */
        pid_t pid;  /* X-Pid: who answered; 0 if it does not say */
        uint64_t generation;
        const char *body; /* in response */
};

/* Connect and begin. A failure shows as an outcome, like all others. */
void request_start(struct request *request, const struct sockaddr_in *server, const char *path);

/* What to poll .fd for. */
short request_events(const struct request *request);

/* Go on as far as possible without waiting. Returns true when it is over. */
bool request_continue(struct request *request);

/* Give up, or forget. May be called again. */
void request_done(struct request *request);

/* Is the outcome a 200 with exactly this body? NULL: any. */
bool request_is_good(const struct request *request, const char *body);

#endif
