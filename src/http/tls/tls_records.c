/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tls_records.h"

/* Of the record that has begun: its length, or what is needed to learn it. */
static size_t size_of(const struct hot__tls_records *records)
{
        if (records->at < HOT__TLS_RECORD_HEADER)
                return HOT__TLS_RECORD_HEADER;
        return HOT__TLS_RECORD_HEADER + ((size_t)records->head[3] << 8 | records->head[4]);
}

static void keep_head(struct hot__tls_records *records, const unsigned char *bytes, size_t len)
{
        size_t room = records->at < sizeof(records->head) ? sizeof(records->head) - records->at : 0;

        memcpy(records->head + sizeof(records->head) - room, bytes, len < room ? len : room);
}

void hot__tls_records_pass(struct hot__tls_records *records, const void *bytes, size_t len)
{
        const unsigned char *at = bytes, *end = at + len;

        while (at < end) {
                size_t part = size_of(records) - records->at;

                if (part > (size_t)(end - at))
                        part = (size_t)(end - at);
                keep_head(records, at, part);
                at += part;
                records->at += part;
                if (records->at < HOT__TLS_RECORD_HEADER || records->at < size_of(records))
                        continue;
                records->n++;
                records->at = 0;
        }
}
