/* SPDX-License-Identifier: MIT */
/*
 * Any frames at a connection that speaks HTTP/2. What the server says is a well-formed sequence of frames: none
 * on a stream that it has ended, none on one that it said it would not serve.
 *
 * The first byte of an input is the size of the pieces in which it is sent. Then frames: type, flags, stream (a byte
 * each), length (two), so many bytes; the length on the wire is always right, so that what is mutated is
 * mostly frames. RAW for a type are bytes as they are.
 */
#include "target.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"

#define RAW          0xff
#define LAST_STREAM  0x7fffffff
#define FRAME_HEADER 9
#define FRAME_MAX    16384
#define INPUT_MAX    16384

/* The kinds of frames, and the flag, that are looked at (RFC 9113 section 6). */
enum {
        DATA = 0,
        HEADERS = 1,
        RST_STREAM = 3,
        SETTINGS = 4,
        PING = 6,
        GOAWAY = 7,
        WINDOW_UPDATE = 8,
        CONTINUATION = 9,
        END_STREAM = 1,
};

/* What the server has said so far. */
struct said {
        uint32_t last;    /* it serves no stream beyond it */
        bool ended[256];  /* of the streams with small numbers: it said the last of it */
        bool opened[256]; /* it has answered */
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static size_t put_frame(uint8_t *out, const uint8_t *frame, size_t len)
{
        uint32_t stream = frame[2] == 0xff ? LAST_STREAM : frame[2];
        const uint8_t header[FRAME_HEADER] = {
                (uint8_t)(len >> 16),
                (uint8_t)(len >> 8),
                (uint8_t)len,
                frame[0],
                frame[1],
                (uint8_t)(stream >> 24),
                (uint8_t)(stream >> 16),
                (uint8_t)(stream >> 8),
                (uint8_t)stream,
        };

        memcpy(out, header, sizeof(header));
        memcpy(out + sizeof(header), frame + 5, len);
        return sizeof(header) + len;
}

/* What goes over the wire. Five bytes of an input become at most nine. */
static size_t assemble(const uint8_t *data, size_t size, uint8_t *out)
{
        size_t n = sizeof(preface) - 1;

        memcpy(out, preface, n);
        while (size >= 5) {
                size_t len = (size_t)data[3] << 8 | data[4];

                len = len < size - 5 ? len : size - 5;
                if (data[0] == RAW) {
                        memcpy(out + n, data + 5, len);
                        n += len;
                } else {
                        n += put_frame(out + n, data, len);
                }
                data += 5 + len;
                size -= 5 + len;
        }
        return n;
}

static uint32_t number_at(const uint8_t *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* A frame that belongs to a stream. */
static void check_stream_frame(struct said *said, uint8_t type, uint8_t flags, uint32_t stream)
{
        assert(stream % 2 == 1);
        assert(stream <= said->last || type == RST_STREAM || type == WINDOW_UPDATE);
        if (stream >= sizeof(said->ended) / sizeof(said->ended[0]))
                return;
        /* What nobody reads any more is reset after it was answered (section 8.1). */
        assert(!said->ended[stream] || type == RST_STREAM || type == WINDOW_UPDATE);
        assert(type != DATA || said->opened[stream]);
        if (type == HEADERS)
                said->opened[stream] = true;
        if (type == RST_STREAM || (flags & END_STREAM && (type == DATA || type == HEADERS)))
                said->ended[stream] = true;
}

static void check_frame(struct said *said, const uint8_t *frame, size_t len)
{
        uint8_t type = frame[3], flags = frame[4];
        uint32_t stream = number_at(frame + 5);

        assert(len <= FRAME_MAX && stream <= LAST_STREAM);
        switch (type) {
        case WINDOW_UPDATE:
                assert(len == 4 && number_at(frame + FRAME_HEADER) > 0);
                if (stream == 0)
                        break;
                check_stream_frame(said, type, flags, stream);
                break;
        case DATA:
        case HEADERS:
        case RST_STREAM:
        case CONTINUATION:
                check_stream_frame(said, type, flags, stream);
                break;
        case GOAWAY:
                assert(stream == 0 && len >= 8 && number_at(frame + FRAME_HEADER) <= said->last);
                said->last = number_at(frame + FRAME_HEADER);
                break;
        default:
                assert(stream == 0 && (type == SETTINGS || type == PING));
        }
}

static void check(const struct answers *answers)
{
        const uint8_t *at = (const uint8_t *)answers->bytes, *end = at + answers->len;
        struct said said = {.last = LAST_STREAM};

        assert(answers->len >= FRAME_HEADER && at[3] == SETTINGS);
        while (at < end) {
                size_t len;

                assert(end - at >= FRAME_HEADER);
                len = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
                assert((size_t)(end - at) >= FRAME_HEADER + len);
                check_frame(&said, at, len);
                at += FRAME_HEADER + len;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct hot_http *server;
        static struct answers answers;
        static uint8_t wire[sizeof(preface) + 2 * INPUT_MAX];
        size_t n;

        if (!server) {
                server = conversation_server();
                answers.bytes = malloc(ANSWERS_MAX);
        }
        if (size < 1 || size > INPUT_MAX)
                return 0;
        n = assemble(data + 1, size - 1, wire);
        answers.len = 0;
        converse(server, wire, n, n, &answers);
        check(&answers);
        answers.len = 0;
        converse(server, wire, n, 1 + data[0], &answers);
        check(&answers);
        return 0;
}
