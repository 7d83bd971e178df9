/* SPDX-License-Identifier: MIT */
#include "response.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A value split over reads is put together; one that does not fit is no number of ours. */
static void collect(char *buffer, size_t size, size_t *length, const char *bytes, size_t count)
{
        if (*length >= size || count >= size - *length) {
                *length = size;
                return;
        }
        memcpy(buffer + *length, bytes, count);
        *length += count;
        buffer[*length] = '\0';
}

static int on_field(llhttp_t *parser, const char *at, size_t count)
{
        struct hot__response *response = parser->data;

        collect(response->field, sizeof(response->field), &response->field_len, at, count);
        return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t count)
{
        struct hot__response *response = parser->data;

        collect(response->value, sizeof(response->value), &response->value_len, at, count);
        return 0;
}

static uint64_t number_of(const struct hot__response *response, uint64_t highest)
{
        unsigned long long number;
        char *end;

        if (response->value_len == 0 || response->value_len >= sizeof(response->value) ||
            response->value[0] < '0' || response->value[0] > '9')
                return 0;
        errno = 0;
        number = strtoull(response->value, &end, 10);
        return errno == 0 && *end == '\0' && number <= highest ? number : 0;
}

static int on_value_complete(llhttp_t *parser)
{
        struct hot__response *response = parser->data;

        if (response->field_len < sizeof(response->field)) {
                if (strcasecmp(response->field, "x-generation") == 0)
                        response->identity.number = number_of(response, UINT64_MAX);
                else if (strcasecmp(response->field, "x-pid") == 0)
                        response->identity.pid = (pid_t)number_of(response, INT_MAX);
        }
        response->field_len = response->value_len = 0;
        response->field[0] = response->value[0] = '\0';
        return 0;
}

static bool is_informational(const llhttp_t *parser)
{
        return parser->status_code / 100 == 1;
}

static int on_head_complete(llhttp_t *parser)
{
        struct hot__response *response = parser->data;

        if (is_informational(parser)) {
                response->identity = (struct hot__identity){0};
                return 0;
        }
        response->status = parser->status_code;
        response->head_complete = true;
        return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t count)
{
        struct hot__response *response = parser->data;

        if (response->body)
                response->body(response->body_data, at, count);
        else
                hot__payload_see(response->check, at, count);
        return 0;
}

static int on_complete(llhttp_t *parser)
{
        struct hot__response *response = parser->data;

        if (is_informational(parser))
                return 0;
        response->complete = true;
        response->keep_alive = llhttp_should_keep_alive(parser) != 0;
        response->identity.body_hash = response->check->hash;
        return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_headers_complete = on_head_complete,
        .on_body = on_body,
        .on_message_complete = on_complete,
};

void hot__response_init(struct hot__response *response, struct hot__payload_check *check)
{
        memset(response, 0, sizeof(*response));
        llhttp_init(&response->parser, HTTP_RESPONSE, &settings);
        response->parser.data = response;
        response->check = check;
}

enum hot__response_state hot__response_feed(struct hot__response *response, const char *bytes,
                                            size_t count, size_t *ret_used)
{
        llhttp_errno_t error;

        response->begun |= count > 0;
        error = llhttp_execute(&response->parser, bytes, count);
        *ret_used = count;
        if (response->complete && error == HPE_PAUSED) {
                *ret_used = (size_t)(llhttp_get_error_pos(&response->parser) - bytes);
                return HOT__RESPONSE_COMPLETE;
        }
        return error == HPE_OK ? HOT__RESPONSE_MORE : HOT__RESPONSE_GARBAGE;
}

enum hot__response_state hot__response_finish(struct hot__response *response)
{
        if (response->begun)
                (void)llhttp_finish(&response->parser);
        return response->complete ? HOT__RESPONSE_COMPLETE : HOT__RESPONSE_MORE;
}
