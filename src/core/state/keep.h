/* SPDX-License-Identifier: MIT */
#ifndef HOT_KEEP_H
#define HOT_KEEP_H

/*
 * A table of what is kept from one generation to the next beside the listeners: descriptors and state, each
 * under a name. Both are a descriptor; state is sealed memory with a version.
 *
 * A name may come twice: the newer one is found, and the older one stays where it is as long as somebody may
 * still look at it. No input or output here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct hot__kept {
        enum hot__item_kind kind; /* HOT__ITEM_KEPT or HOT__ITEM_STATE */
        char name[HOT__NAME_MAX];
        int fd;            /* owned */
        uint32_t version;  /* state: of its schema */
        const void *bytes; /* state: mapped when it was first asked for; else NULL */
        size_t len;        /* of bytes */
        bool asked;        /* somebody was lent it */
        bool told;         /* the generation that is being started knows it */
};

struct hot__keep {
        struct hot__kept *entries;
        size_t n;
};

/* Add behind what is there. Ownership: takes @fd, always. Returns 0 or -ENOMEM. */
int hot__keep_take_fd(struct hot__keep *keep, enum hot__item_kind kind, const char *name, int fd,
                      uint32_t version);

/* As hot__keep_take_fd(), in the place of all that has that kind and name. */
int hot__keep_take_over(struct hot__keep *keep, enum hot__item_kind kind, const char *name, int fd,
                        uint32_t version);

/* The newest of that name, or NULL. Valid until the table changes. */
struct hot__kept *hot__keep_find(const struct hot__keep *keep, enum hot__item_kind kind,
                                 const char *name);

/* Remove all of that name: their descriptors are closed, their mappings undone. Was there any? */
bool hot__keep_remove(struct hot__keep *keep, enum hot__item_kind kind, const char *name);

/*
 * Of what a predecessor handed over, leave what goes on by itself: descriptors that somebody asked for, the
 * newest of each name. Cannot fail.
 */
void hot__keep_settle(struct hot__keep *keep);

/* Nobody knows any of it yet: before an offer. */
void hot__keep_forget_told(struct hot__keep *keep);

/* Empty it. May be called again. */
void hot__keep_done(struct hot__keep *keep);

#endif
