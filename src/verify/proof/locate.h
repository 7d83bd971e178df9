/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_LOCATE_H
#define HOT_VERIFY_LOCATE_H

/*
 * Where to send requests: from an address that was given, or from what a program has begun to listen at.
 */

#include <stdbool.h>
#include <stddef.h>

#include "family.h"

#define LOCATE_MAX 320

/*
 * Take a URL apart: http[s]://HOST[:PORT][/PATH], or an address as hot_listen() takes it. @path is "" if there
 * is none. Returns 0 or -EINVAL.
 */
int locate_url(const char *url, char address[static LOCATE_MAX], char path[static LOCATE_MAX],
               bool *ret_tls);

/*
 * The first TCP listener of the family, or, if @any and there is none, the first UNIX stream listener. One
 * that is bound to every address is reached on this host's own. Returns 0 or -ENOENT.
 */
int locate_listener(const struct family *family, bool any, char address[static LOCATE_MAX]);

/* The pid in a PID file. Returns 0, -EINVAL if there is none in it, or another negative errno. */
int locate_pid_file(const char *path, pid_t *ret);

#endif
