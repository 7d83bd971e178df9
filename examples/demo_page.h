/* SPDX-License-Identifier: MIT */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

/* GET /: demo.html, a page that watches the server over its restarts. The build puts it into the program. */

#include <hotstart/http.h>

#include "counter.h"

/* @requests counts it, and stays the caller's. */
void demo_page_add(struct hot_http *server, struct counter *requests);

#endif
