/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "decoy.h"
#include "fd.h"
#include "steer.h"
#include "unixpath.h"

/*
 * The table of listeners: what was inherited and what was bound here, in the order in which a child
 * finds them from descriptor 3 on. The descriptors stay ours; the host is lent their numbers.
 *
 * The members of a group stand in the table in the order in which the kernel has them (steer.c), with
 * others between them or not: inherited ones first, later ones behind them, and what goes goes from the
 * end. What nobody claims is held, for as long as an older generation may still serve it: see leftovers.c.
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
        *added = (struct hot__listener){
                .fd = hot__fd_take(&owned), .origin = origin, .decoy = -EBADF};
        added->group = added->fd;
        strncpy(added->name, name, sizeof(added->name) - 1);
        strncpy(added->address, address, sizeof(added->address) - 1);
        return 0;
}

static void close_one(struct hot__listener *l)
{
        l->fd = hot__fd_close(l->fd);
        l->decoy = hot__fd_close(l->decoy);
}

/* From the end, so that the first members of a group keep their places. */
void hot__listeners_close(struct hot *hot)
{
        while (hot->n_listeners > 0)
                close_one(&hot->listeners[--hot->n_listeners]);
        free(hot->listeners);
        hot->listeners = NULL;
}

void hot__listeners_close_if(struct hot *hot, bool (*is_over)(const struct hot__listener *l))
{
        size_t kept = 0;

        for (size_t i = hot->n_listeners; i-- > 0;)
                if (is_over(&hot->listeners[i]))
                        close_one(&hot->listeners[i]);
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (hot->listeners[i].fd >= 0)
                        hot->listeners[kept++] = hot->listeners[i];
        hot->n_listeners = kept;
}

static bool is_unclaimed(const struct hot__listener *l)
{
        return !l->claimed;
}

void hot__listeners_close_unclaimed(struct hot *hot)
{
        hot__listeners_close_if(hot, is_unclaimed);
}

void hot__listeners_unlink(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__address address;

                /* A service manager's path is its own to remove, and what we hold another generation's. */
                if (!hot->listeners[i].activated && hot->listeners[i].claimed &&
                    hot__address_parse(hot->listeners[i].address, &address) == 0 &&
                    address.kind == HOT__ADDRESS_UNIX && address.path[0] == '/')
                        hot__unixpath_unlink(address.path, hot->listeners[i].fd);
        }
}

/* Was it made for a path that leads to it no more? Somebody has removed or moved it by hand. */
static bool has_lost_its_path(const struct hot__listener *l, const struct hot__address *address)
{
        return l->origin == HOT__BOUND && !l->activated && address->kind == HOT__ADDRESS_UNIX &&
               address->path[0] == '/' && !hot__unixpath_is_of(address->path, l->fd);
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
        if (has_lost_its_path(l, address))
                return false;
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
        r = hot__listeners_take_fd(hot, hot__fd_take(&fd), HOT__BOUND, name, text);
        if (r == 0)
                hot->listeners[hot->n_listeners - 1].fresh = true;
        return r;
}

static void claim(struct hot__listener *l, const char *name, const char *text,
                  const struct hot__settings *settings, int group)
{
        l->claimed = true;
        l->origin = HOT__BOUND;
        l->group = group;
        l->settings = *settings;
        strcpy(l->name, name);
        strcpy(l->address, text);
}

/* The last one that was bound to this path and has lost it. */
static int find_lost(struct hot *hot, const char *text, const struct hot__address *address)
{
        for (size_t i = hot->n_listeners; i-- > 0;)
                if (!hot->listeners[i].claimed && strcmp(hot->listeners[i].address, text) == 0 &&
                    has_lost_its_path(&hot->listeners[i], address))
                        return (int)i;
        return -ENOENT;
}

/* Returns the index of the listener, or a negative errno. */
static int find_or_bind(struct hot *hot, const char *name, const char *text,
                        const struct hot__address *address)
{
        struct hot__listener *found = find(hot, name, text, address);
        int lost, r;

        if (found)
                return (int)(found - hot->listeners);
        lost = find_lost(hot, text, address);
        r = bind_new(hot, name, text, address);
        if (r == 0)
                return (int)hot->n_listeners - 1;
        /* Somebody else has the path by now. A restart does not fail for what was so before. */
        return lost >= 0 ? lost : r;
}

static struct hot__listener *find_member(struct hot *hot, int first)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (!hot->listeners[i].claimed &&
                    hot__listener_is_beside(hot->listeners[i].fd, first))
                        return &hot->listeners[i];
        return NULL;
}

/*
 * A datagram socket is a member as soon as it is bound: what would reach it before we serve is steered
 * to those that the old generation has too.
 */
static int bind_member(struct hot *hot, int first, unsigned int n_inherited, const char *name,
                       const char *text, const struct hot__address *address)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        bool steers = address->kind == HOT__ADDRESS_UDP && n_inherited > 0;
        int r;

        if (steers)
                (void)hot__steer_group(first, n_inherited); /* -EINVAL: it is no group yet */
        r = hot__listener_bind_member(first, address, &fd);
        if (r == 0 && steers)
                r = hot__steer_group(first, n_inherited);
        if (r == 0)
                r = hot__listeners_take_fd(hot, hot__fd_take(&fd), HOT__BOUND, name, text);
        if (r == 0)
                hot->listeners[hot->n_listeners - 1].fresh = true;
        return r;
}

/* The rest of the group that begins with the listener @first: inherited as far as there are any. */
static int claim_members(struct hot *hot, int first, bool inherited, const char *name,
                         const char *text, const struct hot__address *address)
{
        uint32_t n = hot__settings_number(&address->settings, HOT__SETTING_REUSEPORT, 1);
        unsigned int n_inherited = inherited;

        for (uint32_t i = 1; i < n; i++) {
                struct hot__listener *l = find_member(hot, first);
                int r = l ? 0 : bind_member(hot, first, n_inherited, name, text, address);

                if (r < 0)
                        return r;
                n_inherited += l != NULL;
                claim(l ? l : &hot->listeners[hot->n_listeners - 1], name, text, &address->settings,
                      first);
        }
        return 0;
}

static int listen_at(struct hot *hot, const char *name, const char *address_text)
{
        char text[HOT__ADDRESS_MAX];
        struct hot__address address;
        size_t n_before = hot->n_listeners;
        int first, index, r;

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
        index = find_or_bind(hot, name, text, &address);
        if (index < 0)
                return index;
        first = hot->listeners[index].fd;
        claim(&hot->listeners[index], name, text, &address.settings, first);
        r = claim_members(hot, first, (size_t)index < n_before, name, text, &address);
        return r < 0 ? r : first;
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

int hot_listener_member(struct hot *hot, int fd, unsigned int index)
{
        if (!hot)
                return -EINVAL;
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (hot->listeners[i].claimed && hot->listeners[i].group == fd && index-- == 0)
                        return hot->listeners[i].fd;
        return -ENOENT;
}

/* ---- through the life of a generation ---- */

void hot__listeners_remember(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__listener *l = &hot->listeners[i];

                if (l->claimed)
                        hot__tuning_capture(l->fd, &l->settings, &l->tuning);
        }
}

/* The group of the listener @first chooses among those that are claimed, if there are others. */
static void steer(struct hot *hot, const struct hot__listener *first)
{
        unsigned int n_claimed = 0, n = 0;
        bool all = true;

        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];

                if (l != first && !hot__listener_is_beside(l->fd, first->fd))
                        continue;
                n++;
                n_claimed += l->claimed && l->group == first->group;
                all = all && !l->unsteered;
        }
        (void)hot__steer_group(first->fd, n > n_claimed || !all ? n_claimed : 0);
}

static void steer_groups(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];

                if (l->claimed && l->group == l->fd && hot__listener_may_be_member(l->fd))
                        steer(hot, l);
        }
}

void hot__listeners_put_back(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                hot->listeners[i].left = false;
                hot__tuning_restore(hot->listeners[i].fd, &hot->listeners[i].tuning);
        }
        steer_groups(hot);
}

/* Undo what an older generation did that was about to let go of it, in the belief that nobody wants it. */
static void take_over(struct hot__listener *l)
{
        struct hot__address address;

        (void)hot__steer_back(l->fd);
        l->unsteered = hot__decoy_forget(l->fd);
        if (hot__address_parse(l->address, &address) == 0 && address.kind == HOT__ADDRESS_UNIX &&
            address.path[0] == '/')
                (void)hot__unixpath_return(address.path, l->fd);
}

void hot__listeners_begin(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__listener *l = &hot->listeners[i];

                if (!l->claimed)
                        continue;
                if (!l->fresh)
                        take_over(l);
                else if (hot__listener_is_silent(l->fd) &&
                         listen(l->fd, hot__tuning_backlog(&l->settings)) < 0)
                        hot__event_trouble(hot, HOT_STEP_LISTEN, errno, l->address);
        }
}

void hot__listeners_apply(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];
                struct hot__address address;
                int r;

                if (!l->claimed || l->fresh || l->origin != HOT__BOUND ||
                    hot__address_parse(l->address, &address) < 0)
                        continue;
                address.settings = l->settings;
                r = hot__listener_apply(l->fd, &address, l->activated);
                if (r < 0)
                        hot__event_trouble(hot, HOT_STEP_LISTEN, -r, l->address);
        }
        steer_groups(hot);
}
