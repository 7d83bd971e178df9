/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "websocket_key.h"

#define KEY_LEN 24
#define GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

bool hot__websocket_key_is_valid(const char *key)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        return key && strlen(key) == KEY_LEN && strspn(key, digits) == KEY_LEN - 2 &&
               !strcmp(key + KEY_LEN - 2, "==");
}

int hot__websocket_key_answer(const char *key, char accept[HOT__WEBSOCKET_ACCEPT_SIZE])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        char text[KEY_LEN + sizeof(GUID)];
        unsigned int len = 0;

        memcpy(text, key, KEY_LEN);
        memcpy(text + KEY_LEN, GUID, sizeof(GUID));
        if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1)
                return -EIO;
        EVP_EncodeBlock((unsigned char *)accept, digest, (int)len);
        return 0;
}
