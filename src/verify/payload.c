/* SPDX-License-Identifier: MIT */
#include "payload.h"

#include <inttypes.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a: only tells bodies of one server apart, nothing depends on its strength. */
static const uint64_t hash_start = 0xcbf29ce484222325U;

static uint64_t hash_more(uint64_t hash, const char *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3U;
        return hash;
}

void hot__payload_expect_text(struct hot__payload_check *check, const char *text)
{
        check->body = text ? HOT__BODY_TEXT : HOT__BODY_ANY;
        check->text = text;
        check->size = text ? strlen(text) : 0;
        check->count = 0;
        check->hash = hash_start;
        check->wrong = false;
}

void hot__payload_expect_pattern(struct hot__payload_check *check, uint64_t size)
{
        hot__payload_expect_text(check, NULL);
        check->body = HOT__BODY_PATTERN;
        check->size = size;
}

void hot__payload_expect_known(struct hot__payload_check *check, uint64_t size, uint64_t hash)
{
        hot__payload_expect_text(check, NULL);
        check->body = HOT__BODY_KNOWN;
        check->size = size;
        check->known = hash;
}

static void digest_upload(uint64_t serial, uint64_t size,
                          unsigned char digest[static SHA256_DIGEST_LENGTH])
{
        char bytes[4096];
        SHA2_CTX context;

        SHA256Init(&context);
        for (uint64_t offset = 0; offset < size; offset += sizeof(bytes)) {
                uint64_t left = size - offset;
                size_t count = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);

                hot__payload_fill(serial, offset, bytes, count);
                SHA256Update(&context, (const unsigned char *)bytes, count);
        }
        SHA256Final(digest, &context);
}

int hot__payload_expect_echo(struct hot__payload_check *check, uint64_t serial, uint64_t size)
{
        unsigned char digest[SHA256_DIGEST_LENGTH];
        int length;

        digest_upload(serial, size, digest);
        hot__payload_expect_text(check, NULL);
        check->body = HOT__BODY_ECHO;
        length = snprintf(check->echo, sizeof(check->echo), "%" PRIu64 " ", size);
        for (size_t i = 0; i < sizeof(digest); i++)
                length += snprintf(check->echo + length, sizeof(check->echo) - (size_t)length,
                                   "%02x", digest[i]);
        check->size = (uint64_t)length;
        return 0;
}

static bool is_text(const char *text, uint64_t size, uint64_t offset, const char *bytes,
                    size_t count)
{
        return offset <= size && count <= size - offset && memcmp(text + offset, bytes, count) == 0;
}

static bool is_pattern(uint64_t offset, const char *bytes, size_t count)
{
        unsigned int phase = (unsigned int)(offset % 23);

        for (size_t i = 0; i < count; i++) {
                if (bytes[i] != (char)('A' + phase))
                        return false;
                phase = phase == 22 ? 0 : phase + 1;
        }
        return true;
}

static bool is_echo(const struct hot__payload_check *check, const char *bytes, size_t count)
{
        /* The one byte too many that is right: a newline at the end. */
        if (count > 0 && check->count + count == check->size + 1 && bytes[count - 1] == '\n')
                count--;
        return is_text(check->echo, check->size, check->count, bytes, count);
}

void hot__payload_see(struct hot__payload_check *check, const char *bytes, size_t count)
{
        switch (check->body) {
        case HOT__BODY_TEXT:
                check->wrong |= !is_text(check->text, check->size, check->count, bytes, count);
                break;
        case HOT__BODY_PATTERN:
                check->wrong |= !is_pattern(check->count, bytes, count);
                break;
        case HOT__BODY_ECHO:
                check->wrong |= !is_echo(check, bytes, count);
                break;
        case HOT__BODY_ANY:
        case HOT__BODY_KNOWN:
        default:
                break;
        }
        /* The pattern is long and always the same: not worth a hash. */
        if (check->body != HOT__BODY_PATTERN)
                check->hash = hash_more(check->hash, bytes, count);
        check->count += count;
}

bool hot__payload_is_right(const struct hot__payload_check *check)
{
        if (check->wrong)
                return false;
        if (check->body == HOT__BODY_ECHO && check->count == check->size + 1)
                return true;
        if (check->body == HOT__BODY_KNOWN && check->hash != check->known)
                return false;
        return check->body == HOT__BODY_ANY || check->count == check->size;
}

/* The finaliser of splitmix64: neighbours in, unrelated numbers out. */
static uint64_t scramble(uint64_t value)
{
        value += 0x9e3779b97f4a7c15U;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31);
}

void hot__payload_fill(uint64_t serial, uint64_t offset, char *ret_bytes, size_t count)
{
        uint64_t seed = scramble(serial), word = 0;

        for (size_t i = 0; i < count; i++) {
                uint64_t at = offset + i;

                if (i == 0 || at % 8 == 0)
                        word = scramble(seed ^ (at / 8));
                ret_bytes[i] = (char)(unsigned char)(word >> (at % 8 * 8));
        }
}
