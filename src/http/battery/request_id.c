/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "request_id.h"

void hot__request_id_make(uint64_t seed, uint64_t number, char id[HOT__REQUEST_ID_MAX + 1])
{
        snprintf(id, HOT__REQUEST_ID_MAX + 1, "%016" PRIx64 "%08" PRIx64, seed, number);
}

size_t hot__request_id_take(const char *came, char id[HOT__REQUEST_ID_MAX + 1])
{
        size_t len = came ? strspn(came, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-._~+/=:")
                          : 0;

        if (len == 0 || len > HOT__REQUEST_ID_MAX || came[len])
                return 0;
        memcpy(id, came, len + 1);
        return len;
}

uint64_t hot__request_id_seed(void)
{
        struct timespec now;
        uint64_t seed;

        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
                return seed;
        clock_gettime(CLOCK_REALTIME, &now); /* early at boot: unique will do */
        return (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 44;
}
