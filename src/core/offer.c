/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "verdict.h"

/*
 * R5, as the old generation: what the new one inherits, told item by item. The listeners are in its table
 * already, from descriptor 3 on; everything else comes with the frame that names it.
 */

struct offered {
        struct hot__item *items;
        int *fds; /* borrowed; of those that come with the frame */
        size_t n;
};

static void fill_item(struct hot__item *item, const struct hot__listener *l, size_t index)
{
        item->kind = l->activated ? HOT__ITEM_ACTIVATED : HOT__ITEM_LISTENER;
        item->fd = (uint32_t)(HOT__FIRST_FD + index);
        strcpy(item->name, l->name);
        strcpy(item->address, l->origin == HOT__BOUND ? l->address : "");
}

/* Frame by frame, each with the descriptors of its items that are not in the table. */
static int send_items(struct hot *hot, enum hot__frame_type type, const struct offered *offered)
{
        size_t sent = 0, n = offered->n;
        int r;

        do {
                struct hot__frame frame = {
                        .type = (uint16_t)type,
                        .protocol = (uint32_t)hot->protocol,
                        .version = HOT_VERSION,
                        .generation = hot->generation + 1,
                        .n_items = (uint32_t)n,
                        .items = offered->items + sent,
                        .n_items_here = hot__frame_fits(offered->items + sent, n - sent),
                };
                int fds[HOT__FRAME_FDS];
                size_t n_fds = 0;

                for (size_t i = sent; i < sent + frame.n_items_here; i++)
                        if (offered->items[i].fd == 0)
                                fds[n_fds++] = offered->fds[i];
                r = hot__send_frame(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, &frame, fds,
                                    n_fds);
                sent += frame.n_items_here;
        } while (r == 0 && sent < n);
        return r;
}

/* An item that comes with the frame. */
static void add_item(struct offered *offered, enum hot__item_kind kind, const char *name, int fd)
{
        struct hot__item *item = &offered->items[offered->n];

        item->kind = kind;
        strncpy(item->name, name, sizeof(item->name) - 1);
        offered->fds[offered->n++] = fd;
}

/* Its address is who came before: they may still be asked for by their pids. */
static void add_control(struct offered *offered, const struct hot *hot)
{
        struct hot__item *item = &offered->items[offered->n];

        add_item(offered, HOT__ITEM_CONTROL, "control", hot__control_socket_fd(hot));
        hot__control_pids(hot, item->address, sizeof(item->address));
}

/* Who never resumes has no verdict to wait for. */
static int open_verdict(struct hot *hot, int *ret)
{
        hot->verdict = hot__fd_close(hot->verdict);
        return hot->life.manner.probation ? hot__verdict_open(&hot->verdict, ret) : 0;
}

int hot__offer(struct hot *hot)
{
        CLEANUP(hot__fd_closep) int verdict = -EBADF;
        size_t most = hot->n_listeners + hot__state_count(hot) + 3;
        struct offered offered = {
                .items = calloc(most, sizeof(*offered.items)),
                .fds = calloc(most, sizeof(*offered.fds)),
        };
        int r = offered.items && offered.fds ? open_verdict(hot, &verdict) : -ENOMEM;

        if (r == 0) {
                for (size_t i = 0; i < hot->n_listeners; i++)
                        fill_item(&offered.items[offered.n++], &hot->listeners[i], i);
                if (verdict >= 0)
                        add_item(&offered, HOT__ITEM_VERDICT, "verdict", verdict);
                if (hot__control_socket_fd(hot) >= 0)
                        add_control(&offered, hot);
                hot__state_begin(hot);
                offered.n += hot__state_add_news(hot, offered.items + offered.n,
                                                 offered.fds + offered.n);
                /* Last: it is moved out of the way, and must leave no gap among the others' numbers. */
                if (hot->tail.fd >= 0)
                        add_item(&offered, HOT__ITEM_STDERR, "stderr", STDERR_FILENO);
                r = send_items(hot, HOT__OFFER, &offered);
        }
        free(offered.items);
        free(offered.fds);
        return r;
}

/* Nobody accepts meanwhile: it is the time that the host's last hot_put() and the copying of descriptors take. */
int hot__offer_news(struct hot *hot)
{
        size_t most = hot__state_count(hot);
        struct offered offered = {
                .items = calloc(most + 1, sizeof(*offered.items)),
                .fds = calloc(most + 1, sizeof(*offered.fds)),
        };
        int r = offered.items && offered.fds ? 0 : -ENOMEM;

        if (r == 0)
                offered.n = hot__state_add_news(hot, offered.items, offered.fds);
        if (offered.n > 0)
                r = send_items(hot, HOT__CHANGED, &offered);
        free(offered.items);
        free(offered.fds);
        return r;
}
