/* SPDX-License-Identifier: MIT */
#include "upgrade.h"

#include <errno.h>
#include <sha1.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static void to_base64(const unsigned char *bytes, size_t count, char *text)
{
        static const char letters[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < count; i += 3) {
                uint32_t group = (uint32_t)bytes[i] << 16;

                group |= i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0;
                group |= i + 2 < count ? bytes[i + 2] : 0;
                *text++ = letters[group >> 18];
                *text++ = letters[group >> 12 & 63];
                *text++ = i + 1 < count ? letters[group >> 6 & 63] : '=';
                *text++ = i + 2 < count ? letters[group & 63] : '=';
        }
        *text = '\0';
}

int hot__upgrade_ask(struct hot__upgrade *upgrade, const char *path, const char *host,
                     unsigned short random[3], struct hot__outbox *outbox)
{
        unsigned char nonce[16], digest[SHA1_DIGEST_LENGTH];
        char key[32], request[1024];
        SHA1_CTX context;
        int length;

        *upgrade = (struct hot__upgrade){0};
        for (size_t i = 0; i < sizeof(nonce); i++)
                nonce[i] = (unsigned char)nrand48(random);
        to_base64(nonce, sizeof(nonce), key);
        SHA1Init(&context);
        SHA1Update(&context, (const uint8_t *)key, strlen(key));
        SHA1Update(&context, (const uint8_t *)guid, strlen(guid));
        SHA1Final(digest, &context);
        to_base64(digest, sizeof(digest), upgrade->accept);
        length = snprintf(request, sizeof(request),
                          "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: %s\r\n\r\n",
                          path, host, key);
        return hot__outbox_add(outbox, request, (size_t)length);
}

/* The value of a field of the head, NULL if there is none; its line is terminated. */
static const char *field_of(char *line, const char *name)
{
        size_t length = strlen(name);

        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
                return NULL;
        line += length + 1;
        return line + strspn(line, " \t");
}

static void read_line(struct hot__upgrade *upgrade, char *line, bool *accepted)
{
        const char *value;

        if ((value = field_of(line, "Sec-WebSocket-Accept")))
                *accepted = strcmp(value, upgrade->accept) == 0;
        else if ((value = field_of(line, "X-Generation")))
                upgrade->identity.number = strtoull(value, NULL, 10);
        else if ((value = field_of(line, "X-Pid")))
                upgrade->identity.pid = (pid_t)strtol(value, NULL, 10);
}

static int read_head(struct hot__upgrade *upgrade)
{
        char *rest = upgrade->head, *line;
        bool accepted = false;

        if (sscanf(upgrade->head, "HTTP/1.%*1[01] %3d", &upgrade->status) != 1)
                return -EPROTO;
        while ((line = strsep(&rest, "\n"))) {
                line[strcspn(line, "\r")] = '\0';
                read_line(upgrade, line, &accepted);
        }
        if (upgrade->status != 101)
                return -EACCES;
        return accepted ? 0 : -EPROTO;
}

ssize_t hot__upgrade_feed(struct hot__upgrade *upgrade, const char *bytes, size_t count)
{
        size_t had = upgrade->length, room = sizeof(upgrade->head) - 1 - had;
        const char *end;
        int r;

        if (count > room)
                count = room;
        memcpy(upgrade->head + had, bytes, count);
        upgrade->length += count;
        upgrade->head[upgrade->length] = '\0';
        end = strstr(upgrade->head, "\r\n\r\n");
        if (!end)
                return upgrade->length < sizeof(upgrade->head) - 1 ? (ssize_t)count : -EPROTO;
        upgrade->complete = true;
        upgrade->length = (size_t)(end + 4 - upgrade->head);
        upgrade->head[upgrade->length] = '\0';
        r = read_head(upgrade);
        return r < 0 ? r : (ssize_t)(upgrade->length - had);
}
