/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_WATCHES_H
#define HOT_LSOF_WATCHES_H

#include <hotstart/inspect.h>

/*
 * The name of an epoll: "[eventpoll:3,7,24]", the descriptors that it watches. Of the first 32 that the
 * kernel tells, in ascending order; "..." says that there may be more. The caller's, to free(3).
 */
char *lsof_watches_name(const struct hot_inspect_watch *watches, size_t n);

#endif
