/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "memfd.h"

/* How often copies are looked at, and a receiver without room is asked. */
#define LOOK_MS 250

/* Copies that one poll(2) looks at. */
#define LOOK_AT 256

static void look_soon(struct hot *hot)
{
        if (hot->giving.look_at)
                return;
        hot->giving.look_at = hot__in(LOOK_MS);
        hot__set_timer(hot);
}

static size_t fds_of(const struct hot__parcel *parcel)
{
        return hot__parcel_is_bulky(parcel) ? 2 : 1;
}

static bool is_possible(const struct hot *hot)
{
        return hot->giving.possible && hot__lifecycle_has_successor(&hot->life) &&
               hot->successor.fd >= 0;
}

/* Descriptors: what the receiver has room for, and what of it is spoken for. */
static size_t receivers_room(const struct hot__giving *giving)
{
        size_t taken = giving->in_flight + giving->filling_fds;

        return giving->room > taken ? giving->room - taken : 0;
}

static size_t window(const struct hot__giving *giving)
{
        size_t most = (HOT__GIVING_WINDOW - giving->n_sent) * HOT__FRAME_FDS;

        return most > giving->filling_fds ? most - giving->filling_fds : 0;
}

static size_t room_now(const struct hot__giving *giving)
{
        size_t theirs = receivers_room(giving), ours = window(giving);

        return theirs < ours ? theirs : ours;
}

/* HOT_DRAIN once more, if the host waits for it. */
static void tell_host(struct hot *hot)
{
        struct hot__event *slot;

        hot->giving.wanted = false;
        slot = hot__event_add(hot, HOT_DRAIN);
        slot->event.deadline = hot->drain_deadline;
        slot->event.pid = hot->successor_process.pid;
        slot->event.generation = hot->generation + 1;
}

void hot__giving_begin(struct hot *hot, uint32_t room)
{
        struct hot__giving *giving = &hot->giving;

        giving->possible = room > 0;
        giving->wanted = false;
        giving->room = room > 0 ? room - 1 : 0;
        giving->n_given = giving->n_accepted = giving->n_returned = 0;
        giving->began = giving->ended = 0;
}

/* ---- the host gives ---- */

int hot_give_room(struct hot *hot)
{
        size_t room;

        if (!hot || !is_possible(hot))
                return -ENOTCONN;
        room = room_now(&hot->giving);
        if (room == 0) {
                hot->giving.wanted = true;
                look_soon(hot);
        }
        return (int)room;
}

int hot_give(struct hot *hot, const struct hot_connection *connection)
{
        struct hot__giving *giving;
        struct hot__parcel *parcel;
        int r;

        if (!hot || !connection)
                return -EINVAL;
        giving = &hot->giving;
        r = hot_give_room(hot);
        if (r <= 0)
                return r < 0 ? r : -EAGAIN;
        r = hot__parcel_pack(connection, &parcel);
        if (r < 0)
                return r;
        hot__parcels_add(&giving->filling, parcel);
        giving->filling_fds += fds_of(parcel);
        if (giving->n_given++ == 0)
                giving->began = hot__now();
        if (giving->filling_fds >= HOT__FRAME_FDS)
                hot__giving_flush(hot);
        else if (giving->filling.n == 1)
                hot__wake(hot); /* a host that only waits for hot_fd() has it sent as well */
        return 0;
}

static void come_back(struct hot__giving *giving, struct hot__parcel *parcel, int error)
{
        parcel->error = error;
        giving->n_returned++;
        hot__parcels_add(&giving->returned, parcel);
}

static void all_come_back(struct hot__giving *giving, int error)
{
        struct hot__parcel *parcel;

        for (size_t i = 0; i < giving->n_sent; i++)
                while ((parcel = hot__parcels_take(&giving->sent[i].parcels)))
                        come_back(giving, parcel, error);
        while ((parcel = hot__parcels_take(&giving->filling)))
                come_back(giving, parcel, error);
        giving->n_sent = giving->in_flight = giving->filling_fds = 0;
        giving->possible = false;
}

/* ---- a batch leaves ---- */

/* What one frame carries: descriptors, and memory that was made for it. */
struct load {
        size_t n, n_fds, n_bulks;
        int fds[HOT__FRAME_FDS];
        int bulks[HOT__FRAME_FDS];
};

static void load_done(struct load *load)
{
        while (load->n_bulks > 0)
                hot__fd_close(load->bulks[--load->n_bulks]);
}

static int add_to_load(struct load *load, const struct hot__parcel *parcel)
{
        int r, bulk = -EBADF;

        if (hot__parcel_is_bulky(parcel)) {
                r = hot__memfd_seal("connection", parcel->bytes, hot__parcel_size(parcel), &bulk);
                if (r < 0)
                        return r;
        }
        load->n++;
        load->fds[load->n_fds++] = parcel->fd;
        if (bulk >= 0)
                load->fds[load->n_fds++] = load->bulks[load->n_bulks++] = bulk;
        return 0;
}

/* As much of what waits as fits one frame. Returns 0, or why not even the first. */
static int make_load(struct hot__giving *giving, struct load *load)
{
        const struct hot__parcel *parcel = giving->filling.first;
        size_t n = 0, fits;
        int r = 0;

        if (!giving->items)
                giving->items = calloc(HOT__FRAME_FDS, sizeof(*giving->items));
        if (!giving->items)
                return -ENOMEM;
        for (; parcel && n < HOT__FRAME_FDS; parcel = parcel->next)
                hot__parcel_item(parcel, &giving->items[n++]);
        fits = hot__frame_fits(giving->items, n);
        for (parcel = giving->filling.first; r == 0 && load->n < fits; parcel = parcel->next)
                r = add_to_load(load, parcel);
        return load->n > 0 ? 0 : r;
}

/* How far those are that may have to be served again, the first n of all. */
static void note_touches(struct hot__parcels *parcels, size_t n)
{
        struct hot__touching connections[HOT__FRAME_FDS];
        struct hot__parcel *parcel = parcels->first;
        size_t n_connections = 0;

        for (; n > 0; n--, parcel = parcel->next)
                if (hot__parcel_is_resumable(parcel))
                        connections[n_connections++] =
                                (struct hot__touching){.fd = parcel->fd, .touch = &parcel->touch};
        hot__touch_many(connections, n_connections);
}

static void note_sent(struct hot__giving *giving, const struct load *load)
{
        struct hot__batch *batch = &giving->sent[giving->n_sent++];

        *batch = (struct hot__batch){.number = giving->number, .n_fds = load->n_fds};
        for (size_t i = 0; i < load->n; i++)
                hot__parcels_add(&batch->parcels, hot__parcels_take(&giving->filling));
        giving->in_flight += load->n_fds;
        giving->filling_fds -= load->n_fds;
}

/* Nobody reads a number of a batch that could not be sent: it is used again. */
static int send_batch(struct hot *hot, const struct load *load)
{
        struct hot__giving *giving = &hot->giving;
        struct hot__frame frame = {.type = HOT__GIVE,
                                   .batch = giving->number + 1,
                                   .items = giving->items,
                                   .n_items_here = load->n};
        int r = hot__send_frame(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, &frame, load->fds,
                                load->n_fds);

        if (r < 0)
                return r;
        giving->number++;
        note_sent(giving, load);
        return 0;
}

/*
 * What cannot be sent for want of memory or of descriptors, of which those in flight are a part (ETOOMANYREFS),
 * waits for the answer to these. If there are none it has nothing to wait for, and is served here.
 */
void hot__giving_flush(struct hot *hot)
{
        struct hot__giving *giving = &hot->giving;

        while (giving->filling.n > 0 && giving->n_sent < HOT__GIVING_WINDOW && is_possible(hot)) {
                struct load load = {0};
                int r = make_load(giving, &load);

                if (r == 0 && hot->life.phase == HOT__PHASE_PROBATION)
                        note_touches(&giving->filling, load.n);
                if (r == 0)
                        r = send_batch(hot, &load);
                load_done(&load);
                if (r < 0 && giving->n_sent == 0)
                        all_come_back(giving, -r);
                if (r < 0)
                        return;
        }
}

/* ---- and is answered ---- */

static struct hot__batch *find_batch(struct hot__giving *giving, uint32_t number)
{
        for (size_t i = 0; i < giving->n_sent; i++)
                if (giving->sent[i].number == number)
                        return &giving->sent[i];
        return NULL;
}

/* "3:24,17:11". Returns 0 or -EPROTO. */
static int read_refusals(const char *text, size_t n, int *errors)
{
        while (*text) {
                unsigned long place, error;
                char *end;

                if (*text < '0' || *text > '9')
                        return -EPROTO;
                place = strtoul(text, &end, 10);
                if (*end != ':' || end[1] < '0' || end[1] > '9' || place >= n)
                        return -EPROTO;
                error = strtoul(end + 1, &end, 10);
                if (error < 1 || error > 4095 || errors[place] || (*end && *end != ','))
                        return -EPROTO;
                errors[place] = (int)error;
                text = *end ? end + 1 : end;
        }
        return 0;
}

/* The receiver has it. */
static void let_go(struct hot *hot, struct hot__parcel *parcel)
{
        struct hot__giving *giving = &hot->giving;

        giving->n_accepted++;
        if (!parcel->touch.known || hot->life.phase != HOT__PHASE_PROBATION) {
                hot__parcel_free(parcel);
                return;
        }
        hot__parcels_add(&giving->frozen, parcel);
        look_soon(hot);
}

static void forget_batch(struct hot__giving *giving, struct hot__batch *batch)
{
        size_t after = giving->n_sent - (size_t)(batch - giving->sent) - 1;

        giving->in_flight -= batch->n_fds;
        giving->n_sent--;
        memmove(batch, batch + 1, after * sizeof(*batch));
}

int hot__giving_answered(struct hot *hot, const struct hot__frame *frame)
{
        struct hot__giving *giving = &hot->giving;
        struct hot__batch *batch = find_batch(giving, frame->batch);
        int errors[HOT__FRAME_FDS] = {0};
        struct hot__parcel *parcel;
        size_t i = 0;

        if (!batch || read_refusals(frame->text, batch->parcels.n, errors) < 0)
                return -EPROTO;
        while ((parcel = hot__parcels_take(&batch->parcels)))
                if (errors[i++])
                        come_back(giving, parcel, errors[i - 1]);
                else
                        let_go(hot, parcel);
        forget_batch(giving, batch);
        giving->ended = hot__now();
        giving->possible = giving->possible && frame->room > 0;
        giving->room = frame->room > 0 ? frame->room - 1 : 0;
        hot__giving_flush(hot);
        if (giving->wanted && room_now(giving) > 0)
                tell_host(hot);
        return 0;
}

/* ---- or not ---- */

void hot__giving_resume(struct hot *hot)
{
        struct hot__giving *giving = &hot->giving;
        struct hot__parcel *parcel;

        giving->wanted = false;
        all_come_back(giving, EOWNERDEAD);
        while ((parcel = hot__parcels_take(&giving->frozen)))
                if (hot__touch_is_same(parcel->fd, &parcel->touch))
                        come_back(giving, parcel, EOWNERDEAD);
                else
                        hot__parcel_free(parcel);
}

void hot__giving_lost(struct hot *hot)
{
        bool wanted = hot->giving.wanted;

        all_come_back(&hot->giving, EPIPE);
        if (wanted)
                tell_host(hot); /* it learns that there is nobody to give to */
}

void hot__giving_retire(struct hot *hot)
{
        hot__parcels_free(&hot->giving.frozen);
}

bool hot__giving_is_pending(const struct hot *hot)
{
        const struct hot__giving *giving = &hot->giving;

        return giving->in_flight > 0 || giving->filling.n > 0 || giving->returned.n > 0;
}

/* ---- from time to time ---- */

/* Copies of connections that have ended: nobody needs them, and a socket lives as long as its last copy. */
static void close_ended(struct hot__parcels *frozen)
{
        size_t left = frozen->n;

        while (left > 0) {
                struct pollfd fds[LOOK_AT];
                const struct hot__parcel *parcel = frozen->first;
                nfds_t n = 0;

                for (; n < LOOK_AT && n < left; parcel = parcel->next)
                        fds[n++] = (struct pollfd){.fd = parcel->fd};
                poll(fds, n, 0);
                for (nfds_t i = 0; i < n; i++) {
                        struct hot__parcel *first = hot__parcels_take(frozen);

                        if (fds[i].revents & (POLLHUP | POLLERR))
                                hot__parcel_free(first);
                        else
                                hot__parcels_add(frozen, first);
                }
                left -= n;
        }
}

/* An empty batch is answered like any other, with the room there is. */
static void ask_for_room(struct hot *hot)
{
        const struct load nothing = {0};

        if (hot->giving.wanted && hot->giving.n_sent == 0 && is_possible(hot))
                send_batch(hot, &nothing);
}

void hot__giving_look(struct hot *hot)
{
        struct hot__giving *giving = &hot->giving;

        giving->look_at = 0;
        close_ended(&giving->frozen);
        ask_for_room(hot);
        if (giving->frozen.n > 0 || giving->wanted)
                look_soon(hot);
        hot__set_timer(hot);
}

void hot__giving_done(struct hot *hot)
{
        struct hot__giving *giving = &hot->giving;

        all_come_back(giving, ESHUTDOWN);
        hot__parcels_free(&giving->returned);
        hot__parcels_free(&giving->frozen);
        free(giving->items);
        giving->items = NULL;
}
