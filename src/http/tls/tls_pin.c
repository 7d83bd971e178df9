/* SPDX-License-Identifier: MIT */
#include "tls_pin.h"

static const char *const names[HOT__N_TLS_PINS] = {
        [HOT__TLS_PIN_NONE] = "none",
        [HOT__TLS_PIN_HANDSHAKE] = "handshake",
        [HOT__TLS_PIN_BUFFERED] = "buffered",
        [HOT__TLS_PIN_ENDING] = "ending",
        [HOT__TLS_PIN_NO_KERNEL] = "no-kernel-tls",
        [HOT__TLS_PIN_CIPHER] = "cipher",
        [HOT__TLS_PIN_RECORDS] = "records",
        [HOT__TLS_PIN_SECRETS] = "secrets",
        [HOT__TLS_PIN_KEY_UPDATE] = "key-update",
        [HOT__TLS_PIN_FACTS] = "facts",
};

const char *hot__tls_pin_name(enum hot__tls_pin pin)
{
        return (unsigned int)pin < HOT__N_TLS_PINS ? names[pin] : "?";
}

bool hot__tls_pin_passes(enum hot__tls_pin pin)
{
        return pin == HOT__TLS_PIN_HANDSHAKE || pin == HOT__TLS_PIN_BUFFERED;
}
