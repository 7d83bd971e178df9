/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "head.h"
#include "parser.h"

/*
 * A body in chunks may be mostly chunk sizes and extensions. That costs us time and the sender hardly
 * anything: allow so much beside the content and no more.
 */
#define FRAMING_ALLOWED  16384
#define FRAMING_PER_BYTE 16

static const struct hot__head_limits trailer_limits = {.size = 8192};

/* llhttp gives const pointers into the buffer that the caller gave us to change. */
static char *in_head(const struct hot__parser *parser, const char *at)
{
        return parser->base + (at - parser->base);
}

static int on_url(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;
        char *target = in_head(parser, at);

        target[len] = '\0';
        parser->request->target = target;
        return hot__request_set_path(parser->request) < 0 ? HPE_USER : 0;
}

static int on_method(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;

        parser->request->method = in_head(parser, at);
        parser->request->method_len = len;
        return 0;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;
        struct hot_http_request *request = parser->request;
        char *name = in_head(parser, at);

        if (request->n_fields == HOT__FIELDS_MAX) {
                parser->refused = 431;
                return HPE_USER;
        }
        name[len] = '\0';
        request->fields[request->n_fields++] = (struct hot__field){name, ""};
        return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;
        char *value = in_head(parser, at);

        if (len == 0)
                return 0; /* an empty value stands where the next line begins: nothing to end there */
        while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
                len--;
        /* What it overwrites, a space or the CR, llhttp has already gone past. */
        value[len] = '\0';
        parser->request->fields[parser->request->n_fields - 1].value = value;
        return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
        struct hot__parser *parser = llhttp->data;

        llhttp->upgrade = 0; /* no upgrade is offered: the request is an ordinary one */
        parser->request->keep_alive = llhttp_should_keep_alive(llhttp);
        return 0;
}

/* The size alone says whether the chunk will be too much: do not wait for its bytes. */
static int on_chunk_header(llhttp_t *llhttp)
{
        struct hot__parser *parser = llhttp->data;

        if (llhttp->content_length == 0) {
                parser->in_trailer = true;
                parser->trailer = (struct hot__head){
                        .begun = true,
                        .trailer = true,
                        .fields = (unsigned int)parser->request->n_fields,
                };
                return HPE_PAUSED;
        }
        if (llhttp->content_length > parser->body_limit - parser->content) {
                parser->refused = 413;
                return HPE_USER;
        }
        return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;
        struct hot_http_request *request = parser->request;
        int r;

        if (len > parser->body_limit - parser->content) {
                parser->refused = 413;
                return HPE_USER;
        }
        parser->content += len;
        r = request->stream.streamed ? hot__body_put(&request->stream, at, len)
                                     : hot__bytes_append(&request->body, at, len);
        if (r < 0) {
                parser->refused = 503;
                return HPE_USER;
        }
        return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
        struct hot__parser *parser = llhttp->data;

        parser->complete = true;
        return HPE_PAUSED; /* what follows is the next request */
}

static const llhttp_settings_t settings = {
        .on_url = on_url,
        .on_method = on_method,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete,
        .on_chunk_header = on_chunk_header,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
};

/* A method that head.c found to be a word and llhttp does not know is not implemented; the rest of what
 * llhttp minds is malformed. */
static int status_of(const struct hot__parser *parser, llhttp_errno_t error)
{
        if (parser->complete)
                return HOT__PARSED_COMPLETE;
        if (error == HPE_OK)
                return HOT__PARSED_MORE;
        if (parser->refused)
                return parser->refused;
        if (error == HPE_INVALID_METHOD || error == HPE_INVALID_CONSTANT)
                return 501;
        return 400;
}

int hot__parser_head(struct hot__parser *parser, struct hot_http_request *request,
                     size_t body_limit, char *bytes, size_t len)
{
        llhttp_errno_t error;
        int r;

        *parser = (struct hot__parser){.request = request, .base = bytes, .body_limit = body_limit};
        llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
        parser->llhttp.data = parser;
        error = llhttp_execute(&parser->llhttp, bytes, len);
        request->http_1_0 = llhttp_get_http_minor(&parser->llhttp) == 0;
        if (request->method)
                request->method[request->method_len] = '\0';
        r = status_of(parser, error);
        if (r == HOT__PARSED_MORE && hot__parser_limit(parser, body_limit))
                return 413;
        return r;
}

int hot__parser_limit(struct hot__parser *parser, size_t body_limit)
{
        const llhttp_t *llhttp = &parser->llhttp;

        parser->body_limit = body_limit;
        return llhttp->flags & F_CONTENT_LENGTH && llhttp->content_length > body_limit ? 413 : 0;
}

/* The fields of a complete trailer section, which lies in .trailers: a name, a colon, a value, CRLF. */
static void take_trailers(struct hot_http_request *request)
{
        char *at = request->trailers.data;
        char *end = at + request->trailers.len - 2;

        while (at < end) {
                char *colon = memchr(at, ':', (size_t)(end - at));
                char *value = colon + 1;
                char *line_end = memchr(value, '\r', (size_t)(end - value));
                char *value_end = line_end;

                *colon = '\0';
                value += strspn(value, " \t");
                while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
                        value_end--;
                *value_end = '\0';
                request->fields[request->n_fields + request->n_trailers++] =
                        (struct hot__field){at, value};
                at = line_end + 2;
        }
}

/* It may come in any pieces, of which the lines that are complete have been judged already. */
static int parse_trailer(struct hot__parser *parser, const char *bytes, size_t len,
                         size_t *ret_used)
{
        struct hot__bytes *trailers = &parser->request->trailers;
        size_t before = trailers->len, end;
        int r;

        *ret_used = len;
        if (len == 0)
                return HOT__PARSED_MORE;
        if (hot__bytes_append(trailers, bytes, len) < 0)
                return 503;
        r = hot__head_scan(&parser->trailer, &trailer_limits, trailers->data, trailers->len, &end);
        if (r != HOT__HEAD_COMPLETE)
                return r == HOT__HEAD_MORE ? HOT__PARSED_MORE : r;
        *ret_used = end - before;
        trailers->len = end;
        take_trailers(parser->request);
        parser->complete = true;
        return HOT__PARSED_COMPLETE;
}

int hot__parser_body(struct hot__parser *parser, const char *bytes, size_t len, size_t *ret_used)
{
        size_t before = parser->content;
        size_t used = 0;
        llhttp_errno_t error;
        int r;

        *ret_used = len;
        if (parser->in_trailer)
                return parse_trailer(parser, bytes, len, ret_used);
        error = llhttp_execute(&parser->llhttp, bytes, len);
        if (error == HPE_PAUSED) {
                used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes);
                *ret_used = used;
        }
        if (error == HPE_PAUSED && parser->in_trailer) {
                r = parse_trailer(parser, bytes + used, len - used, ret_used);
                *ret_used += used;
                return r;
        }
        parser->framing += *ret_used - (parser->content - before);
        if (error == HPE_OK &&
            parser->framing > FRAMING_ALLOWED + FRAMING_PER_BYTE * parser->content)
                return 413;
        return status_of(parser, error);
}
