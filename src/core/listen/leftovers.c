/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoy.h"
#include "fd.h"
#include "steer.h"
#include "unixpath.h"

/*
 * Leftovers: the listeners that a new generation does not take. A listener that is closed resets who waits in
 * its queue, and who is on the way into it. So the old generation serves them to the end:
 *
 *   - READY says which ones are left. From HOT_DRAIN on the host accepts from these again (hot_leftover()), with
 *     everybody who comes meanwhile: as long as we may resume they are as they were.
 *   - When we can resume no more, nothing new reaches them (steer.c, or decoy.c where that takes a privilege;
 *     a UNIX path is left). The handshakes that have begun by then are noted, and waited for.
 *   - When these are over and the queues are empty, the host is told HOT_QUIESCE once more, and they are
 *     closed.
 *
 * The new generation holds its copies until then: a successor of its own that wants such a listener again
 * inherits it instead of finding the address taken, and the members of a group keep their order. LET_GO tells
 * it that it may close them, and unlink the name that a path was left for: only then it is sure that nobody has
 * claimed the socket after all, and will rename it back.
 *
 * An abstract UNIX name cannot be left: who connects between the last look and the close is reset.
 */

/* How often we look. Each look asks the kernel for the handshakes of a port, and for each queue. */
#define LOOK_MS      10
#define LOOK_LATE_MS 100

/* The looks after which it is seldom. */
#define N_EARLY_LOOKS 50

/* A handshake that ends is in its queue a moment after it is out of the list. */
#define N_QUIET_LOOKS 2

/* ---- as the new generation ---- */

void hot__leftovers_tell(const struct hot *hot, char *text, size_t size)
{
        size_t n = 0;

        text[0] = '\0';
        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];
                char one[16];
                int len;

                if (l->claimed)
                        continue;
                len = snprintf(one, sizeof(one), "%s%d", n > 0 ? "," : "", l->fd);
                if (n + (size_t)len >= size)
                        return; /* what is not told is closed without waiting */
                memcpy(text + n, one, (size_t)len + 1);
                n += (size_t)len;
        }
}

/* Was it bound to a path by one of us? */
static bool has_path(const struct hot__listener *l, struct hot__address *ret)
{
        return !l->activated && hot__address_parse(l->address, ret) == 0 &&
               ret->kind == HOT__ADDRESS_UNIX && ret->path[0] == '/';
}

/* The names that what we hold was left for, if nobody has taken the path back. */
static void unlink_held(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];
                struct hot__address address;

                if (!l->claimed && has_path(l, &address))
                        (void)hot__unixpath_unlink_left(address.path, l->fd);
        }
}

void hot__leftovers_release(struct hot *hot, bool told)
{
        hot->let_go = hot->let_go || told;
        /* While the predecessor may resume it needs no telling; while a restart runs the table is what the
         * new process has. */
        if (!hot->let_go || !hot->life.owner || hot__lifecycle_is_restarting(&hot->life) ||
            hot->life.phase == HOT__PHASE_OPENED || hot->leaving != HOT__LEAVING_NOT)
                return;
        hot->let_go = false;
        unlink_held(hot);
        hot__listeners_close_unclaimed(hot);
}

/* ---- as the old one ---- */

/* The descriptor is the new process': its table has our listeners from HOT__FIRST_FD on. */
static void mark(struct hot *hot, unsigned long fd)
{
        if (fd >= HOT__FIRST_FD && fd - HOT__FIRST_FD < hot->n_listeners)
                hot->listeners[fd - HOT__FIRST_FD].left = true;
}

/* "4,7,8". What is not understood ends it. */
void hot__leftovers_note(struct hot *hot, const char *text)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                hot->listeners[i].left = hot->listeners[i].lent = false;
        while (*text >= '0' && *text <= '9') {
                unsigned long fd = 0;

                for (; *text >= '0' && *text <= '9' && fd < 100000000; text++)
                        fd = fd * 10 + (unsigned long)(*text - '0');
                mark(hot, fd);
                text += *text == ',';
        }
}

int hot_leftover(struct hot *hot)
{
        if (!hot)
                return -EINVAL;
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__listener *l = &hot->listeners[i];

                if (!l->left || !l->claimed || l->lent)
                        continue;
                l->lent = true;
                return l->fd;
        }
        return -ENOENT;
}

static bool was_taken(const struct hot__listener *l)
{
        return !l->left || !l->claimed;
}

/*
 * How many members the group of a listener has, if it goes as a whole; or 0: the successor has some of them, and
 * steers everybody to those.
 */
static unsigned int members_that_go(const struct hot *hot, const struct hot__listener *first)
{
        unsigned int n = 0;

        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];

                if (l != first && !hot__listener_is_beside(l->fd, first->fd))
                        continue;
                if (l->claimed && !l->left)
                        return 0;
                n++;
        }
        return n;
}

static bool is_deaf(const struct hot__listener *l)
{
        return hot__steer_is_away(l->fd) || hot__decoy_is_set(l->fd);
}

/* One for its group: the other members get the mark when their turn comes. */
static void set_decoy(const struct hot *hot, struct hot__listener *l)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (hot->listeners[i].decoy >= 0 &&
                    hot__listener_is_beside(hot->listeners[i].fd, l->fd)) {
                        (void)hot__decoy_mark(l->fd);
                        return;
                }
        if (members_that_go(hot, l) > 0)
                (void)hot__decoy_set(l->fd, &l->settings, members_that_go(hot, l), &l->decoy);
}

/* Nothing new reaches it from now on. */
static void leave(const struct hot *hot, struct hot__listener *l)
{
        struct hot__address address;

        if (hot__steer_away(l->fd) == -EPERM)
                set_decoy(hot, l);
        l->deaf = is_deaf(l);
        if (has_path(l, &address)) {
                (void)hot__unixpath_leave(address.path, l->fd);
                l->deaf = !hot__unixpath_is_of(address.path, l->fd);
        }
}

/* Another generation has claimed what it inherited: who waits there is its own. */
static bool is_taken_over(const struct hot__listener *l)
{
        struct hot__address address;

        if (!l->deaf)
                return false;
        if (has_path(l, &address))
                return hot__unixpath_is_of(address.path, l->fd);
        return !is_deaf(l);
}

/* Without the list, or without memory for it, the drain deadline is what is waited for. */
static void note_handshakes(struct hot *hot)
{
        hot->handshakes = calloc(hot->n_listeners, sizeof(*hot->handshakes));
        for (size_t i = 0; hot->handshakes && i < hot->n_listeners; i++)
                if (hot__handshakes_note(hot->listeners[i].fd, &hot->handshakes[i]) < 0)
                        hot->handshakes[i].n = SIZE_MAX;
}

static bool is_queued(int fd)
{
        struct pollfd one = {.fd = fd, .events = POLLIN};

        return poll(&one, 1, 0) > 0 && one.revents & POLLIN;
}

/* Will anybody be reset if it is closed now? */
static bool is_awaited(struct hot *hot, size_t index)
{
        struct hot__handshakes *noted = hot->handshakes ? &hot->handshakes[index] : NULL;
        int fd = hot->listeners[index].fd;

        if (is_taken_over(&hot->listeners[index]))
                return false;
        if (!noted || noted->n == SIZE_MAX)
                return true;
        if (hot__handshakes_remain(fd, noted) != 0)
                return true;
        hot__handshakes_done(noted);
        return is_queued(fd);
}

static bool are_empty(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (is_awaited(hot, i))
                        return false;
        return true;
}

static bool have_queue(const struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (!is_taken_over(&hot->listeners[i]) && is_queued(hot->listeners[i].fd))
                        return true;
        return false;
}

static bool are_lent(const struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (hot->listeners[i].lent)
                        return true;
        return false;
}

static void close_all(struct hot *hot)
{
        hot__leftovers_done(hot);
        hot__listeners_close(hot);
        hot->leaving = HOT__LEAVING_DONE;
        hot__let_go(hot);
}

void hot__leftovers_leave(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (!was_taken(&hot->listeners[i]))
                        leave(hot, &hot->listeners[i]);
        hot__listeners_close_if(hot, was_taken);
        if (hot->n_listeners == 0) {
                close_all(hot);
                return;
        }
        hot->leaving = HOT__LEAVING_EMPTY;
        note_handshakes(hot);
        hot->leaving_look = hot__now();
        hot__set_timer(hot);
}

/* Who has taken a listener over steers it by himself, until its decoy is gone. */
static void drop_decoys(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_listeners; i++)
                if (is_taken_over(&hot->listeners[i]))
                        hot->listeners[i].decoy = hot__fd_close(hot->listeners[i].decoy);
}

void hot__leftovers_look(struct hot *hot, uint64_t now)
{
        unsigned int ms = ++hot->leaving_looks > N_EARLY_LOOKS ? LOOK_LATE_MS : LOOK_MS;

        drop_decoys(hot);
        hot->leaving_quiet = are_empty(hot) ? hot->leaving_quiet + 1 : 0;
        hot->leaving_look = 0;
        if (hot->leaving_quiet < N_QUIET_LOOKS) {
                hot->leaving_look = now + (uint64_t)ms * 1000000;
        } else if (are_lent(hot)) {
                hot->leaving = HOT__LEAVING_QUIET;
                hot__event_add(hot, HOT_QUIESCE);
        } else {
                close_all(hot);
        }
        hot__set_timer(hot);
}

void hot__leftovers_quiesced(struct hot *hot)
{
        if (hot->leaving != HOT__LEAVING_QUIET)
                return;
        /* An abstract name lets them in to the last. */
        if (!have_queue(hot)) {
                close_all(hot);
                return;
        }
        hot->leaving = HOT__LEAVING_EMPTY;
        for (size_t i = 0; i < hot->n_listeners; i++)
                hot->listeners[i].lent = false;
        hot->leaving_look = hot__now();
        hot__event_add(hot, HOT_DRAIN)->event.deadline = hot->drain_deadline;
        hot__set_timer(hot);
}

bool hot__leftovers_are_there(const struct hot *hot)
{
        return hot->leaving == HOT__LEAVING_EMPTY || hot->leaving == HOT__LEAVING_QUIET;
}

void hot__leftovers_done(struct hot *hot)
{
        for (size_t i = 0; hot->handshakes && i < hot->n_listeners; i++)
                if (hot->handshakes[i].n != SIZE_MAX)
                        hot__handshakes_done(&hot->handshakes[i]);
        free(hot->handshakes);
        hot->handshakes = NULL;
        hot->leaving_look = 0;
}
