/* SPDX-License-Identifier: MIT */
/*
 * The least that a server does with an installed libhotstart: open, listen, be ready, be told to serve.
 */
#include <hotstart.h>

#include <stdio.h>

int main(void)
{
        struct hot_options options = {.size = sizeof(options)};
        const struct hot_event *event = NULL;
        struct hot *hot = NULL;
        char address[128];
        int fd = -1;

        if (hot_open(&hot, &options) < 0)
                return 1;
        fd = hot_listen(hot, "main", "tcp://127.0.0.1:0");
        if (fd < 0 || hot_listener_address(fd, address, sizeof(address)) < 0)
                return 1;
        if (hot_ready(hot) < 0)
                return 1;
        event = hot_next(hot);
        if (!event || event->type != HOT_SERVE || hot_serving(hot) < 0)
                return 1;
        printf("serving on %s, generation %d\n", address, (int)hot_generation(hot));
        hot_free(hot);
        return 0;
}
