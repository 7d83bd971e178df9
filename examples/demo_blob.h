/* SPDX-License-Identifier: MIT */
#ifndef DEMO_BLOB_H
#define DEMO_BLOB_H

/*
 * /blob?bytes=N: a download that goes on over restarts where it was. With &length=no its length is not said before,
 * and it comes in chunks.
 */

#include <hotstart/http.h>

#include "counter.h"

/* @requests counts it, and stays the caller's. */
void demo_blob_add(struct hot_http *server, struct counter *requests);

#endif
