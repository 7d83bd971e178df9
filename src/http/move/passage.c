/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "move.h"
#include "passage.h"
#include "transport.h"

int hot__passage_describe(const struct hot__passage *passage, struct hot__bytes *scratch,
                          struct hot_connection *ret)
{
        const struct hot__buffer *in = passage->input;
        struct hot__waybill bill = passage->bill;
        uint8_t head[HOT__WAYBILL_SIZE];

        bill.transport_len = (uint16_t)passage->transport.len;
        hot__waybill_encode(&bill, head);
        hot__bytes_clear(scratch, SIZE_MAX);
        hot__bytes_append(scratch, head, sizeof(head));
        hot__bytes_append(scratch, passage->transport.data, passage->transport.len);
        hot__bytes_append(scratch, passage->state.data, passage->state.len);
        if (scratch->failed || passage->transport.len > UINT16_MAX)
                return -ENOMEM;
        *ret = (struct hot_connection){
                .size = sizeof(*ret),
                .kind = passage->kind->name,
                .version = passage->kind->version,
                .fd = passage->fd,
                .input = in ? in->data + in->start : NULL,
                .input_len = in ? in->end - in->start : 0,
                .output = passage->output.data,
                .output_len = passage->output.len,
                .state = scratch->data,
                .state_len = scratch->len,
        };
        if (!ret->input_len && !ret->output_len)
                ret->flags = HOT_RESUMABLE;
        return 0;
}

static struct hot__buffer *buffer_of(const void *bytes, size_t len)
{
        struct hot__buffers none = {0};
        struct hot__buffer *buffer = hot__buffer_new(&none, len);

        if (!buffer)
                return NULL;
        memcpy(buffer->data, bytes, len);
        buffer->end = len;
        return buffer;
}

static int read_parts(struct hot__passage *passage, const struct hot_connection *connection)
{
        const char *rest = (const char *)connection->state + HOT__WAYBILL_SIZE;
        size_t transport_len = passage->bill.transport_len;

        hot__bytes_append(&passage->transport, rest, transport_len);
        hot__bytes_append(&passage->state, rest + transport_len,
                          connection->state_len - HOT__WAYBILL_SIZE - transport_len);
        hot__bytes_append(&passage->output, connection->output, connection->output_len);
        if (passage->transport.failed || passage->state.failed || passage->output.failed)
                return -ENOMEM;
        if (!connection->input_len)
                return 0;
        passage->input = buffer_of(connection->input, connection->input_len);
        return passage->input ? 0 : -ENOMEM;
}

int hot__passage_read(struct hot__passage *ret, const struct hot_connection *connection)
{
        struct hot__passage passage = {.fd = -EBADF};
        int r;

        passage.kind = hot__move_find(connection->kind);
        if (!passage.kind || passage.kind->version != connection->version)
                return -EPROTONOSUPPORT;
        r = hot__waybill_decode(&passage.bill, connection->state, connection->state_len);
        if (r == 0)
                r = read_parts(&passage, connection);
        if (r == 0)
                r = hot__transport_check(&passage.transport);
        if (r == 0)
                r = passage.kind->check(&passage);
        if (r < 0)
                hot__passage_done(&passage);
        else
                *ret = passage;
        return r;
}

void hot__passage_done(struct hot__passage *passage)
{
        passage->fd = hot__socket_close(passage->fd);
        if (passage->guest)
                passage->kind->dismiss(passage->guest);
        passage->guest = NULL;
        hot__buffer_free(NULL, passage->input);
        passage->input = NULL;
        hot__bytes_done(&passage->output);
        hot__bytes_done(&passage->transport);
        hot__bytes_done(&passage->state);
}
