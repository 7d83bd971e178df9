/* SPDX-License-Identifier: MIT */
#include "pin.h"

static const char *const names[HOT__N_PINS] = {
        [HOT__PIN_NOT] = "not",
        [HOT__PIN_TLS] = "tls",
        [HOT__PIN_TLS_HANDSHAKE] = "tls-handshake",
        [HOT__PIN_TLS_BUFFERED] = "tls-buffered",
        [HOT__PIN_TLS_CIPHER] = "tls-cipher",
        [HOT__PIN_TLS_RECORDS] = "tls-records",
        [HOT__PIN_TLS_SECRETS] = "tls-secrets",
        [HOT__PIN_TLS_FACTS] = "tls-facts",
        [HOT__PIN_KEY_UPDATE] = "key-update",
        [HOT__PIN_HTTP2] = "http2",
        [HOT__PIN_REQUEST] = "request",
        [HOT__PIN_MESSAGE] = "message",
        [HOT__PIN_WEBSOCKET] = "websocket",
        [HOT__PIN_STREAM] = "stream",
        [HOT__PIN_TUNNEL] = "tunnel",
        [HOT__PIN_LEAVING] = "leaving",
        [HOT__PIN_REFUSED] = "refused",
        [HOT__PIN_SUCCESSOR] = "successor",
        [HOT__PIN_MEMORY] = "memory",
};

const char *hot__pin_name(enum hot__pin pin)
{
        return (unsigned int)pin < HOT__N_PINS ? names[pin] : "?";
}

bool hot__pin_passes(enum hot__pin pin)
{
        return pin == HOT__PIN_REQUEST || pin == HOT__PIN_MESSAGE || pin == HOT__PIN_LEAVING ||
               pin == HOT__PIN_TLS_HANDSHAKE || pin == HOT__PIN_TLS_BUFFERED;
}
