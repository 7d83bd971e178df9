/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "head.h"
#include "token.h"

#define METHOD_MAX         32
#define CONTENT_LENGTH_MAX 18 /* digits that fit 63 bits whatever they are */

/* Room for "METHOD " and " HTTP/1.1" around the longest target. */
#define REQUEST_LINE_EXTRA (METHOD_MAX + 12)

struct span {
        const char *at;
        size_t len;
};

static bool span_is(struct span span, const char *lower)
{
        return span.len == strlen(lower) && !strncasecmp(span.at, lower, span.len);
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
        while (span.len && is_blank(*span.at))
                span.at++, span.len--;
        while (span.len && is_blank(span.at[span.len - 1]))
                span.len--;
        return span;
}

/* The method alone is judged before its line is complete: what is no HTTP at all is refused at once. */
static int check_method(const char *at, size_t len)
{
        size_t n = hot__token_length(at, len);

        if (n > METHOD_MAX)
                return 501;
        if (n == len)
                return 0;
        return n > 0 && at[n] == ' ' ? 0 : 400;
}

/* "http://authority", with or without a path behind it. */
static bool is_absolute(struct span target, const char *scheme)
{
        size_t len = strlen(scheme), end = len;

        if (target.len <= len || strncasecmp(target.at, scheme, len) != 0)
                return false;
        while (end < target.len && target.at[end] != '/' && target.at[end] != '?')
                end++;
        return end > len && hot__token_is_authority(target.at + len, end - len);
}

/* "host:port", RFC 9112 section 3.2.3. */
static int check_authority_form(struct span target)
{
        const char *colon = memrchr(target.at, ':', target.len);
        char last = target.at[target.len - 1];

        /* Behind the last colon of an authority that ends with a digit is its port. */
        return colon && last >= '0' && last <= '9' && hot__token_is_authority(target.at, target.len)
                       ? 0
                       : 400;
}

static int check_target(const struct hot__head_limits *limits, struct span method,
                        struct span target)
{
        if (target.len > limits->target)
                return 414;
        if (!hot__token_is_target(target.at, target.len))
                return 400;
        if (span_is(method, "connect"))
                return limits->connect ? check_authority_form(target) : 501; /* this is no proxy */
        if (target.len == 0)
                return 400;
        if (target.at[0] == '/' || is_absolute(target, "http://") ||
            is_absolute(target, "https://"))
                return 0;
        return span_is(target, "*") && span_is(method, "options") ? 0 : 400;
}

static int check_version(struct hot__head *head, struct span version)
{
        if (version.len != 8 || memcmp(version.at, "HTTP/", 5) || version.at[6] != '.' ||
            version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' ||
            version.at[7] > '9')
                return 400;
        if (version.at[5] != '1' || version.at[7] > '1')
                return 505;
        head->http_1_0 = version.at[7] == '0';
        return 0;
}

static int check_request_line(struct hot__head *head, const struct hot__head_limits *limits,
                              struct span line)
{
        const char *end = line.at + line.len;
        struct span method = {line.at, hot__token_length(line.at, line.len)};
        struct span target, version;
        const char *space;
        int r = check_method(line.at, line.len);

        if (r)
                return r;
        if (method.len == line.len)
                return 400;
        target.at = method.at + method.len + 1;
        space = memchr(target.at, ' ', (size_t)(end - target.at));
        if (!space)
                return 400;
        target.len = (size_t)(space - target.at);
        version = (struct span){space + 1, (size_t)(end - space - 1)};
        r = check_version(head, version);
        return r ? r : check_target(limits, method, target);
}

static int check_host(struct hot__head *head, struct span value)
{
        if (head->has_host)
                return 400;
        head->has_host = true;
        return hot__token_is_authority(value.at, value.len) ? 0 : 400;
}

static int check_length(struct hot__head *head, struct span value)
{
        if (head->has_length || value.len == 0)
                return 400;
        head->has_length = true;
        for (size_t i = 0; i < value.len; i++)
                if (value.at[i] < '0' || value.at[i] > '9')
                        return 400;
        return value.len > CONTENT_LENGTH_MAX ? 413 : 0;
}

/* Anything but "chunked" alone: what contains it may be framed differently by the next reader (400), what
 * does not is a coding that we do not have (501, RFC 9112 section 6.1). */
static int check_encoding(struct hot__head *head, struct span value)
{
        if (head->has_encoding || value.len == 0)
                return 400;
        head->has_encoding = true;
        if (span_is(value, "chunked"))
                return 0;
        return value.len >= 7 && !strncasecmp(value.at, "chunked", 7) ? 400 : 501;
}

/* A list of tokens, in any number of fields. */
static int note_connection(struct hot__head *head, struct span value)
{
        while (value.len) {
                const char *comma = memchr(value.at, ',', value.len);
                struct span option = {value.at, comma ? (size_t)(comma - value.at) : value.len};

                value.at += comma ? option.len + 1 : option.len;
                value.len -= comma ? option.len + 1 : option.len;
                option = trim(option);
                if (span_is(option, "close"))
                        head->closes = true;
                else if (span_is(option, "keep-alive"))
                        head->keeps = true;
        }
        return 0;
}

bool hot__head_keeps_alive(const struct hot__head *head)
{
        return !head->closes && (head->keeps || !head->http_1_0);
}

/* RFC 9110 section 6.5.1: what frames or routes a message comes too late behind it. A next reader that took it
 * would see another message than we did. */
static int check_trailer(struct span name)
{
        static const char *const late[] = {
                "content-length", "transfer-encoding", "host", "connection", "expect", "upgrade"};

        for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
                if (span_is(name, late[i]))
                        return 400;
        return 0;
}

static int check_field(struct hot__head *head, struct span name, struct span value)
{
        if (++head->fields > HOT__FIELDS_MAX)
                return 431;
        if (head->trailer)
                return check_trailer(name);
        switch (name.len) {
        case 4:
                return span_is(name, "host") ? check_host(head, value) : 0;
        case 6:
                if (!span_is(name, "expect"))
                        return 0;
                head->expects = true;
                return span_is(value, "100-continue") ? 0 : 417;
        case 10:
                return span_is(name, "connection") ? note_connection(head, value) : 0;
        case 14:
                return span_is(name, "content-length") ? check_length(head, value) : 0;
        case 17:
                return span_is(name, "transfer-encoding") ? check_encoding(head, value) : 0;
        default:
                return 0;
        }
}

/* A line that begins with a space (obs-fold) has an empty name: refused with the other malformed ones. */
static int check_field_line(struct hot__head *head, struct span line)
{
        struct span name = {line.at, hot__token_length(line.at, line.len)};
        struct span value;

        if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
                return 400;
        value = (struct span){line.at + name.len + 1, line.len - name.len - 1};
        if (!hot__value_is_valid(value.at, value.len))
                return 400;
        return check_field(head, name, trim(value));
}

/* The empty line is there: do the fields agree with each other? */
static int check_whole(const struct hot__head *head)
{
        if (head->trailer)
                return HOT__HEAD_COMPLETE;
        if (!head->http_1_0 && !head->has_host)
                return 400;
        if (head->has_encoding && (head->has_length || head->http_1_0))
                return 400;
        return HOT__HEAD_COMPLETE;
}

static int check_line(struct hot__head *head, const struct hot__head_limits *limits,
                      struct span line)
{
        int r;

        if (line.len == 0)
                return head->begun ? check_whole(head) : 0; /* empty lines may come first (2.2) */
        if (head->begun)
                return check_field_line(head, line);
        r = check_request_line(head, limits, line);
        if (r == 0)
                head->begun = true;
        return r;
}

static int check_incomplete(const struct hot__head *head, const struct hot__head_limits *limits,
                            struct span rest, size_t len)
{
        if (!head->begun && rest.len && *rest.at != '\r') {
                int r = check_method(rest.at, rest.len);

                if (r)
                        return r;
        }
        if (!head->begun && rest.len > limits->target + REQUEST_LINE_EXTRA)
                return 414;
        return len >= limits->size ? (head->begun ? 431 : 414) : HOT__HEAD_MORE;
}

int hot__head_scan(struct hot__head *head, const struct hot__head_limits *limits, const char *bytes,
                   size_t len, size_t *ret_len)
{
        const char *newline;

        while ((newline = memchr(bytes + head->looked, '\n', len - head->looked))) {
                struct span line = {bytes + head->line, (size_t)(newline - bytes) - head->line};
                int r;

                head->looked = (size_t)(newline - bytes) + 1;
                head->line = head->looked;
                if (line.len == 0 || line.at[line.len - 1] != '\r')
                        return 400;
                line.len--;
                r = check_line(head, limits, line);
                if (r >= 400)
                        return r;
                if (head->looked > limits->size)
                        return 431;
                if (r == HOT__HEAD_COMPLETE) {
                        *ret_len = head->looked;
                        return r;
                }
        }
        head->looked = len;
        return check_incomplete(head, limits, (struct span){bytes + head->line, len - head->line},
                                len);
}
