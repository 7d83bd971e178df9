/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "memfd.h"

static void entry_done(struct hot__kept *entry)
{
        if (entry->bytes)
                hot__memfd_unmap(entry->bytes, entry->len);
        entry->fd = hot__fd_close(entry->fd);
}

static bool is(const struct hot__kept *entry, enum hot__item_kind kind, const char *name)
{
        return entry->kind == kind && strcmp(entry->name, name) == 0;
}

int hot__keep_take_fd(struct hot__keep *keep, enum hot__item_kind kind, const char *name, int fd,
                      uint32_t version)
{
        const struct hot__kept *old = hot__keep_find(keep, kind, name);
        bool asked = old && old->asked;
        struct hot__kept *larger = reallocarray(keep->entries, keep->n + 1, sizeof(*keep->entries));

        if (!larger) {
                hot__fd_close(fd);
                return -ENOMEM;
        }
        keep->entries = larger;
        larger[keep->n] =
                (struct hot__kept){.kind = kind, .fd = fd, .version = version, .asked = asked};
        strncpy(larger[keep->n].name, name, HOT__NAME_MAX - 1);
        keep->n++;
        return 0;
}

int hot__keep_take_over(struct hot__keep *keep, enum hot__item_kind kind, const char *name, int fd,
                        uint32_t version)
{
        struct hot__kept *old = hot__keep_find(keep, kind, name);

        if (!old)
                return hot__keep_take_fd(keep, kind, name, fd, version);
        entry_done(old);
        *old = (struct hot__kept){.kind = kind, .fd = fd, .version = version};
        strncpy(old->name, name, HOT__NAME_MAX - 1);
        return 0;
}

struct hot__kept *hot__keep_find(const struct hot__keep *keep, enum hot__item_kind kind,
                                 const char *name)
{
        for (size_t i = keep->n; i > 0; i--)
                if (is(&keep->entries[i - 1], kind, name))
                        return &keep->entries[i - 1];
        return NULL;
}

bool hot__keep_remove(struct hot__keep *keep, enum hot__item_kind kind, const char *name)
{
        size_t left = 0, n = keep->n;

        for (size_t i = 0; i < n; i++) {
                if (is(&keep->entries[i], kind, name))
                        entry_done(&keep->entries[i]);
                else
                        keep->entries[left++] = keep->entries[i];
        }
        keep->n = left;
        return left < n;
}

void hot__keep_settle(struct hot__keep *keep)
{
        size_t left = 0;

        for (size_t i = 0; i < keep->n; i++) {
                struct hot__kept *entry = &keep->entries[i];

                if (entry->kind == HOT__ITEM_KEPT && entry->asked &&
                    hot__keep_find(keep, entry->kind, entry->name) == entry)
                        continue;
                entry_done(entry);
                entry->name[0] = 0; /* not to be found any more */
        }
        for (size_t i = 0; i < keep->n; i++)
                if (keep->entries[i].name[0])
                        keep->entries[left++] = keep->entries[i];
        keep->n = left;
}

void hot__keep_forget_told(struct hot__keep *keep)
{
        for (size_t i = 0; i < keep->n; i++)
                keep->entries[i].told = false;
}

void hot__keep_done(struct hot__keep *keep)
{
        for (size_t i = 0; i < keep->n; i++)
                entry_done(&keep->entries[i]);
        free(keep->entries);
        *keep = (struct hot__keep){0};
}
