/* SPDX-License-Identifier: MIT */
#include "head_parts.h"

#include <errno.h>
#include <string.h>

/* Empty lines may come before a request (RFC 9112 section 2.2). */
static size_t begin_of(const char *bytes, size_t len)
{
        size_t n = 0;

        while (n < len && (bytes[n] == '\r' || bytes[n] == '\n'))
                n++;
        return n;
}

bool hot__head_parts_are_plain(const struct hot__head *head, const char *bytes, size_t len)
{
        static const char *const starts[] = {"GET /", "HEAD /", "OPTIONS /", "DELETE /"};
        size_t begin = begin_of(bytes, len);

        if (head->has_length || head->has_encoding)
                return false;
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
                size_t n = strlen(starts[i]);

                if (len - begin > n && !memcmp(bytes + begin, starts[i], n))
                        return true;
        }
        return false;
}

/* Ends its string, and moves *at behind it. */
static char *take_until(char **at, char *end, char delimiter)
{
        char *begin = *at;
        char *found = memchr(begin, delimiter, (size_t)(end - begin));

        *found = '\0';
        *at = found + 1;
        return begin;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* "name: value", to its CR. */
static struct hot__field take_field(char **at, char *end)
{
        struct hot__field field = {.name = take_until(at, end, ':')};
        char *value = *at;
        char *value_end = memchr(value, '\r', (size_t)(end - value));

        *at = value_end + 2;
        while (is_blank(*value))
                value++;
        while (value_end > value && is_blank(value_end[-1]))
                value_end--;
        *value_end = '\0';
        field.value = value;
        return field;
}

int hot__head_parts_take(const struct hot__head *head, struct hot_http_request *request,
                         char *bytes, size_t len)
{
        char *at = bytes + begin_of(bytes, len);
        char *end = bytes + len - 2; /* the empty line */

        request->method = take_until(&at, end, ' ');
        request->method_len = (size_t)(at - request->method) - 1;
        request->target = take_until(&at, end, ' ');
        (void)take_until(&at, end, '\n');
        while (at < end)
                request->fields[request->n_fields++] = take_field(&at, end);
        request->http_1_0 = head->http_1_0;
        request->keep_alive = hot__head_keeps_alive(head);
        return hot__request_set_path(request);
}
