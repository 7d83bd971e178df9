/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define N_OF_WORD sizeof(uint64_t)

/* A byte of this value in each place of a word. */
#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101)

enum {
        TOKEN = 1,     /* letters, digits and !#$%&'*+-.^_`|~ */
        AUTHORITY = 2, /* a name in it; what else stands there has its place */
        TARGET = 4,
};

#define T (TOKEN | AUTHORITY | TARGET)
#define A (AUTHORITY | TARGET)
#define O (TOKEN | TARGET) /* of a token, and not of a name */
#define P TARGET

/* Of an authority are neither a user's name ("@"), nor what begins a path, nor a list, nor what is quoted. */
static const unsigned char classes[256] = {
        /* clang-format off */
        /*         0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f */
        [0x20] = 0, T, P, TOKEN, T, O, T, T, A, A, T, T, P, T, T, P, /*   ! " # $ % & ' ( ) * + , - . / */
        [0x30] = T, T, T, T, T, T, T, T, T, T, P, A, P, A, P, P,     /* 0 1 2 3 4 5 6 7 8 9 : ; < = > ? */
        [0x40] = P, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,     /* @ A B C D E F G H I J K L M N O */
        [0x50] = T, T, T, T, T, T, T, T, T, T, T, P, P, P, O, T,     /* P Q R S T U V W X Y Z [ \ ] ^ _ */
        [0x60] = O, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,     /* ` a b c d e f g h i j k l m n o */
        [0x70] = T, T, T, T, T, T, T, T, T, T, T, P, O, P, T, 0,     /* p q r s t u v w x y z { | } ~   */
        /* clang-format on */
};

static size_t length_of(const char *at, size_t len, unsigned char class)
{
        size_t n = 0;

        while (n < len && classes[(unsigned char)at[n]] & class)
                n++;
        return n;
}

size_t hot__token_length(const char *at, size_t len)
{
        return length_of(at, len, TOKEN);
}

/* A name, or an IPv4 address, which is one by its characters. */
static size_t name_length(const char *at, size_t len)
{
        size_t n = length_of(at, len, AUTHORITY);

        while (len - n >= 3 && at[n] == '%' && isxdigit((unsigned char)at[n + 1]) &&
               isxdigit((unsigned char)at[n + 2])) {
                n += 3;
                n += length_of(at + n, len - n, AUTHORITY);
        }
        return n;
}

/* "[::1]", or 0. */
static size_t literal_length(const char *at, size_t len)
{
        const char *end = memchr(at, ']', len);
        size_t n = end ? (size_t)(end - at) : 0;

        if (n < 3 || !memchr(at, ':', n))
                return 0;
        for (size_t i = 1; i < n; i++)
                if (at[i] != ':' && !(classes[(unsigned char)at[i]] & AUTHORITY))
                        return 0;
        return n + 1;
}

static bool is_port(const char *at, size_t len)
{
        unsigned int port = 0;

        if (at[0] != ':' || len > 6)
                return false;
        for (size_t i = 1; i < len; i++) {
                if (at[i] < '0' || at[i] > '9')
                        return false;
                port = port * 10 + (unsigned int)(at[i] - '0');
        }
        return port <= 65535;
}

bool hot__token_is_authority(const char *at, size_t len)
{
        size_t host = len && at[0] == '[' ? literal_length(at, len) : name_length(at, len);

        return host == len || (host > 0 && is_port(at + host, len - host));
}

bool hot__token_is_target(const char *at, size_t len)
{
        return length_of(at, len, TARGET) == len;
}

static bool is_valid_slowly(const char *at, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)at[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}

/* Has it a byte below 0x20, or one that is 0x7f? */
static bool may_be_invalid(uint64_t word)
{
        uint64_t control = (word - EACH(0x20)) & ~word;
        uint64_t deleted = word ^ EACH(0x7f);

        deleted = (deleted - EACH(1)) & ~deleted;
        return (control | deleted) & EACH(0x80);
}

/* Eight bytes at a time: values are most of a head. */
bool hot__value_is_valid(const char *at, size_t len)
{
        while (len >= N_OF_WORD) {
                uint64_t word;

                memcpy(&word, at, sizeof(word));
                if (may_be_invalid(word) && !is_valid_slowly(at, N_OF_WORD))
                        return false;
                at += N_OF_WORD;
                len -= N_OF_WORD;
        }
        return is_valid_slowly(at, len);
}

bool hot__token_in_list(const char *list, const char *word)
{
        size_t len = strlen(word);

        while (list && *list) {
                size_t n = strcspn(list, ", \t");

                if (n == len && !strncasecmp(list, word, n))
                        return true;
                list += n + strspn(list + n, ", \t");
        }
        return false;
}
