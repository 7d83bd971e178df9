/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

/*
 * Frames of the handover protocol.
 *
 * One table per frame type lists its fields, and both directions walk it: what the encoder writes is by
 * construction what the decoder takes. The peer may be another version, and may be broken, so the decoder
 * is total: every length is checked against the bytes that are there, before it is used, and the number
 * of items is counted in the bytes and never believed.
 *
 * Only the meaning of single frames is checked here. Which frame may come when is the restart's business.
 */

/* The fields of an OFFER beside its items, at their longest: no frame with items has more. */
#define OFFER_MAX                                                                 \
        (HOT__HEADER_SIZE + 2 * (HOT__HEADER_SIZE + 4) + (HOT__HEADER_SIZE + 8) + \
         HOT__HEADER_SIZE + sizeof(((struct hot__frame *)NULL)->version))

static bool is_text(enum hot__value_kind kind)
{
        return kind == HOT__VALUE_NAME || kind == HOT__VALUE_TEXT;
}

static size_t number_size(enum hot__value_kind kind)
{
        return kind == HOT__VALUE_U64 ? sizeof(uint64_t) : sizeof(uint32_t);
}

static bool text_is_sound(enum hot__value_kind kind, const uint8_t *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (text[i] == 0)
                        return false;
                if (kind == HOT__VALUE_NAME && (text[i] < ' ' || text[i] > '~' || text[i] == ':'))
                        return false;
        }
        return true;
}

/* What no single field can say. */
static bool frame_is_sound(const struct hot__frame *frame)
{
        switch (frame->type) {
        case HOT__HELLO:
                return frame->lowest <= frame->highest;
        case HOT__OFFER:
                /* Every frame of an offer brings the receiver nearer to its end. */
                return frame->n_items_here <= frame->n_items &&
                       (frame->n_items == 0 || frame->n_items_here > 0);
        default:
                return true;
        }
}

/* The parts of a connection's bytes are not longer than the whole, which is in one place. */
static bool item_is_sound(const struct hot__item *item)
{
        uint64_t whole = item->bulk > 0 ? item->bulk : item->bytes.len;

        return (item->bulk == 0 || item->bytes.len == 0) &&
               (uint64_t)item->input_len + item->output_len <= whole;
}

/* Decoding */

struct bytes {
        const uint8_t *at;
        size_t left;
};

static uint64_t get_number(const uint8_t *at, size_t size)
{
        uint64_t value = 0;

        while (size-- > 0)
                value = value << 8 | at[size];
        return value;
}

/* Take a header and as many bytes as it announces. Frames and fields have the same shape. */
static int get_block(struct bytes *rest, uint16_t *ret_number, struct bytes *ret_value)
{
        uint64_t len;

        if (rest->left < HOT__HEADER_SIZE || get_number(rest->at + 2, 2) != 0)
                return -EPROTO;
        len = get_number(rest->at + 4, 4);
        if (len > rest->left - HOT__HEADER_SIZE)
                return -EPROTO;
        *ret_number = (uint16_t)get_number(rest->at, 2);
        *ret_value = (struct bytes){rest->at + HOT__HEADER_SIZE, (size_t)len};
        rest->at += HOT__HEADER_SIZE + len;
        rest->left -= HOT__HEADER_SIZE + (size_t)len;
        return 0;
}

static int get_value(const struct hot__field *field, struct bytes value, void *base)
{
        uint8_t *member = (uint8_t *)base + field->offset;
        enum hot__value_kind kind = field->kind;
        uint64_t number;
        uint32_t narrow;

        if (kind == HOT__VALUE_BYTES) {
                if (value.left < field->min || value.left > field->max)
                        return -EPROTO;
                memcpy(member, &(struct hot__view){value.at, value.left}, sizeof(struct hot__view));
                return 0;
        }
        if (is_text(kind)) {
                if (value.left < field->min || value.left > field->max ||
                    !text_is_sound(kind, value.at, value.left))
                        return -EPROTO;
                memcpy(member, value.at, value.left);
                member[value.left] = 0;
                return 0;
        }
        if (value.left != number_size(kind))
                return -EPROTO;
        number = get_number(value.at, value.left);
        if (number < field->min || number > field->max)
                return -EPROTO;
        narrow = (uint32_t)number;
        memcpy(member, kind == HOT__VALUE_U64 ? (void *)&number : (void *)&narrow, value.left);
        return 0;
}

static const struct hot__field *find_field(const struct hot__layout *layout, uint16_t tag)
{
        for (size_t i = 0; i < layout->n_fields; i++)
                if (layout->fields[i].tag == tag)
                        return &layout->fields[i];
        return NULL;
}

static bool has_required(const struct hot__layout *layout, uint32_t seen)
{
        for (size_t i = 0; i < layout->n_fields; i++)
                if (layout->fields[i].required && !(seen & UINT32_C(1) << i))
                        return false;
        return true;
}

/* Goes through the fields of a frame or of an item. */
struct reader {
        const struct hot__layout *layout;
        struct bytes rest;
        uint32_t seen;    /* a bit for each field of the layout */
        uint16_t unknown; /* the critical tag that ended the reading with -EOPNOTSUPP */
};

/* Returns 1 with the next field that is known, 0 at the end with all that is required seen. */
static int next_field(struct reader *reader, const struct hot__field **ret_field,
                      struct bytes *ret_value)
{
        const struct hot__field *field;
        uint32_t bit;
        uint16_t tag;
        int r;

        while (reader->rest.left > 0) {
                r = get_block(&reader->rest, &tag, ret_value);
                if (r < 0)
                        return r;
                field = find_field(reader->layout, tag);
                if (!field && tag & HOT__TAG_CRITICAL) {
                        reader->unknown = tag;
                        return -EOPNOTSUPP;
                }
                if (!field)
                        continue;
                bit = UINT32_C(1) << (field - reader->layout->fields);
                if (reader->seen & bit && field->kind != HOT__VALUE_ITEM)
                        return -EPROTO;
                reader->seen |= bit;
                *ret_field = field;
                return 1;
        }
        return has_required(reader->layout, reader->seen) ? 0 : -EPROTO;
}

static int get_item(struct bytes value, struct hot__item *item, uint16_t *ret_unknown)
{
        struct reader reader = {.layout = &hot__layout_of_item, .rest = value};
        const struct hot__field *field;
        int r;

        while ((r = next_field(&reader, &field, &value)) > 0) {
                r = get_value(field, value, item);
                if (r < 0)
                        return r;
        }
        if (r == -EOPNOTSUPP)
                *ret_unknown = reader.unknown;
        return r == 0 && !item_is_sound(item) ? -EPROTO : r;
}

/* Room for the items that the bytes can hold: those too short to be one are not counted. */
static int allocate_items(struct bytes rest, struct hot__item **ret)
{
        struct bytes value;
        struct hot__item *items;
        size_t n = 0;
        uint16_t tag;

        while (get_block(&rest, &tag, &value) == 0)
                if (tag == HOT__TAG_ITEM && value.left >= HOT__ITEM_MIN)
                        n++;
        if (n == 0)
                return 0;
        items = calloc(n, sizeof(*items));
        if (!items)
                return -ENOMEM;
        *ret = items;
        return 0;
}

static int get_frame(const struct hot__layout *layout, struct bytes rest, struct hot__frame *frame,
                     uint16_t *ret_unknown)
{
        struct reader reader = {.layout = layout, .rest = rest};
        const struct hot__field *field;
        struct bytes value;
        int r;

        while ((r = next_field(&reader, &field, &value)) > 0) {
                if (field->kind != HOT__VALUE_ITEM)
                        r = get_value(field, value, frame);
                else if (!frame->items || value.left < field->min)
                        r = -EPROTO; /* none of them, or this one, is long enough to be an item */
                else
                        r = get_item(value, &frame->items[frame->n_items_here++], ret_unknown);
                if (r < 0)
                        return r;
        }
        if (r == -EOPNOTSUPP)
                *ret_unknown = reader.unknown;
        if (r == 0 && !frame_is_sound(frame))
                r = -EPROTO;
        return r;
}

int hot__frame_decode(const void *bytes, size_t len, struct hot__frame *ret)
{
        struct hot__frame frame = {0};
        struct bytes rest = {bytes, len}, body;
        const struct hot__layout *layout;
        uint16_t unknown = 0;
        int r;

        if (len > HOT__FRAME_MAX)
                return -EPROTO;
        r = get_block(&rest, &frame.type, &body);
        if (r < 0 || rest.left > 0)
                return -EPROTO;
        layout = hot__layout_of(frame.type);
        if (!layout)
                r = -EOPNOTSUPP;
        else if (layout->has_items)
                r = allocate_items(body, &frame.items);
        if (r == 0)
                r = get_frame(layout, body, &frame, &unknown);
        if (r < 0)
                hot__frame_done(&frame);
        if (r == -EOPNOTSUPP)
                *ret = (struct hot__frame){.type = frame.type, .tag = unknown};
        else if (r == 0)
                *ret = frame;
        return r;
}

void hot__frame_done(struct hot__frame *frame)
{
        free(frame->items);
        frame->items = NULL;
        frame->n_items_here = 0;
}

/* Encoding. The first error stays; what comes after it writes nothing. */

struct writer {
        uint8_t *at;
        size_t size, len;
        int error;
};

static void fail(struct writer *writer, int error)
{
        if (writer->error == 0)
                writer->error = error;
}

static void put_bytes(struct writer *writer, const void *bytes, size_t len)
{
        if (len > writer->size - writer->len)
                fail(writer, -EMSGSIZE);
        if (writer->error < 0)
                return;
        memcpy(writer->at + writer->len, bytes, len);
        writer->len += len;
}

static void put_number(struct writer *writer, uint64_t value, size_t size)
{
        uint8_t bytes[sizeof(value)];

        for (size_t i = 0; i < size; i++, value >>= 8)
                bytes[i] = (uint8_t)value;
        put_bytes(writer, bytes, size);
}

static void put_header(struct writer *writer, uint16_t number, size_t len)
{
        put_number(writer, number, 2);
        put_number(writer, 0, 2);
        put_number(writer, len, 4);
}

static void put_text(struct writer *writer, const struct hot__field *field, const char *text)
{
        size_t len = strnlen(text, field->max + 1);

        if (len == 0 && !field->required)
                return;
        if (len < field->min || len > field->max ||
            !text_is_sound(field->kind, (const uint8_t *)text, len)) {
                fail(writer, -EINVAL);
                return;
        }
        put_header(writer, field->tag, len);
        put_bytes(writer, text, len);
}

static void put_view(struct writer *writer, const struct hot__field *field,
                     const struct hot__view *view)
{
        if (view->len == 0)
                return;
        put_header(writer, field->tag, view->len);
        put_bytes(writer, view->at, view->len);
}

static void put_value(struct writer *writer, const struct hot__field *field, const void *base)
{
        const uint8_t *member = (const uint8_t *)base + field->offset;
        uint64_t number = 0;
        uint32_t narrow;

        if (is_text(field->kind)) {
                put_text(writer, field, (const char *)member);
                return;
        }
        if (field->kind == HOT__VALUE_BYTES) {
                put_view(writer, field, (const struct hot__view *)(const void *)member);
                return;
        }
        if (field->kind == HOT__VALUE_U64) {
                memcpy(&number, member, sizeof(number));
        } else {
                memcpy(&narrow, member, sizeof(narrow));
                number = narrow;
        }
        if (number == 0 && !field->required)
                return;
        if (number < field->min || number > field->max) {
                fail(writer, -EINVAL);
                return;
        }
        put_header(writer, field->tag, number_size(field->kind));
        put_number(writer, number, number_size(field->kind));
}

static size_t text_size(const char *text, size_t size)
{
        size_t len = strnlen(text, size);

        return len > 0 ? HOT__HEADER_SIZE + len : 0;
}

/* What an item's fields take, without the header of the item itself. */
static size_t item_size(const struct hot__item *item)
{
        size_t n_numbers = 1U + (item->fd > 0) + (item->version > 0) + (item->flags > 0) +
                           (item->input_len > 0) + (item->output_len > 0) + (item->bulk > 0);

        return n_numbers * (HOT__HEADER_SIZE + sizeof(uint32_t)) +
               text_size(item->name, sizeof(item->name)) +
               text_size(item->address, sizeof(item->address)) +
               (item->bytes.len > 0 ? HOT__HEADER_SIZE + item->bytes.len : 0);
}

static void put_items(struct writer *writer, uint16_t tag, const struct hot__item *items,
                      size_t n_items)
{
        for (size_t i = 0; i < n_items; i++) {
                put_header(writer, tag, item_size(&items[i]));
                for (size_t k = 0; k < hot__layout_of_item.n_fields; k++)
                        put_value(writer, &hot__layout_of_item.fields[k], &items[i]);
        }
}

ssize_t hot__frame_encode(const struct hot__frame *frame, void *buffer, size_t size)
{
        const struct hot__layout *layout = hot__layout_of(frame->type);
        struct writer writer = {.at = buffer,
                                .size = size < HOT__FRAME_MAX ? size : HOT__FRAME_MAX};
        struct writer head;

        if (!layout || !frame_is_sound(frame))
                return -EINVAL;
        put_header(&writer, frame->type, 0);
        for (size_t i = 0; i < layout->n_fields; i++) {
                const struct hot__field *field = &layout->fields[i];

                if (field->kind == HOT__VALUE_ITEM)
                        put_items(&writer, field->tag, frame->items, frame->n_items_here);
                else
                        put_value(&writer, field, frame);
        }
        if (writer.error < 0)
                return writer.error;
        head = (struct writer){.at = buffer, .size = HOT__HEADER_SIZE};
        put_header(&head, frame->type, writer.len - HOT__HEADER_SIZE);
        return (ssize_t)writer.len;
}

size_t hot__frame_fits(const struct hot__item *items, size_t n_items)
{
        size_t n, n_fds = 0, left = HOT__FRAME_MAX - OFFER_MAX;

        for (n = 0; n < n_items; n++) {
                size_t size = HOT__HEADER_SIZE + item_size(&items[n]);

                n_fds += (items[n].fd == 0 ? 1U : 0U) + (items[n].bulk > 0 ? 1U : 0U);
                if (size > left || n_fds > HOT__FRAME_FDS)
                        break;
                left -= size;
        }
        return n;
}

int hot__protocol_choose(uint32_t lowest, uint32_t highest)
{
        uint32_t chosen = highest < HOT__PROTOCOL_HIGHEST ? highest : HOT__PROTOCOL_HIGHEST;

        if (chosen < lowest || chosen < HOT__PROTOCOL_LOWEST)
                return -EPROTONOSUPPORT;
        return (int)chosen;
}
