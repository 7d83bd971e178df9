/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_KTLS_CONTROL_H
#define HOT_HTTP_KTLS_CONTROL_H

/*
 * What to make of a record that holds no data, where the kernel does the records and nobody does the handshakes:
 * alerts, and messages of a handshake, of which only one that changes keys makes sense. Pure.
 */

#include <stddef.h>

/* As much of a record as there has to be. */
#define HOT__KTLS_HEAD 2

enum hot__ktls_verdict {
        HOT__KTLS_IGNORED,
        HOT__KTLS_ENDED,      /* no more comes */
        HOT__KTLS_KEY_UPDATE, /* what comes next cannot be read */
        HOT__KTLS_BROKEN,
};

/* Levels and descriptions of alerts (RFC 8446 section 6). */
enum {
        HOT__ALERT_NONE = 0,
        HOT__ALERT_WARNING = 1,
        HOT__ALERT_FATAL = 2,
        HOT__ALERT_CLOSE_NOTIFY = 0,
        HOT__ALERT_UNEXPECTED_MESSAGE = 10,
        HOT__ALERT_BAD_RECORD_MAC = 20,
        HOT__ALERT_RECORD_OVERFLOW = 22,
        HOT__ALERT_DECODE_ERROR = 50,
        HOT__ALERT_USER_CANCELED = 90,
        HOT__ALERT_NO_RENEGOTIATION = 100,
};

struct hot__ktls_judgement {
        enum hot__ktls_verdict verdict;
        unsigned char level, alert; /* to answer with; HOT__ALERT_NONE: no answer */
};

/* @version: TLS1_2_VERSION or TLS1_3_VERSION. @len: of the bytes at hand, at most HOT__KTLS_HEAD. */
struct hot__ktls_judgement hot__ktls_judge(int version, int type, const unsigned char *head,
                                           size_t len);

#endif
