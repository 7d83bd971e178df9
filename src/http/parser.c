/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "head.h"
#include "parser.h"

/*
 * A body in chunks may be mostly chunk sizes, extensions and trailers. That costs us time and the
 * sender hardly anything: allow so much beside the content and no more.
 */
#define FRAMING_ALLOWED  16384
#define FRAMING_PER_BYTE 16

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

        if (!parser->head_only)
                return 0; /* a trailer: nobody asked for it */
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

        if (!parser->head_only || len == 0)
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

        parser->head_only = false;
        llhttp->upgrade = 0; /* no upgrade is offered: the request is an ordinary one */
        if (llhttp->flags & F_CONTENT_LENGTH && llhttp->content_length > parser->body_limit) {
                parser->refused = 413;
                return -1;
        }
        return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
        struct hot__parser *parser = llhttp->data;
        struct hot__bytes *body = &parser->request->body;

        if (len > parser->body_limit - body->len) {
                parser->refused = 413;
                return HPE_USER;
        }
        if (hot__bytes_append(body, at, len) < 0) {
                parser->refused = 503;
                return HPE_USER;
        }
        return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
        struct hot__parser *parser = llhttp->data;

        parser->complete = true;
        parser->request->keep_alive = llhttp_should_keep_alive(llhttp);
        return HPE_PAUSED; /* what follows is the next request */
}

static const llhttp_settings_t settings = {
        .on_url = on_url,
        .on_method = on_method,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete,
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

        *parser = (struct hot__parser){
                .request = request, .base = bytes, .body_limit = body_limit, .head_only = true};
        llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
        parser->llhttp.data = parser;
        error = llhttp_execute(&parser->llhttp, bytes, len);
        request->http_1_0 = llhttp_get_http_minor(&parser->llhttp) == 0;
        if (request->method)
                request->method[request->method_len] = '\0';
        return status_of(parser, error);
}

int hot__parser_body(struct hot__parser *parser, const char *bytes, size_t len, size_t *ret_used)
{
        size_t before = parser->request->body.len;
        llhttp_errno_t error = llhttp_execute(&parser->llhttp, bytes, len);
        size_t used = len;

        if (error == HPE_PAUSED)
                used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes);
        *ret_used = used;
        parser->framing += used - (parser->request->body.len - before);
        if (error == HPE_OK &&
            parser->framing > FRAMING_ALLOWED + FRAMING_PER_BYTE * parser->request->body.len)
                return 413;
        return status_of(parser, error);
}
