/* SPDX-License-Identifier: MIT */
#include "token.h"

/* One bit for each of the first 128 characters: letters, digits and !#$%&'*+-.^_`|~ */
static const unsigned int token_bits[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

size_t hot__token_length(const char *at, size_t len)
{
        size_t n = 0;

        while (n < len) {
                unsigned char c = (unsigned char)at[n];

                if (c >= 128 || !(token_bits[c / 32] >> (c % 32) & 1))
                        break;
                n++;
        }
        return n;
}

bool hot__value_is_valid(const char *at, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)at[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}
