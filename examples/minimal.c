/* SPDX-License-Identifier: MIT */
/*
 * A server on libhotstart alone: it answers a line to whoever connects. SIGUSR2 replaces its code, SIGTERM
 * stops it.
 */
#include <err.h>
#include <hotstart.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
        struct hot *hot;

        signal(SIGPIPE, SIG_IGN);
        int listener = hot_open(&hot, NULL);
        if (listener == 0)
                listener = hot_listen(hot, "line", ":9999");
        if (listener < 0 || hot_signals(hot) < 0)
                errx(1, "cannot listen on :9999: %s", strerror(-listener));

        struct pollfd poller[] = {{hot_fd(hot), POLLIN, 0}, {-1, POLLIN, 0}};
        for (hot_ready(hot);; poll(poller, 2, -1)) {
                for (const struct hot_event *event; (event = hot_next(hot));) {
                        if (event->type == HOT_SERVE || event->type == HOT_RESUME) {
                                poller[1].fd = listener;
                                hot_serving(hot);
                        } else if (event->type == HOT_QUIESCE || event->type == HOT_STOP) {
                                poller[1].fd = -1;
                                hot_quiesced(hot);
                        } else if (event->type == HOT_EXIT) {
                                return 0;
                        }
                }
                int client = poller[1].fd < 0 ? -1 : accept(listener, NULL, NULL);
                if (client >= 0) {
                        dprintf(client, "generation %d\n", (int)hot_generation(hot));
                        close(client);
                }
        }
}
