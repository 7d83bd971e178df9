/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_USERS_H
#define HOT_LSOF_USERS_H

/*
 * Users: the set of those that are asked for, by name or number, and the names of those that are found.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LSOF_USER_MAX = 33 };

struct lsof_user {
        uid_t uid;
        bool excluded;
};

struct lsof_users {
        struct lsof_user *users; /* owned */
        size_t n;
        size_t n_included;
};

/* Add what @text says: "root,^1000". Returns 0, or -1 after having said what is wrong. */
int lsof_users_add(struct lsof_users *users, const char *text);

bool lsof_users_excludes(const struct lsof_users *users, uid_t uid);

/* Is it included? */
bool lsof_users_match(const struct lsof_users *users, uid_t uid);

/*
 * The login name of a user. Returns 1, or 0 if there is none, which is said unless @quiet, or if @by_number:
 * then @name is the number, eight columns wide.
 */
int lsof_users_name(uid_t uid, bool by_number, bool quiet, char name[LSOF_USER_MAX]);

#endif
