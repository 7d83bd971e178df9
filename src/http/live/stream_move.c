/* SPDX-License-Identifier: MIT */
/*
 * A response that a producer fills goes from one generation to the next between two pieces: what was framed and not
 * sent goes as output, what is queued is framed for it, and what comes after it the next one makes, with the same
 * framing, what remains of the length, the trailers. The request goes as its head, which is parsed again.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dispatch.h"
#include "exchange.h"
#include "luggage.h"
#include "move.h"
#include "request_id.h"
#include "server.h"
#include "worker.h"

#define PHASE_STREAM 1

#define FLAG_CHUNKED 0x1
#define FLAG_CLOSES  0x2

static struct hot__stream *stream_of(const struct hot__connection *connection)
{
        return &connection->exchange->response.stream;
}

/* One that has a length ends by itself, and one that a handler writes with the handler. */
static enum hot__pin pin(const struct hot__connection *connection)
{
        const struct hot__stream *stream = stream_of(connection);

        if (connection->exchange->response.mode != HOT__RESPONSE_PRODUCER || stream->ended)
                return HOT__PIN_REQUEST;
        if (stream->save)
                return HOT__PIN_NOT;
        return stream->remaining >= 0 ? HOT__PIN_REQUEST : HOT__PIN_STREAM;
}

/* -- packing -- */

/* What frames the body, or is answered before it, has been dealt with. */
static bool is_over(const char *name)
{
        static const char *const names[] = {"content-length", "transfer-encoding", "expect"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (!strcasecmp(name, names[i]))
                        return true;
        return false;
}

static void append_head(struct hot__bytes *head, const struct hot_http_request *request)
{
        hot__bytes_append_string(head, request->method);
        hot__bytes_append_string(head, " ");
        hot__bytes_append_string(head, request->target);
        hot__bytes_append_string(head, request->http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
        for (size_t i = 0; i < request->n_fields; i++) {
                if (is_over(request->fields[i].name))
                        continue;
                hot__bytes_append_string(head, request->fields[i].name);
                hot__bytes_append_string(head, ": ");
                hot__bytes_append_string(head, request->fields[i].value);
                hot__bytes_append_string(head, "\r\n");
        }
        hot__bytes_append_string(head, "\r\n");
}

static ssize_t save(void *about, void *buffer, size_t size)
{
        struct hot__stream *stream = about;

        return stream->save(stream->data, buffer, size);
}

static int pack_state(struct hot__connection *connection, const struct hot__bytes *state,
                      struct hot__bytes *ret)
{
        struct hot__exchange *exchange = connection->exchange;
        const struct hot__stream *stream = &exchange->response.stream;
        struct hot__bytes head = {0};
        const char *id = hot_http_request_id(&exchange->request);
        int r;

        append_head(&head, &exchange->request);
        r = head.failed ? -ENOMEM
                        : hot__luggage_pack(
                                  &(struct hot__luggage){
                                          .head = head.data,
                                          .head_len = head.len,
                                          .state = state->data,
                                          .state_len = state->len,
                                          .trailers = stream->trailers.data,
                                          .trailers_len = stream->trailers.len,
                                          .id = id,
                                          .id_len = strlen(id),
                                          .version = stream->save_version,
                                          .flags = (stream->chunked ? FLAG_CHUNKED : 0) |
                                                   (connection->closes ? FLAG_CLOSES : 0),
                                          .status = (uint64_t)exchange->response.sent_status,
                                          .sent = stream->sent,
                                          .remaining = stream->remaining,
                                          .began = exchange->began,
                                  },
                                  ret);
        hot__bytes_done(&head);
        return r;
}

/* Frame what is queued behind what is framed. Before each piece there is room for it, so that none is lost. */
static int drain(struct hot__stream *stream, struct hot__bytes *output)
{
        for (;;) {
                const char *data;
                size_t len;
                int r = hot__bytes_reserve(output, HOT__STREAM_FRAMED);

                if (r == 0)
                        r = hot__stream_produce(stream);
                if (r < 0)
                        return r == -EAGAIN ? 0 : r;
                hot__stream_frame(stream, false, &data, &len);
                hot__bytes_append(output, data, len);
        }
}

/* What was put together, and stays here after all, is sent from where it is. */
static void keep_output(struct hot__connection *connection, struct hot__bytes *output)
{
        struct hot_http_response *response = &connection->exchange->response;

        hot__bytes_done(&response->out);
        response->out = *output;
        response->out.failed = false;
        *output = (struct hot__bytes){0};
        connection->out[0].data = response->out.data;
        connection->out[0].len = response->out.len;
        connection->out[1].len = 0;
}

static int pack_output(struct hot__connection *connection, struct hot__bytes *output)
{
        struct hot__stream *stream = stream_of(connection);

        for (int i = 0; i < 2; i++)
                hot__bytes_append(output, connection->out[i].data, connection->out[i].len);
        if (output->failed) {
                hot__bytes_done(output);
                return -ENOMEM;
        }
        return stream->seal ? drain(stream, output) : 0;
}

static enum hot__pin pack_sealed(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__bytes state = {0};
        int r = hot__luggage_save(save, stream_of(connection), &state);

        if (r < 0) {
                hot__bytes_done(&state);
                return r == -ENOMEM ? HOT__PIN_MEMORY : HOT__PIN_STREAM;
        }
        r = pack_output(connection, &passage->output);
        if (r == 0)
                r = pack_state(connection, &state, &passage->state);
        hot__bytes_done(&state);
        if (r == 0)
                return HOT__PIN_NOT;
        if (passage->output.len)
                keep_output(connection, &passage->output);
        return HOT__PIN_MEMORY;
}

static enum hot__pin pack(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__stream *stream = stream_of(connection);
        enum hot__pin pin;

        if (stream->seal && !stream->seal(stream->data, true))
                return HOT__PIN_REQUEST;
        pin = pack_sealed(connection, passage);
        if (pin != HOT__PIN_NOT) {
                if (stream->seal)
                        stream->seal(stream->data, false);
                return pin;
        }
        passage->bill.phase = PHASE_STREAM;
        passage->bill.since = hot__connection_now(connection);
        connection->exchange->untold = true; /* who sends its last byte tells of it */
        hot__dispatch_end(connection->exchange, 0);
        connection->exchange = NULL;
        return HOT__PIN_NOT;
}

/* -- unpacking -- */

static int check(const struct hot__passage *passage)
{
        struct hot__luggage luggage;

        if (passage->bill.phase != PHASE_STREAM)
                return -EPROTO;
        return hot__luggage_unpack(&luggage, passage->state.data, passage->state.len);
}

static int take_id(struct hot__exchange *exchange, const struct hot__luggage *luggage)
{
        char id[HOT__REQUEST_ID_MAX + 1] = "";

        if (!luggage->id_len || luggage->id_len > HOT__REQUEST_ID_MAX)
                return -EPROTO;
        memcpy(id, luggage->id, luggage->id_len);
        return hot__request_id_take(id, exchange->request.id) ? 0 : -EPROTO;
}

/* A head that our own parser has let pass before, or one of another release. */
static int parse_head(struct hot__exchange *exchange, const struct hot__luggage *luggage)
{
        const struct hot__head_limits limits = {SIZE_MAX, SIZE_MAX, true};
        struct hot__buffers none = {0};
        struct hot__head head = {0};
        size_t len = 0;

        if (!luggage->head_len)
                return -EPROTO;
        exchange->head = hot__buffer_new(&none, luggage->head_len);
        if (!exchange->head)
                return -ENOMEM;
        memcpy(exchange->head->data, luggage->head, luggage->head_len);
        exchange->head->end = luggage->head_len;
        if (hot__head_scan(&head, &limits, luggage->head, luggage->head_len, &len) !=
                    HOT__HEAD_COMPLETE ||
            len != luggage->head_len ||
            hot__parser_head(&exchange->parser, &exchange->request, SIZE_MAX, exchange->head->data,
                             len) != HOT__PARSED_COMPLETE)
                return -EPROTO;
        return take_id(exchange, luggage);
}

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What its host has set now counts for nothing: it was sent long ago. */
static int go_on(struct hot__exchange *exchange, const struct hot__luggage *luggage,
                 struct hot__bytes *output)
{
        struct hot_http_response *response = &exchange->response;
        struct hot__stream *stream = &response->stream;
        uint64_t now = now_ns();

        response->error = 0;
        response->begun = true;
        response->sent_status = (int)luggage->status;
        stream->chunked = luggage->flags & FLAG_CHUNKED;
        stream->remaining = luggage->remaining;
        stream->sent = luggage->sent;
        stream->waits = false;
        hot__bytes_clear(&stream->trailers, 0);
        hot__bytes_append(&stream->trailers, luggage->trailers, luggage->trailers_len);
        hot__bytes_done(&response->out);
        response->out = *output;
        *output = (struct hot__bytes){0};
        exchange->began = luggage->began < now ? luggage->began : now;
        return stream->trailers.failed ? -ENOMEM : 0;
}

static int restore(struct hot_http *server, struct hot__exchange *exchange,
                   const struct hot__luggage *luggage)
{
        const struct hot__route *route =
                hot__routes_find(&server->routes, exchange->request.method,
                                 exchange->request.path.data, &exchange->no_route);
        const struct hot_http_saved saved = {
                .size = sizeof(saved),
                .bytes = luggage->state,
                .length = luggage->state_len,
                .version = (uint32_t)luggage->version,
                .sent = luggage->sent,
                .remaining = luggage->remaining,
        };
        int r = route && route->restorer ? 0 : -EOPNOTSUPP;

        if (r < 0)
                return r;
        exchange->route = route;
        r = route->restorer(&exchange->request, &exchange->response, &saved, route->data);
        if (r == 0 && exchange->response.mode != HOT__RESPONSE_PRODUCER)
                r = -EINVAL;
        return r < 0 ? r : 0;
}

static int admit(struct hot_http *server, struct hot__passage *passage)
{
        struct hot__exchange *exchange;
        struct hot__luggage luggage;
        int r = hot__luggage_unpack(&luggage, passage->state.data, passage->state.len);

        if (r < 0)
                return r;
        exchange = hot__exchange_new(NULL);
        if (!exchange)
                return -ENOMEM;
        exchange->request.peer = passage->bill.peer;
        r = parse_head(exchange, &luggage);
        if (r == 0)
                r = restore(server, exchange, &luggage);
        if (r == 0)
                r = go_on(exchange, &luggage, &passage->output);
        if (r == 0)
                passage->guest = exchange;
        else
                hot__exchange_free(exchange);
        return r;
}

static void dismiss(void *guest)
{
        hot__exchange_free(guest);
}

static enum hot__step adopt(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__exchange *exchange = passage->guest;
        struct hot__luggage luggage;

        if (hot__luggage_unpack(&luggage, passage->state.data, passage->state.len) < 0)
                return HOT__STEP_CUT;
        passage->guest = NULL;
        connection->exchange = exchange;
        connection->state = HOT__CONNECTION_STREAMING;
        connection->closes = luggage.flags & FLAG_CLOSES;
        connection->out[0].data = exchange->response.out.data;
        connection->out[0].len = exchange->response.out.len;
        if (connection->transport.tls)
                exchange->facts = hot__tls_facts_get(connection->transport.tls->facts);
        exchange->number = ++connection->worker->n_requests;
        exchange->connection = connection;
        exchange->worker = connection->worker; /* from here on others can resume it */
        return HOT__STEP_AGAIN;
}

const struct hot__move_kind hot__move_stream = {
        .name = "http/stream",
        .version = 1,
        .pin = pin,
        .pack = pack,
        .check = check,
        .admit = admit,
        .dismiss = dismiss,
        .adopt = adopt,
};
