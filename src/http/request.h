/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_REQUEST_H
#define HOT_HTTP_REQUEST_H

/*
 * A request as handlers see it. Its strings lie in the buffer that its head arrived in, which the
 * exchange keeps until the response is sent.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <hotstart/http.h>

#include "body.h"
#include "bytes.h"
#include "head.h"
#include "peer.h"
#include "request_id.h"

struct hot__field {
        const char *name, *value;
};

struct hot__exchange;

struct hot_http_request {
        struct hot__exchange *exchange; /* it is part of */
        char *method;                   /* lent, as all strings here */
        size_t method_len;
        const char *target;
        const char *query;      /* NULL: no '?' */
        struct hot__bytes path; /* a copy: it ends where the target goes on */
        struct hot__field fields[HOT__FIELDS_MAX];
        size_t n_fields;            /* of the head */
        size_t n_trailers;          /* behind those */
        struct hot__bytes trailers; /* their bytes */
        struct hot__bytes body;
        struct hot__body stream; /* the body, if it is read as it arrives */
        struct hot__peer peer;
        char id[HOT__REQUEST_ID_MAX + 1]; /* "" until it is asked for */
        atomic_bool cancelled;            /* nobody waits for the response any more */
        bool http_1_0;
        bool http_2;
        bool keep_alive; /* the client would go on using the connection */
};

/* Empty it for the next one, keeping memory that is worth it. */
void hot__request_clear(struct hot_http_request *request);

void hot__request_done(struct hot_http_request *request);

/* Take path and query out of the target, which may be in absolute form, or with CONNECT have neither. Returns 0 or
 * -ENOMEM. */
int hot__request_set_path(struct hot_http_request *request);

#endif
