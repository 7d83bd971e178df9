/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_OUTCOME_H
#define HOT_VERIFY_OUTCOME_H

/*
 * Outcomes: what became of one request, judged from the evidence that its connection gathered.
 * Pure.
 *
 * Every request ends in exactly one outcome. What the transport did comes before what the answer
 * said: a cut answer is cut, whatever its status was; an answer with a wrong status is not searched
 * for wrong bytes.
 */

#include <stdbool.h>

enum hot__outcome {
        HOT__OUTCOME_OK,
        HOT__OUTCOME_UNSERVED, /* behind an announced close: known not to be served, no failure */
        HOT__OUTCOME_REFUSED,
        HOT__OUTCOME_CONNECT_TIMEOUT,
        HOT__OUTCOME_RESET,
        HOT__OUTCOME_CUT,
        HOT__OUTCOME_KEEPALIVE_RACE,
        HOT__OUTCOME_TIMEOUT,
        HOT__OUTCOME_MALFORMED,
        HOT__OUTCOME_WRONG_STATUS,
        HOT__OUTCOME_WRONG_BYTES,
        HOT__OUTCOME_GAP,       /* a message or an event never came, although a later one did */
        HOT__OUTCOME_DUPLICATE, /* a message or an event came once more */
        HOT__OUTCOME_CLIENT,    /* our own side ran out of something */
        HOT__OUTCOME_COUNT,
};

/* Why a client that wanted to keep its connection could not. */
enum hot__reconnect {
        HOT__RECONNECT_ANNOUNCED,   /* Connection: close, or HTTP/1.0 */
        HOT__RECONNECT_IDLE,        /* closed between two requests */
        HOT__RECONNECT_RESET,       /* reset between two requests */
        HOT__RECONNECT_GOAWAY,      /* HTTP/2: GOAWAY */
        HOT__RECONNECT_CLOSE_FRAME, /* WebSocket: a close frame */
        HOT__RECONNECT_STREAM_END,  /* a stream of events that ended in an orderly way */
        HOT__RECONNECT_OTHER,       /* lost with a failed request, or by bytes nobody asked for */
        HOT__RECONNECT_COUNT,
};

/* What ended the request. */
enum hot__ending {
        HOT__ENDING_COMPLETE,  /* its answer was complete */
        HOT__ENDING_CLOSED,    /* end of file, or an error of the socket or of connect(2) */
        HOT__ENDING_DEADLINE,  /* its time was over */
        HOT__ENDING_GARBAGE,   /* what came is no HTTP */
        HOT__ENDING_ANNOUNCED, /* an answer before it said that the connection ends there */
        HOT__ENDING_SKIPPED,   /* a later one of its kind came */
        HOT__ENDING_TWICE,     /* it had come before */
};

struct hot__evidence {
        enum hot__ending ending;
        int error;            /* CLOSED: an errno, positive; 0 for end of file */
        bool connected;       /* connect(2) had succeeded */
        bool answered_before; /* the connection had carried a complete answer */
        bool answering; /* a byte of this request's answer, or of one before it in the same batch that
                                 was not complete, had come */
        bool status_right; /* COMPLETE */
        bool bytes_right;  /* COMPLETE */
};

enum hot__outcome hot__outcome_classify(const struct hot__evidence *evidence);

/* Does it count as failed? */
bool hot__outcome_is_failure(enum hot__outcome outcome);

/* "keepalive_race". "?" for a number that is none. */
const char *hot__outcome_name(int outcome);

/* "announced". "?" for a number that is none. */
const char *hot__reconnect_name(int kind);

#endif
