/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "memfd.h"

/*
 * What a host hands from one generation to the next beside its listeners, and how: in the offer what there
 * is by then, with the commit what is new since. Two tables hold it: what this generation keeps and puts,
 * and what it received.
 */

static bool is_askable(const struct hot *hot, const char *name)
{
        return hot && name && hot__dialect_name_is_valid(name);
}

/* ---- for the next generation ---- */

int hot_keep(struct hot *hot, const char *name, int fd)
{
        int copy, r;

        if (!is_askable(hot, name))
                return -EINVAL;
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return errno == EINVAL ? -EMFILE : -errno; /* the limit is below 3 */
        r = hot__keep_take_over(&hot->kept, HOT__ITEM_KEPT, name, copy, 0);
        if (r == 0)
                hot__keep_remove(&hot->received, HOT__ITEM_KEPT, name);
        return r;
}

int hot_put(struct hot *hot, const char *name, const void *bytes, size_t len, uint32_t version)
{
        int fd = -EBADF, r;

        if (!is_askable(hot, name) || (!bytes && len > 0))
                return -EINVAL;
        r = hot__memfd_seal(name, bytes, len, &fd);
        return r < 0 ? r : hot__keep_take_over(&hot->kept, HOT__ITEM_STATE, name, fd, version);
}

int hot_drop(struct hot *hot, const char *name)
{
        bool was;

        if (!is_askable(hot, name))
                return -EINVAL;
        was = hot__keep_remove(&hot->kept, HOT__ITEM_KEPT, name);
        was = hot__keep_remove(&hot->kept, HOT__ITEM_STATE, name) || was;
        was = hot__keep_remove(&hot->received, HOT__ITEM_KEPT, name) || was;
        return was ? 0 : -ENOENT;
}

/* ---- from the one before ---- */

int hot_kept(struct hot *hot, const char *name)
{
        struct hot__kept *entry;

        if (!is_askable(hot, name))
                return -EINVAL;
        entry = hot__keep_find(&hot->kept, HOT__ITEM_KEPT, name);
        if (!entry)
                entry = hot__keep_find(&hot->received, HOT__ITEM_KEPT, name);
        if (!entry)
                return -ENOENT;
        entry->asked = true;
        return entry->fd;
}

int hot_get(struct hot *hot, const char *name, const void **ret_bytes, size_t *ret_len,
            uint32_t *ret_version)
{
        struct hot__kept *entry;
        int r = 0;

        if (!is_askable(hot, name))
                return -EINVAL;
        entry = hot__keep_find(&hot->received, HOT__ITEM_STATE, name);
        if (!entry)
                return -ENOENT;
        if (!entry->bytes)
                r = hot__memfd_map(entry->fd, &entry->bytes, &entry->len);
        if (r < 0)
                return r;
        if (ret_bytes)
                *ret_bytes = entry->bytes;
        if (ret_len)
                *ret_len = entry->len;
        if (ret_version)
                *ret_version = entry->version;
        return 0;
}

int hot_refuse(struct hot *hot, int error, const char *why)
{
        struct hot__frame refusal = {.type = HOT__REFUSE, .error = (uint32_t)error};

        if (!hot || error < 1 || error > 4095 || hot->life.phase > HOT__PHASE_BEGINNING)
                return -EINVAL;
        if (hot->predecessor.fd < 0)
                return -ENOTCONN;
        snprintf(refusal.text, sizeof(refusal.text), "%.511s", why ? why : "");
        hot->refused = true;
        return hot__send_frame(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, &refusal, NULL, 0);
}

/* ---- how it travels ---- */

static size_t add_news(struct hot__keep *keep, struct hot__item *items, int *fds)
{
        size_t n = 0;

        for (size_t i = 0; i < keep->n; i++) {
                struct hot__kept *entry = &keep->entries[i];

                if (entry->told)
                        continue;
                items[n] = (struct hot__item){.kind = entry->kind, .version = entry->version};
                strcpy(items[n].name, entry->name);
                fds[n++] = entry->fd;
                entry->told = true;
        }
        return n;
}

size_t hot__state_count(const struct hot *hot)
{
        return hot->kept.n + hot->received.n;
}

void hot__state_begin(struct hot *hot)
{
        hot__keep_forget_told(&hot->kept);
        hot__keep_forget_told(&hot->received);
}

size_t hot__state_add_news(struct hot *hot, struct hot__item *items, int *fds)
{
        size_t n = add_news(&hot->kept, items, fds);

        return n + add_news(&hot->received, items + n, fds + n);
}

int hot__state_take(struct hot *hot, const struct hot__item *item, int fd)
{
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return -EPROTO;
        return hot__keep_take_fd(&hot->received, (enum hot__item_kind)item->kind, item->name, fd,
                                 item->version);
}

/*
 * What is new since the offer. It is the last moment at which we can refuse: the COMMIT behind it is not
 * obeyed then.
 */
void hot__state_take_news(struct hot *hot, const struct hot__frame *frame)
{
        size_t n_fds = 0;
        int r = hot->life.phase == HOT__PHASE_ANNOUNCED ? 0 : -EPROTO;

        for (size_t i = 0; i < frame->n_items_here && r == 0; i++) {
                const struct hot__item *item = &frame->items[i];

                if (item->kind == HOT__ITEM_KEPT || item->kind == HOT__ITEM_STATE)
                        r = hot__state_take(hot, item,
                                            hot__message_steal_fd(&hot->message, n_fds++));
                else
                        r = -EOPNOTSUPP;
        }
        if (r == 0 && n_fds != hot->message.n_fds)
                r = -EPROTO;
        if (r < 0)
                hot_refuse(hot, -r, "what changed since the offer");
}

void hot__state_settle(struct hot *hot)
{
        hot__keep_settle(&hot->received);
}

void hot__state_done(struct hot *hot)
{
        hot__keep_done(&hot->kept);
        hot__keep_done(&hot->received);
}
