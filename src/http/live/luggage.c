/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "luggage.h"

#define FIRST_SIZE 1024
#define STATE_MAX  (16 << 20)
#define TRIES      4

#define ITEM_HEAD 8

enum tag {
        TAG_HEAD = 1,
        TAG_STATE = 2,
        TAG_TRAILERS = 3,
        TAG_ID = 4,
        TAG_VERSION = 5,
        TAG_FLAGS = 6,
        TAG_STATUS = 7,
        TAG_SENT = 8,
        TAG_REMAINING = 9,
        TAG_BEGAN = 10,
};

static void put(unsigned char *bytes, uint64_t number, size_t len)
{
        for (size_t i = 0; i < len; i++)
                bytes[i] = (unsigned char)(number >> 8 * i);
}

static uint64_t get(const unsigned char *bytes, size_t len)
{
        uint64_t number = 0;

        for (size_t i = 0; i < len; i++)
                number |= (uint64_t)bytes[i] << 8 * i;
        return number;
}

static void pack_bytes(struct hot__bytes *ret, enum tag tag, const void *bytes, size_t len)
{
        unsigned char head[ITEM_HEAD];

        if (!len)
                return;
        put(head, tag, 4);
        put(head + 4, len, 4);
        hot__bytes_append(ret, head, sizeof(head));
        hot__bytes_append(ret, bytes, len);
}

static void pack_number(struct hot__bytes *ret, enum tag tag, uint64_t number)
{
        unsigned char bytes[8];

        put(bytes, number, sizeof(bytes));
        if (number)
                pack_bytes(ret, tag, bytes, sizeof(bytes));
}

int hot__luggage_pack(const struct hot__luggage *luggage, struct hot__bytes *ret)
{
        pack_bytes(ret, TAG_HEAD, luggage->head, luggage->head_len);
        pack_bytes(ret, TAG_STATE, luggage->state, luggage->state_len);
        pack_bytes(ret, TAG_TRAILERS, luggage->trailers, luggage->trailers_len);
        pack_bytes(ret, TAG_ID, luggage->id, luggage->id_len);
        pack_number(ret, TAG_VERSION, luggage->version);
        pack_number(ret, TAG_FLAGS, luggage->flags);
        pack_number(ret, TAG_STATUS, luggage->status);
        pack_number(ret, TAG_SENT, luggage->sent);
        pack_number(ret, TAG_REMAINING, (uint64_t)luggage->remaining + 1);
        pack_number(ret, TAG_BEGAN, luggage->began);
        return ret->failed ? -ENOMEM : 0;
}

/* Returns false if it is none of these. */
static bool take_bytes(struct hot__luggage *luggage, uint64_t tag, const unsigned char *at,
                       size_t len)
{
        switch (tag) {
        case TAG_HEAD:
                luggage->head = (const char *)at;
                luggage->head_len = len;
                return true;
        case TAG_STATE:
                luggage->state = at;
                luggage->state_len = len;
                return true;
        case TAG_TRAILERS:
                luggage->trailers = (const char *)at;
                luggage->trailers_len = len;
                return true;
        case TAG_ID:
                luggage->id = (const char *)at;
                luggage->id_len = len;
                return true;
        default:
                return false;
        }
}

static uint64_t *number_of(struct hot__luggage *luggage, uint64_t tag)
{
        switch (tag) {
        case TAG_VERSION:
                return &luggage->version;
        case TAG_FLAGS:
                return &luggage->flags;
        case TAG_STATUS:
                return &luggage->status;
        case TAG_SENT:
                return &luggage->sent;
        case TAG_BEGAN:
                return &luggage->began;
        default:
                return NULL;
        }
}

static int take_number(struct hot__luggage *luggage, uint64_t tag, const unsigned char *at,
                       size_t len)
{
        uint64_t *number = number_of(luggage, tag);

        if (!number && tag != TAG_REMAINING)
                return 0;
        if (len != 8)
                return -EPROTO;
        if (number)
                *number = get(at, 8);
        else if (get(at, 8) > (uint64_t)INT64_MAX)
                return -EPROTO;
        else
                luggage->remaining = (int64_t)get(at, 8) - 1;
        return 0;
}

int hot__luggage_unpack(struct hot__luggage *ret, const void *bytes, size_t len)
{
        struct hot__luggage luggage = {.remaining = -1};
        const unsigned char *at = bytes;

        while (len) {
                uint64_t tag, item;

                if (len < ITEM_HEAD)
                        return -EPROTO;
                tag = get(at, 4);
                item = get(at + 4, 4);
                at += ITEM_HEAD;
                len -= ITEM_HEAD;
                if (item > len)
                        return -EPROTO;
                if (!take_bytes(&luggage, tag, at, item) &&
                    take_number(&luggage, tag, at, item) < 0)
                        return -EPROTO;
                at += item;
                len -= item;
        }
        *ret = luggage;
        return 0;
}

int hot__luggage_save(hot__saver *saver, void *about, struct hot__bytes *ret)
{
        size_t size = FIRST_SIZE;

        for (int i = 0; i < TRIES && size <= STATE_MAX; i++) {
                ssize_t n;

                if (hot__bytes_reserve(ret, size) < 0)
                        return -ENOMEM;
                n = saver(about, ret->data + ret->len, size);
                if (n < 0)
                        return (int)n;
                if ((size_t)n <= size) {
                        ret->len += (size_t)n;
                        return 0;
                }
                size = (size_t)n;
        }
        return -E2BIG;
}
