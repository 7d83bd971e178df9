/* SPDX-License-Identifier: MIT */
/*
 * What TLS hands to the next generation: the keys of tickets. They are secrets, and travel as the core's
 * state does, in sealed memory that only the next process gets; the copies here are wiped.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "tls.h"

#define NAME "http.ticket-keys"

/* Without them the next generation makes its own, and clients pay with a full handshake. */
void hot__tls_save(struct hot__tls *tls, struct hot *hot)
{
        unsigned char bytes[HOT__TICKETS_SIZE];
        int r;

        if (!tls->has_tickets)
                return;
        hot__tickets_export(&tls->tickets, bytes);
        r = hot_put(hot, NAME, bytes, sizeof(bytes), HOT__TICKETS_SCHEMA);
        OPENSSL_cleanse(bytes, sizeof(bytes));
        if (r < 0)
                hot__log(tls->log, "tls: the keys of tickets stay here: %s", strerror(-r));
}

/* A version that is not ours may come from a later release, to which we are a step back: fresh keys do. */
void hot__tls_restore(struct hot__tls *tls, struct hot *hot)
{
        const void *bytes;
        uint32_t version;
        size_t len;

        if (tls->has_tickets && hot_get(hot, NAME, &bytes, &len, &version) == 0 &&
            version == HOT__TICKETS_SCHEMA)
                hot__tickets_import(&tls->tickets, hot__tickets_now(), bytes, len);
}
