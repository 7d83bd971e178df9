/* SPDX-License-Identifier: MIT */
/*
 * Any bytes at a connection of a real server, over a real socket, its loop turned by hand. What it answers is
 * well-formed; in which pieces the bytes come makes no difference; and once their sender has said that
 * no more will come the connection ends: nothing hangs.
 *
 * The first byte of an input is the size of its pieces.
 */
#include "target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"

/* The statuses of what was answered, in @classes: '2' for an answer, '4' for any refusal. */
static size_t classify(const struct answers *answers, char *classes, size_t max)
{
        const char *at = answers->bytes, *end = at + answers->len;
        size_t n = 0;

        if (answers->len >= 9 && at[3] == 4)
                return 0; /* a SETTINGS frame: the input began as HTTP/2 does */
        assert(answers->len == 0 || (answers->len > 12 && !memcmp(at, "HTTP/1.1 ", 9)));
        while ((at = memmem(at, (size_t)(end - at), "HTTP/1.1 ", 9)) && end - at > 12 && n < max) {
                if (memcmp(at + 9, "100", 3) != 0)
                        classes[n++] = at[9] == '2' ? '2' : '4';
                at += 9;
        }
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct hot_http *server;
        static struct answers whole, pieces;
        char a[256], b[256];
        size_t n;

        if (!server) {
                server = conversation_server();
                whole.bytes = malloc(ANSWERS_MAX);
                pieces.bytes = malloc(ANSWERS_MAX);
        }
        if (size < 1 || size > 16384)
                return 0;
        whole.len = pieces.len = 0;
        converse(server, data + 1, size - 1, size, &whole);
        converse(server, data + 1, size - 1, 1 + data[0], &pieces);
        n = classify(&whole, a, sizeof(a));
        assert(classify(&pieces, b, sizeof(b)) == n && !memcmp(a, b, n));
        return 0;
}
