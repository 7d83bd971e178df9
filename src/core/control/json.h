/* SPDX-License-Identifier: MIT */
#ifndef HOT_JSON_H
#define HOT_JSON_H

/*
 * A JSON writer: values in, one line of text out. Pure.
 *
 * Commas and quotes are its business; that every begin has its end is the caller's. Text that is no UTF-8
 * (a path, what a program printed) comes out with U+FFFD in the place of each wrong byte, control
 * characters escaped: whatever goes in, what comes out is JSON (RFC 8259) without a newline.
 *
 * Memory that cannot be had is noted and asked for once, at the end: hot__json_line().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How deep objects and arrays may nest. */
#define HOT__JSON_DEPTH 8

struct hot__json {
        char *text; /* owned; not terminated */
        size_t len, size;
        unsigned int depth;
        bool filled[HOT__JSON_DEPTH + 1]; /* has the level a value already? */
        bool failed;
};

/* Starts from struct hot__json json = {0}. May be called again. */
void hot__json_done(struct hot__json *json);

/* @key is the member's name in an object; NULL in an array, and for the outermost value. */
void hot__json_begin_object(struct hot__json *json, const char *key);
void hot__json_end_object(struct hot__json *json);
void hot__json_begin_array(struct hot__json *json, const char *key);
void hot__json_end_array(struct hot__json *json);

void hot__json_string(struct hot__json *json, const char *key, const char *value);
void hot__json_bytes(struct hot__json *json, const char *key, const char *bytes, size_t len);
void hot__json_integer(struct hot__json *json, const char *key, int64_t value);
void hot__json_unsigned(struct hot__json *json, const char *key, uint64_t value);
void hot__json_boolean(struct hot__json *json, const char *key, bool value);
void hot__json_null(struct hot__json *json, const char *key);

/* A value that is JSON already, of another writer; it must be one. */
void hot__json_verbatim(struct hot__json *json, const char *key, const char *text, size_t len);

/* End the line: a newline behind the outermost value. Returns 0, or -ENOMEM if any of it was lost. */
int hot__json_line(struct hot__json *json);

#endif
