/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "memfd.h"

/* One more than the descriptors that there is room for: 0 is left out, and means that none are taken. */
uint32_t hot__taking_room(struct hot *hot)
{
        size_t left = hot__budget_left(&hot->taking.budget, hot__now());

        return left < INT32_MAX ? (uint32_t)left + 1 : INT32_MAX;
}

/* ---- a batch ---- */

/* Of more items than a frame can bring descriptors for, which is nonsense, those that fit. */
static void refuse(struct hot__taking *taking, size_t place, int error)
{
        size_t size = sizeof(taking->refused) - taking->refused_len;
        int n = snprintf(taking->refused + taking->refused_len, size, "%s%zu:%d",
                         taking->refused_len ? "," : "", place, error);

        if ((size_t)n < size)
                taking->refused_len += (size_t)n;
        else
                taking->refused[taking->refused_len] = '\0';
}

/* The longest answer to anything else fits: "251:4095," for each. */
_Static_assert(HOT__FRAME_FDS * 9 < HOT__TEXT_MAX, "all of a batch can be refused");

static void answer(struct hot *hot)
{
        struct hot__taking *taking = &hot->taking;
        struct hot__frame frame = {
                .type = HOT__TAKEN, .batch = taking->batch, .room = hot__taking_room(hot)};

        memcpy(frame.text, taking->refused, taking->refused_len + 1);
        hot__send_frame(hot, taking->channel, taking->source, &frame, NULL, 0);
        hot__message_done(&hot->message);
        free(taking->items);
        taking->items = NULL;
        taking->channel = NULL;
        taking->answered = true;
        taking->ended = hot__now();
}

static size_t count_fds(const struct hot__frame *frame)
{
        size_t n = 0;

        for (size_t i = 0; i < frame->n_items_here; i++)
                n += frame->items[i].bulk > 0 ? 2 : 1;
        return n;
}

/* Can an answer leave at once? What is touched before it has left would be served twice if we died. */
static bool can_answer(const struct hot__channel *channel)
{
        struct pollfd socket = {.fd = channel->fd, .events = POLLOUT};

        return !channel->first && poll(&socket, 1, 0) == 1 &&
               (socket.revents & (POLLOUT | POLLHUP));
}

/* Why none of it can be taken; 0 if it can. */
static int judge(const struct hot *hot, const struct hot__channel *channel,
                 const struct hot__frame *frame)
{
        if (!can_answer(channel))
                return ENOBUFS;
        if (hot->life.phase < HOT__PHASE_SERVING || hot->life.phase >= HOT__PHASE_STOPPING ||
            hot->life.stop_queued)
                return ESHUTDOWN;
        return count_fds(frame) == hot->message.n_fds ? 0 : EPROTO;
}

void hot__taking_begin(struct hot *hot, struct hot__channel *channel, unsigned int source,
                       struct hot__frame *frame, int error)
{
        struct hot__taking *taking = &hot->taking;

        if (error == 0)
                error = judge(hot, channel, frame);
        taking->channel = channel;
        taking->source = source;
        taking->batch = frame->batch;
        taking->items = frame->items;
        taking->n_items = frame->n_items_here;
        taking->at = taking->fd_at = taking->refused_len = 0;
        taking->refused[0] = '\0';
        frame->items = NULL;
        hot__budget_spend(&taking->budget, hot->message.n_fds);
        if (taking->began == 0)
                taking->began = hot__now();
        for (size_t i = 0; error && i < taking->n_items; i++)
                refuse(taking, i, error);
        if (error)
                taking->at = taking->n_items;
}

/* ---- one connection ---- */

/* The bytes that travelled with it: in the frame, or in memory of their own. */
static int find_bytes(struct hot *hot, const struct hot__item *item, const uint8_t **ret)
{
        struct hot__taking *taking = &hot->taking;
        CLEANUP(hot__fd_closep) int bulk = -EBADF;
        int r;

        *ret = item->bytes.at;
        if (item->bulk == 0)
                return 0;
        bulk = hot__message_steal_fd(&hot->message, taking->fd_at++);
        r = hot__memfd_map(bulk, &taking->bulk, &taking->bulk_len);
        if (r < 0)
                return r;
        *ret = taking->bulk;
        return taking->bulk_len == item->bulk ? 0 : -EPROTO;
}

/* Parts that are empty have no address: hosts test the one or the other. */
static void describe(struct hot_connection *c, const struct hot__item *item, const uint8_t *bytes,
                     int fd)
{
        size_t whole = item->bulk > 0 ? item->bulk : item->bytes.len;

        *c = (struct hot_connection){
                .size = sizeof(*c),
                .kind = item->name,
                .fd = fd,
                .flags = item->flags & HOT_RESUMABLE,
                .input = item->input_len ? bytes : NULL,
                .input_len = item->input_len,
                .output = item->output_len ? bytes + item->input_len : NULL,
                .output_len = item->output_len,
                .version = item->version,
        };
        c->state_len = whole - item->input_len - item->output_len;
        c->state = c->state_len ? bytes + whole - c->state_len : NULL;
}

static const struct hot_event *show(struct hot__taking *taking)
{
        taking->open = true;
        taking->event = (struct hot_event){
                .type = HOT_CONNECTION, .detail = "", .connection = &taking->connection};
        return &taking->event;
}

/* The host has had its turn with the last one. */
static void settle(struct hot__taking *taking)
{
        if (taking->open && !taking->returned)
                refuse(taking, taking->at - 1, EOPNOTSUPP);
        taking->open = false;
        taking->fd = hot__fd_close(taking->fd);
        if (taking->bulk)
                hot__memfd_unmap(taking->bulk, taking->bulk_len);
        taking->bulk = NULL;
        free(taking->returned); /* its descriptor was .fd */
        taking->returned = NULL;
}

/* The next of the batch that can be shown to the host, or NULL at its end. */
static const struct hot_event *next_of_batch(struct hot *hot)
{
        struct hot__taking *taking = &hot->taking;

        while (taking->at < taking->n_items) {
                const struct hot__item *item = &taking->items[taking->at++];
                const uint8_t *bytes;
                int r;

                taking->fd = hot__message_steal_fd(&hot->message, taking->fd_at++);
                r = find_bytes(hot, item, &bytes);
                if (r == 0 && item->kind != HOT__ITEM_CONNECTION)
                        r = -EOPNOTSUPP;
                if (r == 0) {
                        describe(&taking->connection, item, bytes, taking->fd);
                        return show(taking);
                }
                refuse(taking, taking->at - 1, -r);
                settle(taking);
        }
        answer(hot);
        return NULL;
}

static const struct hot_event *next_returned(struct hot *hot)
{
        struct hot__taking *taking = &hot->taking;

        taking->returned = hot__parcels_take(&hot->giving.returned);
        if (!taking->returned)
                return NULL;
        hot__parcel_describe(taking->returned, &taking->connection);
        taking->fd = taking->returned->fd;
        return show(taking);
}

void hot__taking_settle(struct hot *hot)
{
        settle(&hot->taking);
}

bool hot__taking_has_answered(struct hot *hot)
{
        bool answered = hot->taking.answered;

        hot->taking.answered = false;
        return answered;
}

const struct hot_event *hot__taking_next(struct hot *hot)
{
        const struct hot_event *event = NULL;

        if (hot->taking.channel)
                event = next_of_batch(hot);
        return event ? event : next_returned(hot);
}

int hot_accept_connection(struct hot *hot)
{
        if (!hot || !hot->taking.open)
                return -EINVAL;
        hot->taking.open = false;
        hot->taking.n_taken += !hot->taking.returned;
        return hot__fd_take(&hot->taking.fd);
}

int hot_refuse_connection(struct hot *hot, int error)
{
        struct hot__taking *taking;

        if (!hot || !hot->taking.open || error < 1 || error > 4095)
                return -EINVAL;
        taking = &hot->taking;
        taking->open = false;
        if (!taking->returned)
                refuse(taking, taking->at - 1, error);
        return 0;
}

void hot__taking_done(struct hot *hot)
{
        settle(&hot->taking);
        if (hot->taking.channel) {
                hot__message_done(&hot->message);
                free(hot->taking.items);
                hot->taking.items = NULL;
                hot->taking.channel = NULL;
        }
}
