/* SPDX-License-Identifier: MIT */
#ifndef HOT_SETTINGS_H
#define HOT_SETTINGS_H

/*
 * Settings: what an address says about its listener beside where it is ("?backlog=64&reuseport=4").
 * Pure: text in and out. tuning.h applies them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hot__setting {
        HOT__SETTING_BACKLOG,      /* of listen(2) */
        HOT__SETTING_REUSEPORT,    /* members of the SO_REUSEPORT group */
        HOT__SETTING_FASTOPEN,     /* TCP_FASTOPEN: requests that may wait for their handshake */
        HOT__SETTING_V6ONLY,       /* IPV6_V6ONLY */
        HOT__SETTING_DEFER_ACCEPT, /* TCP_DEFER_ACCEPT, seconds */
        HOT__SETTING_RCVBUF,       /* bytes, as socket(7) counts them */
        HOT__SETTING_SNDBUF,
        HOT__SETTING_KEEPALIVE, /* of the accepted connections, which inherit it */
        HOT__SETTING_NODELAY,
        HOT__SETTING_FREEBIND,
        HOT__SETTING_TRANSPARENT,
        HOT__SETTING_MODE, /* of a UNIX path */
        HOT__N_NUMBERS,
        HOT__SETTING_DEVICE = HOT__N_NUMBERS, /* SO_BINDTODEVICE */
        HOT__SETTING_OWNER,                   /* of a UNIX path: a name or a number */
        HOT__SETTING_GROUP,
        HOT__N_SETTINGS,
};

/* An interface has at most 15 letters, a user 32. */
#define HOT__SETTING_TEXT_MAX 33

/* More members than any machine has processors for. */
#define HOT__REUSEPORT_MAX 1024

struct hot__settings {
        uint32_t given; /* a bit for each enum hot__setting */
        uint32_t numbers[HOT__N_NUMBERS];
        char texts[HOT__N_SETTINGS - HOT__N_NUMBERS][HOT__SETTING_TEXT_MAX];
};

/* Which of them an address may have. */
enum hot__settings_of {
        HOT__SETTINGS_OF_TCP = 1,
        HOT__SETTINGS_OF_UDP = 2,
        HOT__SETTINGS_OF_PATH = 4,
        HOT__SETTINGS_OF_ABSTRACT = 8,
};

/*
 * Parse "name=value&name=value". A name that is unknown, given twice or of another kind of address is
 * refused: what somebody asks for is done or said to be impossible. Returns 0 or -EINVAL; @ret is
 * untouched on failure.
 */
int hot__settings_parse(const char *text, enum hot__settings_of kind, struct hot__settings *ret);

/*
 * Print those of @which (bits) that are given, in normal form and in the order of the enum, with the
 * leading '?'; nothing if none is. Returns the length or -ENOSPC.
 */
int hot__settings_format(const struct hot__settings *settings, uint32_t which, char *buffer,
                         size_t size);

bool hot__settings_has(const struct hot__settings *settings, enum hot__setting setting);

/* A number, or @otherwise where it is not given. */
uint32_t hot__settings_number(const struct hot__settings *settings, enum hot__setting setting,
                              uint32_t otherwise);

/* A text, "" where it is not given. */
const char *hot__settings_text(const struct hot__settings *settings, enum hot__setting setting);

#endif
