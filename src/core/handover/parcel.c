/* SPDX-License-Identifier: MIT */
#include "parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "fd.h"

/* More than this goes through a sealed memfd: a batch of heads that are half there still fits one frame. */
#define BULKY 4096

static bool is_sound(const struct hot_connection *c)
{
        return c && c->size >= sizeof(*c) && c->kind && hot__dialect_name_is_valid(c->kind) &&
               !(c->flags & ~(unsigned int)HOT_RESUMABLE) && (c->input || !c->input_len) &&
               (c->output || !c->output_len) && (c->state || !c->state_len);
}

static char *append(char *at, const void *bytes, size_t len)
{
        if (len > 0)
                memcpy(at, bytes, len);
        return at + len;
}

int hot__parcel_pack(const struct hot_connection *c, struct hot__parcel **ret)
{
        struct hot__parcel *parcel;
        size_t size;
        char *at;

        if (!is_sound(c))
                return -EINVAL;
        if (!hot__fd_is_open(c->fd))
                return -EBADF;
        if (c->input_len > HOT__BULK_MAX || c->output_len > HOT__BULK_MAX ||
            c->state_len > HOT__BULK_MAX)
                return -E2BIG;
        size = c->input_len + c->output_len + c->state_len;
        if (size > HOT__BULK_MAX)
                return -E2BIG;
        parcel = malloc(sizeof(*parcel) + size + strlen(c->kind) + 1);
        if (!parcel)
                return -ENOMEM;
        *parcel = (struct hot__parcel){
                .fd = c->fd,
                .flags = c->flags,
                .version = c->version,
                .input_len = (uint32_t)c->input_len,
                .output_len = (uint32_t)c->output_len,
                .state_len = (uint32_t)c->state_len,
        };
        at = append(parcel->bytes, c->input, c->input_len);
        at = append(at, c->output, c->output_len);
        at = append(at, c->state, c->state_len);
        append(at, c->kind, strlen(c->kind) + 1);
        *ret = parcel;
        return 0;
}

bool hot__parcel_is_resumable(const struct hot__parcel *parcel)
{
        return parcel->flags & HOT_RESUMABLE && !parcel->input_len && !parcel->output_len;
}

size_t hot__parcel_size(const struct hot__parcel *parcel)
{
        return (size_t)parcel->input_len + parcel->output_len + parcel->state_len;
}

bool hot__parcel_is_bulky(const struct hot__parcel *parcel)
{
        return hot__parcel_size(parcel) > BULKY;
}

static const char *kind_of(const struct hot__parcel *parcel)
{
        return parcel->bytes + hot__parcel_size(parcel);
}

void hot__parcel_describe(const struct hot__parcel *parcel, struct hot_connection *ret)
{
        const char *output = parcel->bytes + parcel->input_len;

        *ret = (struct hot_connection){
                .size = sizeof(*ret),
                .kind = kind_of(parcel),
                .fd = parcel->fd,
                .flags = parcel->flags,
                .input = parcel->bytes,
                .input_len = parcel->input_len,
                .output = output,
                .output_len = parcel->output_len,
                .state = output + parcel->output_len,
                .state_len = parcel->state_len,
                .version = parcel->version,
                .error = parcel->error,
        };
}

void hot__parcel_item(const struct hot__parcel *parcel, struct hot__item *ret)
{
        size_t size = hot__parcel_size(parcel);
        bool bulky = hot__parcel_is_bulky(parcel);

        ret->kind = HOT__ITEM_CONNECTION;
        ret->fd = 0;
        ret->version = parcel->version;
        ret->flags = parcel->flags;
        ret->input_len = parcel->input_len;
        ret->output_len = parcel->output_len;
        ret->bulk = bulky ? (uint32_t)size : 0;
        ret->bytes.at = (const uint8_t *)parcel->bytes;
        ret->bytes.len = bulky ? 0 : size;
        strcpy(ret->name, kind_of(parcel));
        ret->address[0] = '\0';
}

void hot__parcel_free(struct hot__parcel *parcel)
{
        if (!parcel)
                return;
        hot__fd_close(parcel->fd);
        free(parcel);
}

void hot__parcels_add(struct hot__parcels *parcels, struct hot__parcel *parcel)
{
        parcel->next = NULL;
        if (parcels->last)
                parcels->last->next = parcel;
        else
                parcels->first = parcel;
        parcels->last = parcel;
        parcels->n++;
}

struct hot__parcel *hot__parcels_take(struct hot__parcels *parcels)
{
        struct hot__parcel *parcel = parcels->first;

        if (!parcel)
                return NULL;
        parcels->first = parcel->next;
        if (!parcels->first)
                parcels->last = NULL;
        parcels->n--;
        return parcel;
}

void hot__parcels_free(struct hot__parcels *parcels)
{
        struct hot__parcel *parcel;

        while ((parcel = hot__parcels_take(parcels)))
                hot__parcel_free(parcel);
}
