/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "unixpath.h"

/*
 * The table of listeners: what was inherited and what was bound here, in the order in which a child
 * finds them from descriptor 3 on. The descriptors stay ours; the host is lent their numbers.
 */

int hot__listeners_take_fd(struct hot *hot, int fd, enum hot__origin origin, const char *name,
                           const char *address)
{
        CLEANUP(hot__fd_closep) int owned = fd;
        struct hot__listener *larger, *added;

        larger = reallocarray(hot->listeners, hot->n_listeners + 1, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        hot->listeners = larger;
        added = &larger[hot->n_listeners++];
        *added = (struct hot__listener){.fd = hot__fd_take(&owned), .origin = origin};
        strncpy(added->name, name, sizeof(added->name) - 1);
        strncpy(added->address, address, sizeof(added->address) - 1);
        return 0;
}

void hot__listeners_close(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                hot__fd_close(hot->listeners[i].fd);
        free(hot->listeners);
        hot->listeners = NULL;
        hot->n_listeners = 0;
}

void hot__listeners_close_unclaimed(struct hot *hot)
{
        size_t kept = 0;

        for (size_t i = 0; i < hot->n_listeners; i++) {
                if (hot->listeners[i].claimed)
                        hot->listeners[kept++] = hot->listeners[i];
                else
                        hot__fd_close(hot->listeners[i].fd);
        }
        hot->n_listeners = kept;
}

void hot__listeners_unlink(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__address address;

                /* A service manager's path is its own to remove. */
                if (!hot->listeners[i].activated &&
                    hot__address_parse(hot->listeners[i].address, &address) == 0 &&
                    address.kind == HOT__ADDRESS_UNIX && address.path[0] == '/')
                        hot__unixpath_unlink(address.path, hot->listeners[i].fd);
        }
}

/* The rules by which an inherited listener answers to what is asked for, the strictest first. */
enum rule {
        RULE_ASKED_LIKE_THIS, /* an earlier generation asked for the same name and address */
        RULE_SAME_ADDRESS,    /* it was asked for by this address, under another name */
        RULE_LISTENS_THERE,   /* the kernel says that it listens there */
        RULE_SAME_NAME, /* a service manager gave it this name: its word counts, not our address */
        RULE_NEXT_IN_ORDER, /* a service manager or the seed gave it, and we ask next */
        N_RULES,
};

static bool answers(const struct hot__listener *l, enum rule rule, const char *name,
                    const char *text, const struct hot__address *address)
{
        switch (rule) {
        case RULE_ASKED_LIKE_THIS:
                return l->origin == HOT__BOUND && strcmp(l->address, text) == 0 &&
                       strcmp(l->name, name) == 0;
        case RULE_SAME_ADDRESS:
                return l->origin == HOT__BOUND && strcmp(l->address, text) == 0;
        case RULE_LISTENS_THERE:
                return hot__listener_is_at(l->fd, address);
        case RULE_SAME_NAME:
                return l->origin == HOT__ANNOUNCED && strcmp(l->name, name) == 0;
        default:
                return l->origin == HOT__ANNOUNCED;
        }
}

static struct hot__listener *find(struct hot *hot, const char *name, const char *text,
                                  const struct hot__address *address)
{
        for (int rule = 0; rule < N_RULES; rule++)
                for (size_t i = 0; i < hot->n_listeners; i++)
                        if (!hot->listeners[i].claimed &&
                            answers(&hot->listeners[i], (enum rule)rule, name, text, address))
                                return &hot->listeners[i];
        return NULL;
}

static bool is_claimed(const struct hot *hot, const char *name, const char *text)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (hot->listeners[i].claimed && strcmp(hot->listeners[i].address, text) == 0 &&
                    strcmp(hot->listeners[i].name, name) == 0)
                        return true;
        return false;
}

static int bind_new(struct hot *hot, const char *name, const char *text,
                    const struct hot__address *address)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        int r;

        r = hot__listener_bind(address, &fd);
        if (r < 0)
                return r;
        return hot__listeners_take_fd(hot, hot__fd_take(&fd), HOT__BOUND, name, text);
}

static int listen_at(struct hot *hot, const char *name, const char *address_text)
{
        char text[HOT__ADDRESS_MAX];
        struct hot__address address;
        struct hot__listener *l;
        int r;

        if (!name || !address_text || !hot__dialect_name_is_valid(name) ||
            hot->life.phase != HOT__PHASE_OPENED)
                return -EINVAL;
        r = hot__address_parse(address_text, &address);
        if (r < 0)
                return r;
        r = hot__address_format_place(&address, text, sizeof(text));
        if (r < 0)
                return r;
        if (is_claimed(hot, name, text))
                return -EEXIST;
        l = find(hot, name, text, &address);
        if (!l) {
                r = bind_new(hot, name, text, &address);
                if (r < 0)
                        return r;
                l = &hot->listeners[hot->n_listeners - 1];
        }
        l->claimed = true;
        l->origin = HOT__BOUND;
        strcpy(l->name, name);
        strcpy(l->address, text);
        return l->fd;
}

int hot_listen(struct hot *hot, const char *name, const char *address)
{
        int r;

        if (!hot)
                return -EINVAL;
        r = listen_at(hot, name, address);
        if (r < 0)
                hot__failure_set(hot, HOT_STEP_LISTEN, -r, -EBADF, address ? address : "");
        return r;
}

int hot_adopt(struct hot *hot, const char **ret_name)
{
        if (!hot || hot->life.phase != HOT__PHASE_OPENED)
                return -EINVAL;
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__listener *l = &hot->listeners[i];

                if (l->claimed || l->origin == HOT__BOUND)
                        continue;
                l->claimed = true;
                l->origin = HOT__ADOPTED;
                if (ret_name)
                        *ret_name = l->name;
                return l->fd;
        }
        return -ENOENT;
}

int hot_address_check(const char *address)
{
        struct hot__address parsed;

        return address ? hot__address_parse(address, &parsed) : -EINVAL;
}
