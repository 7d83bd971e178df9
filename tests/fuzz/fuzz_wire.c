/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: decoded or refused. What was decoded can be encoded, in no more bytes than it came in, and
 * decodes to the same again.
 */
#include "target.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "wire.h"

static bool same_bytes(const struct hot__item *a, const struct hot__item *b)
{
        return a->version == b->version && a->flags == b->flags && a->input_len == b->input_len &&
               a->output_len == b->output_len && a->bulk == b->bulk &&
               a->bytes.len == b->bytes.len &&
               (a->bytes.len == 0 || memcmp(a->bytes.at, b->bytes.at, a->bytes.len) == 0);
}

static bool same_items(const struct hot__frame *a, const struct hot__frame *b)
{
        for (size_t i = 0; i < a->n_items_here; i++)
                if (a->items[i].kind != b->items[i].kind || a->items[i].fd != b->items[i].fd ||
                    strcmp(a->items[i].name, b->items[i].name) != 0 ||
                    strcmp(a->items[i].address, b->items[i].address) != 0 ||
                    !same_bytes(&a->items[i], &b->items[i]))
                        return false;
        return true;
}

static bool same_frame(const struct hot__frame *a, const struct hot__frame *b)
{
        return a->type == b->type && a->lowest == b->lowest && a->highest == b->highest &&
               strcmp(a->version, b->version) == 0 && a->protocol == b->protocol &&
               a->generation == b->generation && a->n_items == b->n_items && a->error == b->error &&
               a->tag == b->tag && a->pid == b->pid && a->batch == b->batch && a->room == b->room &&
               strcmp(a->text, b->text) == 0 && a->n_items_here == b->n_items_here &&
               same_items(a, b);
}

static void check_again(const struct hot__frame *frame, size_t size)
{
        static uint8_t buffer[HOT__FRAME_MAX];
        struct hot__frame again;
        ssize_t len = hot__frame_encode(frame, buffer, sizeof(buffer));

        assert(len > 0 && (size_t)len <= size);
        assert(len == 8 || hot__frame_encode(frame, buffer, (size_t)len - 1) == -EMSGSIZE);
        assert(hot__frame_encode(frame, buffer, (size_t)len) == len);
        assert(hot__frame_decode(buffer, (size_t)len, &again) == 0);
        assert(same_frame(frame, &again));
        hot__frame_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct hot__frame frame = {0};
        int r = hot__frame_decode(data, size, &frame);

        assert(r == 0 || r == -EPROTO || r == -EOPNOTSUPP);
        if (r < 0) {
                assert(!frame.items && frame.n_items_here == 0);
                assert(r == -EOPNOTSUPP || (frame.type == 0 && frame.tag == 0));
                return 0;
        }
        assert(frame.n_items_here <= size / (HOT__HEADER_SIZE + HOT__ITEM_MIN));
        assert(frame.type != HOT__OFFER || frame.n_items_here <= frame.n_items);
        if (frame.type == HOT__HELLO) {
                int chosen = hot__protocol_choose(frame.lowest, frame.highest);

                assert(chosen == -EPROTONOSUPPORT ||
                       (chosen >= HOT__PROTOCOL_LOWEST && chosen <= HOT__PROTOCOL_HIGHEST));
        }
        if (frame.n_items_here > 0 && frame.type != HOT__GIVE)
                assert(hot__frame_fits(frame.items, frame.n_items_here) > 0);
        check_again(&frame, size);
        hot__frame_done(&frame);
        return 0;
}
