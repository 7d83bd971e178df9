/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: decoded or refused. What was decoded is encoded in no more bytes than it came in, and decodes to
 * the same again.
 */
#include "target.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tls_facts.h"

static bool same(const char *a, const char *b)
{
        return !a || !b ? a == b : !strcmp(a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct hot__tls_facts *facts, *again;
        unsigned char *bytes;
        ssize_t len;
        int r = hot__tls_facts_decode(data, size, &facts);

        assert(r == 0 || r == -EPROTO);
        if (r < 0)
                return 0;
        assert(facts->version == TLS1_2_VERSION || facts->version == TLS1_3_VERSION);
        bytes = malloc(size);
        len = hot__tls_facts_encode(facts, bytes, size);
        assert(len > 0 && (size_t)len <= size);
        assert(hot__tls_facts_decode(bytes, (size_t)len, &again) == 0);
        assert(facts->version == again->version && same(facts->cipher, again->cipher) &&
               same(facts->server_name, again->server_name) && same(facts->client, again->client));
        free(bytes);
        hot__tls_facts_put(facts);
        hot__tls_facts_put(again);
        return 0;
}
