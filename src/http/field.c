/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "field.h"
#include "token.h"

bool hot__field_is_sendable(const char *name, const char *value)
{
        static const char *const decided[] = {"connection", "content-length", "date", "keep-alive",
                                              "transfer-encoding"};

        if (!name || !value || !*name || hot__token_length(name, strlen(name)) != strlen(name) ||
            !hot__value_is_valid(value, strlen(value)))
                return false;
        for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++)
                if (!strcasecmp(name, decided[i]))
                        return false;
        return true;
}

bool hot__field_is_trailer(const char *name)
{
        static const char *const early[] = {"host",    "content-type",  "content-encoding",
                                            "trailer", "cache-control", "content-range",
                                            "te",      "authorization", "set-cookie"};

        for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++)
                if (!strcasecmp(name, early[i]))
                        return false;
        return true;
}

int hot__field_append(struct hot__bytes *bytes, const char *name, const char *value)
{
        hot__bytes_append_string(bytes, name);
        hot__bytes_append_string(bytes, ": ");
        hot__bytes_append_string(bytes, value);
        return hot__bytes_append_string(bytes, "\r\n");
}
