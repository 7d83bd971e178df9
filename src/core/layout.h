/* SPDX-License-Identifier: MIT */
#ifndef HOT_LAYOUT_H
#define HOT_LAYOUT_H

/*
 * Which fields each frame has, and each item: the tables that the encoder and the decoder of wire.c walk. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame and each field in it begin with {number u16, zero u16, length u32}. */
#define HOT__HEADER_SIZE 8

/* An item with a name of one byte and nothing that is optional. */
#define HOT__ITEM_MIN (HOT__HEADER_SIZE + 4 + HOT__HEADER_SIZE + 1)

enum hot__value_kind {
        HOT__VALUE_U32,
        HOT__VALUE_U64,
        HOT__VALUE_NAME,  /* printable ASCII without ':', as LISTEN_FDNAMES can carry it */
        HOT__VALUE_TEXT,  /* any bytes but NUL: a UNIX path may have all of them */
        HOT__VALUE_BYTES, /* any bytes; they stay where they are: struct hot__view */
        HOT__VALUE_ITEM,  /* fields of its own; may be repeated */
};

struct hot__field {
        uint16_t tag;
        uint8_t kind;      /* enum hot__value_kind */
        bool required;     /* else left out when zero or empty */
        size_t offset;     /* of the member in struct hot__frame or struct hot__item */
        uint64_t min, max; /* of a number; of the length of anything else */
};

struct hot__layout {
        const struct hot__field *fields;
        size_t n_fields;
        bool has_items;
};

/* Of a type of frame, or NULL for one that is not known. */
const struct hot__layout *hot__layout_of(uint16_t type);

/* Of an item. */
extern const struct hot__layout hot__layout_of_item;

#endif
