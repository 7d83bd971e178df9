/* SPDX-License-Identifier: MIT */
#ifndef HOT_ACCESS_H
#define HOT_ACCESS_H

/*
 * Who may connect to a UNIX path: its mode and owner.
 */

#include <sys/types.h>

#include "settings.h"

struct hot__access {
        mode_t mode; /* (mode_t)-1: as the umask has it */
        uid_t uid;   /* (uid_t)-1: as created */
        gid_t gid;   /* (gid_t)-1: as created */
};

/* What an address asks for. Returns 0, -ENXIO (no such user or group) or another negative errno. */
int hot__access_find(const struct hot__settings *settings, struct hot__access *ret);

/* Change mode and owner of @path as far as @access says so. Returns 0 or a negative errno. */
int hot__access_grant(const char *path, const struct hot__access *access);

#endif
