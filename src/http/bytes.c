/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define BYTES_SMALLEST 256

int hot__bytes_reserve(struct hot__bytes *bytes, size_t more)
{
        size_t size = bytes->size ? bytes->size : BYTES_SMALLEST;
        char *data;

        if (bytes->failed || more > SIZE_MAX / 2 - bytes->len) {
                bytes->failed = true;
                return -ENOMEM;
        }
        if (bytes->len + more <= bytes->size)
                return 0;
        while (size < bytes->len + more)
                size *= 2;
        data = realloc(bytes->data, size);
        if (!data) {
                bytes->failed = true;
                return -ENOMEM;
        }
        bytes->data = data;
        bytes->size = size;
        return 0;
}

int hot__bytes_append(struct hot__bytes *bytes, const void *data, size_t len)
{
        int r = hot__bytes_reserve(bytes, len);

        if (r < 0)
                return r;
        if (len)
                hot__bytes_put(bytes, data, len);
        return 0;
}

int hot__bytes_append_string(struct hot__bytes *bytes, const char *string)
{
        return hot__bytes_append(bytes, string, strlen(string));
}

void hot__bytes_put_number(struct hot__bytes *bytes, unsigned long long number)
{
        char digits[HOT__NUMBER_MAX];
        size_t at = sizeof(digits);

        do
                digits[--at] = (char)('0' + number % 10);
        while (number /= 10);
        hot__bytes_put(bytes, digits + at, sizeof(digits) - at);
}

int hot__bytes_append_number(struct hot__bytes *bytes, unsigned long long number)
{
        int r = hot__bytes_reserve(bytes, HOT__NUMBER_MAX);

        if (r == 0)
                hot__bytes_put_number(bytes, number);
        return r;
}

void hot__bytes_clear(struct hot__bytes *bytes, size_t keep)
{
        if (bytes->size > keep)
                hot__bytes_done(bytes);
        bytes->len = 0;
        bytes->failed = false;
}

void hot__bytes_done(struct hot__bytes *bytes)
{
        free(bytes->data);
        *bytes = (struct hot__bytes){0};
}
