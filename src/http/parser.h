/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_PARSER_H
#define HOT_HTTP_PARSER_H

/*
 * llhttp: the only room that calls it. It gets a head as a whole, after head.c has let it pass, unless
 * head_parts.c can do without, and then the body as it arrives. It never sees a trailer section, which head.c reads as strictly as a head.
 */

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "request.h"

struct hot__parser {
        llhttp_t llhttp;
        struct hot_http_request *request; /* lent */
        char *base;                       /* of the head that is being parsed */
        size_t body_limit;
        size_t content;           /* bytes of the body so far */
        size_t framing;           /* bytes of the body that were not content: chunk sizes */
        struct hot__head trailer; /* how far the trailer section was looked at */
        bool in_trailer;          /* the last chunk has come */
        int refused;              /* a status, when one of our callbacks said no */
        bool complete;            /* the request is */
};

enum hot__parsed {
        HOT__PARSED_MORE = 0,     /* the body is not complete */
        HOT__PARSED_COMPLETE = 1, /* the request is */
};

/*
 * Parse a complete head into @request, which then points into @bytes: they are changed (zeroes end the
 * strings) and have to live as long. Returns enum hot__parsed, or the status to refuse it with.
 */
int hot__parser_head(struct hot__parser *parser, struct hot_http_request *request,
                     size_t body_limit, char *bytes, size_t len);

/* For a request that was taken without it: there is no body. */
static inline void hot__parser_none(struct hot__parser *parser)
{
        parser->content = 0;
        parser->complete = true;
}

/* Another limit of the body, once it is known who wants it. Returns 0, or 413 if its length says that it will be
 * too long. */
int hot__parser_limit(struct hot__parser *parser, size_t body_limit);

/*
 * Parse some of the body, appending to the request's, or passing it on to who reads it as it arrives. *ret_used is how many bytes belonged to it.
 * Returns as hot__parser_head().
 */
int hot__parser_body(struct hot__parser *parser, const char *bytes, size_t len, size_t *ret_used);

#endif
