/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_FDS_JSON_H
#define HOT_CLI_FDS_JSON_H

/*
 * What writing and reading schema hotstart.fds/1 share.
 */

#include <jansson.h>
#include <stdio.h>

#include "fds.h"

#define FDS_SCHEMA "hotstart.fds/1"

/* The largest integer that every reader of JSON holds exactly. */
#define FDS_JSON_EXACT ((UINT64_C(1) << 53) - 1)

/* By enum hot_inspect_role and enum hot_inspect_lock_kind; each ends with NULL. */
extern const char *const fds_json_roles[];
extern const char *const fds_json_lock_kinds[];

/* Room for the kernel's boot id, and what it is; "" if it cannot be read. */
#define FDS_BOOT_MAX 40
void fds_boot_id(char ret_boot[FDS_BOOT_MAX]);

/* The document of everything that was read, for json_decref(); NULL without memory. */
json_t *fds_json_snapshot(const struct fds_view *view);

/* Print a value and a newline. Returns 0 or a negative errno. */
int fds_json_print(const json_t *value, FILE *file, size_t flags);

#endif
