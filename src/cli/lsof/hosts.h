/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_HOSTS_H
#define HOT_LSOF_HOSTS_H

/*
 * The names of hosts and of ports, where names are wanted. What was asked for once is remembered.
 */

#include <stdbool.h>
#include <stdio.h>

#include "internet.h"

struct lsof_hosts {
        bool by_number;          /* no names of hosts */
        bool ports_by_number;    /* no names of services */
        struct lsof_host *hosts; /* owned */
        size_t n;
        char **services[2]; /* owned: TCP's and UDP's, by port; NULL until wanted */
};

/* Print one end of a socket: "localhost:http", "*:80", "[::1]:8080". @protocol is "TCP", … */
void lsof_hosts_print(struct lsof_hosts *hosts, FILE *out, const char *protocol,
                      const struct lsof_endpoint *end);

#endif
