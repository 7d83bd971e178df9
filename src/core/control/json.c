/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct hot__json *json, size_t more)
{
        size_t size = json->size ? json->size : 256;
        char *text;

        if (json->failed)
                return false;
        if (json->size - json->len >= more)
                return true;
        while (size - json->len < more)
                size *= 2;
        text = realloc(json->text, size);
        if (!text) {
                json->failed = true;
                return false;
        }
        json->text = text;
        json->size = size;
        return true;
}

static void append(struct hot__json *json, const char *bytes, size_t len)
{
        if (!make_room(json, len))
                return;
        memcpy(json->text + json->len, bytes, len);
        json->len += len;
}

static void append_text(struct hot__json *json, const char *text)
{
        append(json, text, strlen(text));
}

void hot__json_done(struct hot__json *json)
{
        free(json->text);
        *json = (struct hot__json){0};
}

/*
 * How many bytes make the character at @at, or 0 if it is none: overlong forms, surrogates and what is
 * above U+10FFFF are none (RFC 3629, the table in section 4).
 */
static size_t character_len(const unsigned char *at, size_t left)
{
        unsigned char first = at[0], lowest = 0x80, highest = 0xbf;
        size_t len;

        if (first < 0x80)
                return 1;
        if (first < 0xc2 || first > 0xf4)
                return 0;
        len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (first == 0xe0)
                lowest = 0xa0;
        else if (first == 0xed)
                highest = 0x9f;
        else if (first == 0xf0)
                lowest = 0x90;
        else if (first == 0xf4)
                highest = 0x8f;
        if (left < len || at[1] < lowest || at[1] > highest)
                return 0;
        for (size_t i = 2; i < len; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        return len;
}

static void append_character(struct hot__json *json, const char *at, size_t len)
{
        char escaped[8];

        if (len == 0 || *at == 0) {
                append_text(json, "\xef\xbf\xbd"); /* U+FFFD */
        } else if (*at == '"' || *at == '\\') {
                append(json, "\\", 1);
                append(json, at, 1);
        } else if (*at == '\n') {
                append(json, "\\n", 2);
        } else if (*at == '\t') {
                append(json, "\\t", 2);
        } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
                snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned int)*at);
                append_text(json, escaped);
        } else {
                append(json, at, len);
        }
}

static void append_quoted(struct hot__json *json, const char *bytes, size_t len)
{
        append(json, "\"", 1);
        for (size_t i = 0; i < len;) {
                size_t n = character_len((const unsigned char *)bytes + i, len - i);

                append_character(json, bytes + i, n);
                i += n ? n : 1;
        }
        append(json, "\"", 1);
}

/* What stands before a value: a comma, and its name. */
static void lead(struct hot__json *json, const char *key)
{
        if (json->filled[json->depth])
                append(json, ",", 1);
        json->filled[json->depth] = true;
        if (key) {
                append_quoted(json, key, strlen(key));
                append(json, ":", 1);
        }
}

static void begin(struct hot__json *json, const char *key, const char *bracket)
{
        lead(json, key);
        append_text(json, bracket);
        assert(json->depth < HOT__JSON_DEPTH);
        json->depth++;
        json->filled[json->depth] = false;
}

static void end(struct hot__json *json, const char *bracket)
{
        assert(json->depth > 0);
        json->depth--;
        append_text(json, bracket);
}

void hot__json_begin_object(struct hot__json *json, const char *key)
{
        begin(json, key, "{");
}

void hot__json_end_object(struct hot__json *json)
{
        end(json, "}");
}

void hot__json_begin_array(struct hot__json *json, const char *key)
{
        begin(json, key, "[");
}

void hot__json_end_array(struct hot__json *json)
{
        end(json, "]");
}

void hot__json_bytes(struct hot__json *json, const char *key, const char *bytes, size_t len)
{
        lead(json, key);
        append_quoted(json, bytes, len);
}

void hot__json_string(struct hot__json *json, const char *key, const char *value)
{
        hot__json_bytes(json, key, value, strlen(value));
}

void hot__json_integer(struct hot__json *json, const char *key, int64_t value)
{
        char digits[24];

        snprintf(digits, sizeof(digits), "%" PRId64, value);
        lead(json, key);
        append_text(json, digits);
}

void hot__json_unsigned(struct hot__json *json, const char *key, uint64_t value)
{
        char digits[24];

        snprintf(digits, sizeof(digits), "%" PRIu64, value);
        lead(json, key);
        append_text(json, digits);
}

void hot__json_boolean(struct hot__json *json, const char *key, bool value)
{
        lead(json, key);
        append_text(json, value ? "true" : "false");
}

void hot__json_null(struct hot__json *json, const char *key)
{
        lead(json, key);
        append_text(json, "null");
}

void hot__json_verbatim(struct hot__json *json, const char *key, const char *text, size_t len)
{
        lead(json, key);
        append(json, text, len);
}

int hot__json_line(struct hot__json *json)
{
        assert(json->depth == 0);
        append(json, "\n", 1);
        return json->failed ? -ENOMEM : 0;
}
