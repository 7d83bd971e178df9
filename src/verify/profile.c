/* SPDX-License-Identifier: MIT */
#include "profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define MS UINT64_C(1000000)

#define KIND_THAT_IS(kind, timeout_ms, at_once, right)                       \
        .name = (kind), .clients = 1, .depth = (at_once), .status = (right), \
        .timeout = (timeout_ms)*MS, .connect_timeout = 5000 * MS

#define KIND(kind, timeout_ms, at_once) KIND_THAT_IS(kind, timeout_ms, at_once, 200)

static const struct hot__profile kinds[] = {
        {KIND("new", 30000, 1), .path = "/test"},
        {KIND("busy", 30000, 1), .path = "/test", .keep_alive = true},
        {KIND("think", 30000, 1), .path = "/test", .keep_alive = true, .think_highest = 100 * MS},
        {KIND("slow", 60000, 1), .path = "/hello", .keep_alive = true, .patient = true},
        {KIND("upload", 30000, 1), .path = "/echo", .keep_alive = true, .patient = true,
         .body = HOT__BODY_ECHO, .bytes = 4096, .piece = 512, .every = 10 * MS},
        {KIND("download", 30000, 1), .path = "/blob", .keep_alive = true, .patient = true,
         .body = HOT__BODY_PATTERN, .bytes = 1048576, .piece = 65536, .every = 10 * MS},
        {KIND("pipelined", 30000, 4), .path = "/test", .keep_alive = true},
        {KIND("http2", 30000, 4), .path = "/test", .keep_alive = true,
         .protocol = HOT__PROTOCOL_HTTP2},
        {KIND_THAT_IS("websocket", 30000, 4, 101), .path = "/ws", .keep_alive = true,
         .protocol = HOT__PROTOCOL_WEBSOCKET, .bytes = 64},
        {KIND("events", 30000, 1), .path = "/events", .keep_alive = true, .patient = true,
         .protocol = HOT__PROTOCOL_EVENTS},
};

static int parse_number(const char *text, uint64_t lowest, uint64_t highest, uint64_t *ret)
{
        unsigned long long number;
        char *end;

        if (*text < '0' || *text > '9')
                return -EINVAL;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0 || *end != '\0' || number < lowest || number > highest)
                return -EINVAL;
        *ret = number;
        return 0;
}

static int parse_think(char *text, struct hot__profile *profile)
{
        const uint64_t hour = 3600 * 1000;
        char *dash = strchr(text, '-');
        uint64_t lowest, highest;

        if (dash)
                *dash = '\0';
        if (parse_number(text, 0, hour, &lowest) < 0 ||
            parse_number(dash ? dash + 1 : text, lowest, hour, &highest) < 0)
                return -EINVAL;
        profile->think_lowest = lowest * MS;
        profile->think_highest = highest * MS;
        return 0;
}

/* What would break the request line cannot be part of it. */
static int parse_path(const char *text, struct hot__profile *profile)
{
        if (*text != '/' || strlen(text) >= sizeof(profile->path))
                return -EINVAL;
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~')
                        return -EINVAL;
        memcpy(profile->path, text, strlen(text) + 1);
        return 0;
}

static int parse_expect(const char *text, struct hot__profile *profile)
{
        if (strlen(text) >= sizeof(profile->expect))
                return -EINVAL;
        memcpy(profile->expect, text, strlen(text) + 1);
        profile->has_expect = true;
        return 0;
}

static int apply_number(const char *key, uint64_t number, struct hot__profile *profile)
{
        const uint64_t hour = 3600 * 1000;
        bool has_pieces = profile->body != HOT__BODY_ANY;

        if (strcmp(key, "clients") == 0 && number >= 1 && number <= 100000)
                profile->clients = (unsigned int)number;
        else if (strcmp(key, "bytes") == 0 && profile->protocol == HOT__PROTOCOL_WEBSOCKET &&
                 number <= HOT__MESSAGE_SIZE_MAX)
                profile->bytes = number;
        else if (strcmp(key, "bytes") == 0 && has_pieces && number <= UINT64_C(1) << 40)
                profile->bytes = number;
        else if (strcmp(key, "piece") == 0 && has_pieces && number >= 1 && number <= 1 << 30)
                profile->piece = (size_t)number;
        else if (strcmp(key, "every") == 0 && has_pieces && number <= hour)
                profile->every = number * MS;
        else if (strcmp(key, "depth") == 0 && number >= 1 && number <= HOT__DEPTH_MAX)
                profile->depth = (unsigned int)number;
        else if (strcmp(key, "timeout") == 0 && number >= 1 && number <= hour)
                profile->timeout = number * MS;
        else if (strcmp(key, "connect") == 0 && number >= 1 && number <= hour)
                profile->connect_timeout = number * MS;
        else if (strcmp(key, "status") == 0 && number >= 200 && number <= 599)
                profile->status = (int)number;
        else if (strcmp(key, "requests") == 0)
                profile->requests = number;
        else
                return -EINVAL;
        return 0;
}

static int apply(const char *key, char *value, struct hot__profile *profile)
{
        uint64_t number;

        if (strcmp(key, "path") == 0)
                return parse_path(value, profile);
        if (strcmp(key, "think") == 0)
                return parse_think(value, profile);
        if (strcmp(key, "expect") == 0)
                return parse_expect(value, profile);
        if (parse_number(value, 0, UINT64_MAX, &number) < 0)
                return -EINVAL;
        return apply_number(key, number, profile);
}

/* Numbers that mean something alone and nothing together. */
static int check(struct hot__profile *profile)
{
        char query[32];
        int length;

        if (profile->depth > 1 && profile->protocol == HOT__PROTOCOL_EVENTS)
                return -EINVAL;
        if (profile->depth > 1 && (!profile->keep_alive || profile->body != HOT__BODY_ANY))
                return -EINVAL;
        if (profile->body != HOT__BODY_PATTERN || strchr(profile->path, '?'))
                return 0;
        length = snprintf(query, sizeof(query), "?bytes=%" PRIu64, profile->bytes);
        if (strlen(profile->path) + (size_t)length >= sizeof(profile->path))
                return -EINVAL;
        memcpy(profile->path + strlen(profile->path), query, (size_t)length + 1);
        return 0;
}

static const struct hot__profile *find_kind(const char *name)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (strcmp(kinds[i].name, name) == 0)
                        return &kinds[i];
        return NULL;
}

int hot__profile_parse(const char *text, struct hot__profile *ret)
{
        char copy[1024], *rest = copy, *name, *pair, *value;
        const struct hot__profile *kind;
        struct hot__profile profile;
        int r;

        if (strlen(text) >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, strlen(text) + 1);
        name = strsep(&rest, ":");
        kind = find_kind(name);
        if (!kind)
                return -EINVAL;
        profile = *kind;
        while (rest && (pair = strsep(&rest, ","))) {
                value = strchr(pair, '=');
                if (!value)
                        return -EINVAL;
                *value++ = '\0';
                if (apply(pair, value, &profile) < 0)
                        return -EINVAL;
        }
        r = check(&profile);
        if (r < 0)
                return r;
        *ret = profile;
        return 0;
}

bool hot__profile_is_plain(const struct hot__profile *profile)
{
        return profile->body == HOT__BODY_ANY && !profile->patient &&
               profile->protocol == HOT__PROTOCOL_HTTP1;
}

bool hot__profile_is_slow(const struct hot__profile *profile)
{
        return profile->patient && profile->body == HOT__BODY_ANY &&
               profile->protocol == HOT__PROTOCOL_HTTP1;
}

bool hot__profile_reads_slowly(const struct hot__profile *profile)
{
        return profile->body == HOT__BODY_PATTERN && profile->piece > 0;
}

int hot__profile_head(const struct hot__profile *profile, const char *host, char *buffer,
                      size_t size)
{
        char length_field[64] = "";
        int length;

        if (profile->body == HOT__BODY_ECHO)
                snprintf(length_field, sizeof(length_field), "Content-Length: %" PRIu64 "\r\n",
                         profile->bytes);
        length = snprintf(buffer, size, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n",
                          profile->body == HOT__BODY_ECHO ? "POST" : "GET", profile->path, host,
                          profile->keep_alive ? "" : "Connection: close\r\n", length_field);
        if (length < 0 || (size_t)length * profile->depth >= size)
                return -ENOSPC;
        for (unsigned int i = 1; i < profile->depth; i++)
                memmove(buffer + (size_t)length * i, buffer, (size_t)length);
        return length;
}
