/* SPDX-License-Identifier: MIT */
/*
 * A server that knows the seed's protocol and nothing else, as the Go package of that name has it: with
 * HOT_CONTINUE in the environment the listener is descriptor 3, and its parent is sent SIGTERM as soon as
 * it has the listener. Whatever else is announced or inherited it does not look at.
 *
 * It answers every request with its pid, one connection at a time, until SIGTERM. Arguments are ignored.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEED_FD 3

static void answer(int connection)
{
        char request[4096], response[256], body[64];
        size_t len = 0;
        ssize_t n;

        while (len < sizeof(request) - 1) {
                n = read(connection, request + len, sizeof(request) - 1 - len);
                if (n <= 0)
                        return;
                len += (size_t)n;
                request[len] = 0;
                if (strstr(request, "\r\n\r\n"))
                        break;
        }
        snprintf(body, sizeof(body), "seed %d\n", (int)getpid());
        snprintf(response, sizeof(response),
                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nX-Pid: %d\r\nConnection: "
                 "close\r\n\r\n%s",
                 strlen(body), (int)getpid(), body);
        if (write(connection, response, strlen(response)) < 0)
                perror("write");
}

int main(void)
{
        if (!getenv("HOT_CONTINUE")) {
                fputs("seedonly: HOT_CONTINUE is not set\n", stderr);
                return 1;
        }
        signal(SIGPIPE, SIG_IGN);
        if (kill(getppid(), SIGTERM) < 0) {
                perror("kill");
                return 1;
        }
        for (;;) {
                struct pollfd waiting = {.fd = SEED_FD, .events = POLLIN};
                int connection;

                /* The listener is shared and may be non-blocking. */
                if (poll(&waiting, 1, -1) < 0)
                        continue;
                connection = accept(SEED_FD, NULL, NULL);
                if (connection >= 0) {
                        answer(connection);
                        close(connection);
                }
        }
}
