/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "payload.h"

size_t hot__message_print(const struct hot__message *message, uint64_t number, char *text,
                          size_t size)
{
        int length = snprintf(text, size, "%u %" PRIu64 " ", message->client, number);

        hot__payload_fill(number ^ (uint64_t)message->client << 40, 0, text + length,
                          (size_t)message->size);
        /* Text must be UTF-8. */
        for (size_t i = 0; i < message->size; i++)
                text[(size_t)length + i] =
                        (char)('a' + (unsigned char)text[(size_t)length + i] % 26);
        return (size_t)length + (size_t)message->size;
}

uint64_t hot__message_parse(const struct hot__message *message, const char *text, size_t length,
                            bool *ret_right)
{
        char own[HOT__MESSAGE_MAX], numbers[64];
        size_t count = length < sizeof(numbers) - 1 ? length : sizeof(numbers) - 1;
        unsigned int client;
        uint64_t number;

        memcpy(numbers, text, count);
        numbers[count] = '\0';
        if (sscanf(numbers, "%u %" SCNu64 " ", &client, &number) != 2 || client != message->client)
                return 0;
        *ret_right = hot__message_print(message, number, own, sizeof(own)) == length &&
                     memcmp(own, text, length) == 0;
        return number;
}
