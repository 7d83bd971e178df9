/* SPDX-License-Identifier: MIT */
#ifndef TEST_FRAME_BYTES_H
#define TEST_FRAME_BYTES_H

/*
 * Frames as hexadecimal text, so that a case can be read beside docs/design/protocol.md; and compared.
 */
#include <stdint.h>
#include <string.h>

#include "fdcheck.h"
#include "wire.h"

struct frame_bytes {
        uint8_t at[HOT__FRAME_MAX + 1024];
        size_t len;
};

static int digit(char c)
{
        const char *digits = "0123456789abcdef";
        const char *found = c ? strchr(digits, c) : NULL;

        return found ? (int)(found - digits) : -1;
}

/* Text to bytes. Blanks part, a '#' begins a comment. */
static void put_hex(struct frame_bytes *bytes, const char *text)
{
        while (*text) {
                if (*text == '#') {
                        text += strcspn(text, "\n");
                } else if (digit(text[0]) < 0) {
                        assert_non_null(strchr(" \n", *text));
                        text++;
                } else {
                        assert_true(digit(text[1]) >= 0);
                        assert_true(bytes->len < sizeof(bytes->at));
                        bytes->at[bytes->len++] = (uint8_t)(digit(text[0]) * 16 + digit(text[1]));
                        text += 2;
                }
        }
}

static void assert_same_frame(const struct hot__frame *a, const struct hot__frame *b)
{
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->lowest, b->lowest);
        assert_int_equal(a->highest, b->highest);
        assert_string_equal(a->version, b->version);
        assert_int_equal(a->protocol, b->protocol);
        assert_int_equal(a->generation, b->generation);
        assert_int_equal(a->n_items, b->n_items);
        assert_int_equal(a->error, b->error);
        assert_int_equal(a->tag, b->tag);
        assert_int_equal(a->pid, b->pid);
        assert_int_equal(a->batch, b->batch);
        assert_int_equal(a->room, b->room);
        assert_string_equal(a->text, b->text);
        assert_int_equal(a->n_items_here, b->n_items_here);
        for (size_t i = 0; i < a->n_items_here; i++) {
                assert_int_equal(a->items[i].kind, b->items[i].kind);
                assert_int_equal(a->items[i].fd, b->items[i].fd);
                assert_int_equal(a->items[i].version, b->items[i].version);
                assert_int_equal(a->items[i].flags, b->items[i].flags);
                assert_int_equal(a->items[i].input_len, b->items[i].input_len);
                assert_int_equal(a->items[i].output_len, b->items[i].output_len);
                assert_int_equal(a->items[i].bulk, b->items[i].bulk);
                assert_int_equal(a->items[i].bytes.len, b->items[i].bytes.len);
                if (a->items[i].bytes.len > 0)
                        assert_memory_equal(a->items[i].bytes.at, b->items[i].bytes.at,
                                            a->items[i].bytes.len);
                assert_string_equal(a->items[i].name, b->items[i].name);
                assert_string_equal(a->items[i].address, b->items[i].address);
        }
}

#endif
