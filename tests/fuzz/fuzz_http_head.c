/* SPDX-License-Identifier: MIT */
/*
 * A request, from its first byte to the end of its body, in one piece and in many: the same is taken, and
 * what is taken can be asked for everything. Pure: no socket.
 */
#include "target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "head_parts.h"
#include "parser.h"
#include "request.h"

#define BODY_MAX 4096

static const struct hot__head_limits limits = {.size = 2048, .target = 512};

struct taken {
        int result; /* of the head, or of the body */
        size_t used;
        size_t body_len, n_fields, n_trailers;
        bool keep_alive;
};

static void ask_everything(const struct hot_http_request *request)
{
        const char *name, *value;
        char buffer[64];
        size_t len;

        assert(*hot_http_request_method(request) && *hot_http_request_target(request));
        assert(*hot_http_request_path(request));
        for (size_t i = 0; hot_http_request_header_at(request, i, &name, &value); i++) {
                assert(*name && strlen(name) <= limits.size && strlen(value) <= limits.size);
                assert(hot_http_request_header(request, name));
        }
        for (size_t i = 0; i < request->n_trailers; i++)
                assert(hot_http_request_trailer(request,
                                                request->fields[request->n_fields + i].name));
        hot_http_request_parameter(request, "a", buffer, sizeof(buffer));
        assert(hot_http_request_body(request, &len) && len <= BODY_MAX);
}

static void take_body(struct hot__parser *parser, const char *at, size_t len, size_t piece,
                      struct taken *taken)
{
        while (taken->result == HOT__PARSED_MORE && len > 0) {
                size_t n = len < piece ? len : piece, used;
                char *copy = malloc(n); /* no byte to spare */

                memcpy(copy, at, n);
                taken->result = hot__parser_body(parser, copy, n, &used);
                free(copy);
                assert(used <= n);
                at += used;
                len -= used;
                taken->used += used;
        }
}

static void compare(const struct hot_http_request *ours, const struct hot_http_request *theirs)
{
        assert(!strcmp(ours->method, theirs->method) && !strcmp(ours->target, theirs->target));
        assert(!strcmp(ours->path.data, theirs->path.data));
        assert(!ours->query == !theirs->query);
        assert(!ours->query || !strcmp(ours->query, theirs->query));
        assert(ours->http_1_0 == theirs->http_1_0 && ours->n_fields == theirs->n_fields);
        for (size_t i = 0; i < ours->n_fields; i++) {
                assert(!strcmp(ours->fields[i].name, theirs->fields[i].name));
                assert(!strcmp(ours->fields[i].value, theirs->fields[i].value));
        }
}

/* What can do without llhttp is taken as llhttp takes it. */
static void take_parts(const struct hot__head *head, const struct hot_http_request *theirs,
                       const char *bytes, size_t len)
{
        struct hot_http_request *ours = calloc(1, sizeof(*ours));
        char *copy = malloc(len);

        memcpy(copy, bytes, len);
        hot__request_clear(ours);
        assert(hot__head_parts_take(head, ours, copy, len) == 0);
        compare(ours, theirs);
        free(copy);
        hot__request_done(ours);
        free(ours);
}

static void take(const char *bytes, size_t size, size_t piece, struct taken *taken)
{
        struct hot_http_request *request = calloc(1, sizeof(*request));
        struct hot__parser parser = {0};
        struct hot__head head = {0};
        size_t have = 0, len = 0;
        char *copy;

        taken->result = HOT__HEAD_MORE;
        while (taken->result == HOT__HEAD_MORE && have < size) {
                have = size - have < piece ? size : have + piece;
                taken->result = hot__head_scan(&head, &limits, bytes, have, &len);
        }
        if (taken->result == HOT__HEAD_COMPLETE) {
                copy = malloc(len);
                memcpy(copy, bytes, len);
                hot__request_clear(request);
                taken->result = hot__parser_head(&parser, request, BODY_MAX, copy, len);
                if (hot__head_parts_are_plain(&head, bytes, len)) {
                        assert(taken->result == HOT__PARSED_COMPLETE);
                        take_parts(&head, request, bytes, len);
                }
                taken->used = len;
                take_body(&parser, bytes + len, size - len, piece, taken);
                if (taken->result == HOT__PARSED_COMPLETE)
                        ask_everything(request);
                taken->body_len = request->body.len;
                taken->n_fields = request->n_fields;
                taken->n_trailers = request->n_trailers;
                taken->keep_alive = request->keep_alive;
                free(copy);
                hot__request_done(request);
        }
        free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct taken whole = {0}, pieces = {0};

        if (size < 1)
                return 0;
        take((const char *)data + 1, size - 1, size, &whole);
        take((const char *)data + 1, size - 1, 1 + data[0] % 64U, &pieces);
        assert((whole.result >= 400) == (pieces.result >= 400));
        if (whole.result != HOT__PARSED_COMPLETE)
                return 0;
        assert(pieces.result == whole.result && pieces.used == whole.used);
        assert(pieces.body_len == whole.body_len && pieces.n_fields == whole.n_fields);
        assert(pieces.n_trailers == whole.n_trailers && pieces.keep_alive == whole.keep_alive);
        return 0;
}
