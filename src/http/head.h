/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HEAD_H
#define HOT_HTTP_HEAD_H

/*
 * Is this the head of a request that we take? Pure.
 *
 * The head is looked at line by line as it arrives, and stays in one piece in the connection's buffer
 * until it is complete: a connection whose head is half there is {descriptor, unread input}, nothing
 * else. This room holds our own strictness (RFC 9112 where llhttp is lenient, and everything that lets
 * two readers of one stream disagree about where a request ends); the complete head is then taken apart
 * as a whole.
 */

#include <stdbool.h>
#include <stddef.h>

#define HOT__FIELDS_MAX 100

struct hot__head_limits {
        size_t size;   /* of the whole head */
        size_t target; /* of the request target */
        bool connect;  /* CONNECT is for us to answer */
};

/* How far a head was looked at. Zero it for a new one. A trailer section is a head that has .begun. */
struct hot__head {
        size_t looked;     /* no newline before this offset was not looked at */
        size_t line;       /* where the line begins that is not complete yet */
        bool begun;        /* the request line was complete */
        bool trailer;      /* no request line, and no field that says where anything ends */
        bool http_1_0;     /* else 1.1 */
        bool expects;      /* 100-continue */
        bool has_length;   /* Content-Length */
        bool has_encoding; /* Transfer-Encoding */
        bool has_host;
        bool closes; /* Connection has it */
        bool keeps;  /* keep-alive, likewise */
        unsigned int fields;
};

enum hot__head_result {
        HOT__HEAD_MORE = 0,     /* not complete, nothing wrong so far */
        HOT__HEAD_COMPLETE = 1, /* *ret_len bytes of it, the empty line included */
};

/*
 * Look at what has arrived since the last call; @bytes has everything since the head's first byte.
 * Returns enum hot__head_result, or the status (400 and above) to refuse the request with.
 */
int hot__head_scan(struct hot__head *head, const struct hot__head_limits *limits, const char *bytes,
                   size_t len, size_t *ret_len);

/* Would the client go on using the connection? */
bool hot__head_keeps_alive(const struct hot__head *head);

#endif
