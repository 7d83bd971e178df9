/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_STREAM_H
#define HOT_HTTP_STREAM_H

/*
 * A body that is sent while it is made. It has one piece of memory, filled by the handler's thread or by
 * the producer, framed in place (chunk size before, CRLF behind) and sent by the loop. It is never in two
 * hands: a writer gives the piece to the loop and waits until the socket has taken it, which is all the
 * back-pressure there is.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

#include "bytes.h"

#define HOT__STREAM_PIECE  65536
#define HOT__STREAM_FRAMED (HOT__STREAM_PIECE + 32) /* with what is around it */

struct hot__file;

struct hot__stream {
        char *memory;  /* owned; NULL until it is needed */
        size_t filled; /* content bytes in it */
        bool chunked;  /* else counted by length, or ended by the connection */
        bool muted;    /* HEAD: nothing is sent */
        bool ended;    /* the last piece was framed */
        bool waits;    /* the producer had nothing: it is asked again when it is told to */
        uint64_t sent; /* bytes of content given to the protocol */
        struct hot__bytes trailers; /* "Name: value\r\n"… behind the last chunk */
        int64_t remaining;          /* of the promised length; -1: none was */

        struct hot__file *file; /* what the producer reads, if it is a regular file; else NULL */
        unsigned int beat_ms;   /* after so much silence .beat is called; 0: never */
        void (*beat)(void *data);
        hot_http_producer *producer;
        void *data;
        void (*done)(void *data);
        hot_http_saver *save; /* how it goes on elsewhere; NULL: not at all */
        uint32_t save_version;
        /* Take nothing more for the producer from other threads, or again; false: it has ended. NULL: there is
         * nothing to be taken. */
        bool (*seal)(void *data, bool sealed);
        void (*leave)(void *data); /* one without an end ends soon after this; NULL: it has one */

        pthread_mutex_t lock;
        pthread_cond_t turn;
        bool with_loop; /* the writer waits */
        int result;     /* of the piece that came back */
};

int hot__stream_init(struct hot__stream *stream);
void hot__stream_clear(struct hot__stream *stream);
void hot__stream_done(struct hot__stream *stream);

/* Memory for the piece. Returns 0 or -ENOMEM. */
int hot__stream_prepare(struct hot__stream *stream);

/* Append to the piece what fits. Returns how much. */
size_t hot__stream_fill(struct hot__stream *stream, const void *data, size_t len);

/* Ask the producer for a piece. Returns 0; -EAGAIN: it has nothing now, and says when; or another negative
 * errno: cut the response off. */
int hot__stream_produce(struct hot__stream *stream);

/* Frame the piece, as the last one or not. The bytes to send (none for an empty or muted piece) are lent
 * until it is filled again. */
void hot__stream_frame(struct hot__stream *stream, bool last, const char **ret_data,
                       size_t *ret_len);

/* The writer's side: wait for the piece that was given to the loop. Returns 0 or a negative errno. */
int hot__stream_wait(struct hot__stream *stream);

/* The same, before the loop is told. */
void hot__stream_give(struct hot__stream *stream);

/* The loop's side: give it back. Nothing happens if it is not here. */
void hot__stream_return(struct hot__stream *stream, int result);

#endif
