/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/*
 * One table says everything about a setting; both directions walk it. The names are those that nginx,
 * HAProxy and systemd use for the same things, as far as these agree.
 */

#define TCP      HOT__SETTINGS_OF_TCP
#define UDP      HOT__SETTINGS_OF_UDP
#define PATH     HOT__SETTINGS_OF_PATH
#define ABSTRACT HOT__SETTINGS_OF_ABSTRACT

static const struct {
        const char *name;
        unsigned int kinds;
        unsigned int base;      /* of a number; 0 for a text */
        unsigned long min, max; /* of a number; of the length of a text */
} table[HOT__N_SETTINGS] = {
        [HOT__SETTING_BACKLOG] = {"backlog", TCP | PATH | ABSTRACT, 10, 1, INT_MAX},
        [HOT__SETTING_REUSEPORT] = {"reuseport", TCP | UDP, 10, 1, HOT__REUSEPORT_MAX},
        [HOT__SETTING_FASTOPEN] = {"fastopen", TCP, 10, 0, INT_MAX},
        [HOT__SETTING_V6ONLY] = {"v6only", TCP | UDP, 10, 0, 1},
        [HOT__SETTING_DEFER_ACCEPT] = {"defer_accept", TCP, 10, 0, 3600},
        /* The kernel doubles what it is told. */
        [HOT__SETTING_RCVBUF] = {"rcvbuf", TCP | UDP | PATH | ABSTRACT, 10, 1, INT_MAX / 2},
        [HOT__SETTING_SNDBUF] = {"sndbuf", TCP | UDP | PATH | ABSTRACT, 10, 1, INT_MAX / 2},
        [HOT__SETTING_KEEPALIVE] = {"keepalive", TCP, 10, 0, 1},
        [HOT__SETTING_NODELAY] = {"nodelay", TCP, 10, 0, 1},
        [HOT__SETTING_FREEBIND] = {"freebind", TCP | UDP, 10, 0, 1},
        [HOT__SETTING_TRANSPARENT] = {"transparent", TCP | UDP, 10, 0, 1},
        [HOT__SETTING_MODE] = {"mode", PATH, 8, 0, 0777},
        [HOT__SETTING_DEVICE] = {"device", TCP | UDP, 0, 1, IF_NAMESIZE - 1},
        [HOT__SETTING_OWNER] = {"owner", PATH, 0, 1, HOT__SETTING_TEXT_MAX - 1},
        [HOT__SETTING_GROUP] = {"group", PATH, 0, 1, HOT__SETTING_TEXT_MAX - 1},
};

static int find(const char *name, size_t len)
{
        for (int i = 0; i < HOT__N_SETTINGS; i++)
                if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
                        return i;
        return -EINVAL;
}

static int parse_number(const char *text, size_t len, int setting, uint32_t *ret)
{
        unsigned long number = 0, base = table[setting].base;

        if (len == 0)
                return -EINVAL;
        for (size_t i = 0; i < len; i++) {
                if (text[i] < '0' || text[i] >= (char)('0' + base))
                        return -EINVAL;
                number = number * base + (unsigned long)(text[i] - '0');
                if (number > table[setting].max)
                        return -EINVAL;
        }
        if (number < table[setting].min)
                return -EINVAL;
        *ret = (uint32_t)number;
        return 0;
}

static bool may_be_in_text(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
}

static int parse_text(const char *text, size_t len, int setting, char *ret)
{
        if (len < table[setting].min || len > table[setting].max)
                return -EINVAL;
        for (size_t i = 0; i < len; i++)
                if (!may_be_in_text(text[i]))
                        return -EINVAL;
        memcpy(ret, text, len);
        ret[len] = '\0';
        return 0;
}

static int parse_one(const char *text, size_t len, enum hot__settings_of kind,
                     struct hot__settings *settings)
{
        const char *equals = memchr(text, '=', len), *value;
        size_t value_len;
        int setting;

        if (!equals)
                return -EINVAL;
        setting = find(text, (size_t)(equals - text));
        if (setting < 0 || !(table[setting].kinds & kind) || settings->given & 1U << setting)
                return -EINVAL;
        settings->given |= 1U << setting;
        value = equals + 1;
        value_len = len - (size_t)(value - text);
        if (table[setting].base)
                return parse_number(value, value_len, setting, &settings->numbers[setting]);
        return parse_text(value, value_len, setting, settings->texts[setting - HOT__N_NUMBERS]);
}

int hot__settings_parse(const char *text, enum hot__settings_of kind, struct hot__settings *ret)
{
        struct hot__settings settings = {0};

        for (;;) {
                size_t len = strcspn(text, "&");
                int r = parse_one(text, len, kind, &settings);

                if (r < 0)
                        return r;
                if (!text[len])
                        break;
                text += len + 1;
        }
        *ret = settings;
        return 0;
}

/* One setting as text; @mark stands before it. Returns what snprintf(3) does. */
static int print_one(const struct hot__settings *settings, int setting, char mark, char *buffer,
                     size_t size)
{
        const char *name = table[setting].name;

        if (table[setting].base == 0)
                return snprintf(buffer, size, "%c%s=%s", mark, name,
                                settings->texts[setting - HOT__N_NUMBERS]);
        if (table[setting].base == 8)
                return snprintf(buffer, size, "%c%s=%04" PRIo32, mark, name,
                                settings->numbers[setting]);
        return snprintf(buffer, size, "%c%s=%" PRIu32, mark, name, settings->numbers[setting]);
}

int hot__settings_format(const struct hot__settings *settings, uint32_t which, char *buffer,
                         size_t size)
{
        char text[512] = ""; /* all of them at their longest take less */
        size_t n = 0;

        for (int i = 0; i < HOT__N_SETTINGS; i++)
                if (settings->given & which & 1U << i)
                        n += (size_t)print_one(settings, i, n == 0 ? '?' : '&', text + n,
                                               sizeof(text) - n);
        if (n >= size)
                return -ENOSPC;
        memcpy(buffer, text, n + 1);
        return (int)n;
}

bool hot__settings_has(const struct hot__settings *settings, enum hot__setting setting)
{
        return settings->given & 1U << setting;
}

uint32_t hot__settings_number(const struct hot__settings *settings, enum hot__setting setting,
                              uint32_t otherwise)
{
        return hot__settings_has(settings, setting) ? settings->numbers[setting] : otherwise;
}

const char *hot__settings_text(const struct hot__settings *settings, enum hot__setting setting)
{
        return settings->texts[setting - HOT__N_NUMBERS];
}
