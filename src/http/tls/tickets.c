/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "tickets.h"

static int fresh_key(struct hot__ticket_key *key)
{
        if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
            RAND_priv_bytes(key->aes, sizeof(key->aes)) != 1 ||
            RAND_priv_bytes(key->mac, sizeof(key->mac)) != 1)
                return -EIO;
        return 0;
}

/* BOOTTIME goes on while the machine sleeps, and all generations read the same. */
uint64_t hot__tickets_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int hot__tickets_init(struct hot__tickets *tickets, unsigned int period_s)
{
        memset(tickets, 0, sizeof(*tickets));
        for (int i = 0; i < HOT__N_TICKET_KEYS; i++)
                if (fresh_key(&tickets->key[i]) < 0)
                        return -EIO;
        pthread_mutex_init(&tickets->lock, NULL);
        tickets->period_ms = (uint64_t)period_s * 1000;
        tickets->rotate_at = hot__tickets_now() + tickets->period_ms;
        return 0;
}

void hot__tickets_done(struct hot__tickets *tickets)
{
        pthread_mutex_destroy(&tickets->lock);
        OPENSSL_cleanse(tickets->key, sizeof(tickets->key));
}

/* With the lock. A server that slept through periods has its old keys replaced one by one all the same. */
static int rotate(struct hot__tickets *tickets, uint64_t now)
{
        for (int i = 0; tickets->rotate_at <= now && i < HOT__N_TICKET_KEYS; i++) {
                struct hot__ticket_key fresh;

                if (fresh_key(&fresh) < 0)
                        return -EIO;
                tickets->key[HOT__TICKET_PREVIOUS] = tickets->key[HOT__TICKET_CURRENT];
                tickets->key[HOT__TICKET_CURRENT] = tickets->key[HOT__TICKET_NEXT];
                tickets->key[HOT__TICKET_NEXT] = fresh;
                tickets->rotate_at += tickets->period_ms;
                OPENSSL_cleanse(&fresh, sizeof(fresh));
        }
        if (tickets->rotate_at <= now)
                tickets->rotate_at = now + tickets->period_ms;
        return 0;
}

int hot__tickets_current(struct hot__tickets *tickets, uint64_t now,
                         struct hot__ticket_key *ret_key)
{
        int r;

        pthread_mutex_lock(&tickets->lock);
        r = rotate(tickets, now);
        if (r == 0)
                *ret_key = tickets->key[HOT__TICKET_CURRENT];
        pthread_mutex_unlock(&tickets->lock);
        return r;
}

int hot__tickets_find(struct hot__tickets *tickets, uint64_t now, const unsigned char *name,
                      struct hot__ticket_key *ret_key)
{
        int r = -ENOENT;

        pthread_mutex_lock(&tickets->lock);
        rotate(tickets, now);
        for (int i = 0; i < HOT__N_TICKET_KEYS && r < 0; i++) {
                if (CRYPTO_memcmp(tickets->key[i].name, name, HOT__TICKET_NAME) != 0)
                        continue;
                *ret_key = tickets->key[i];
                r = i;
        }
        pthread_mutex_unlock(&tickets->lock);
        return r;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t len)
{
        memcpy(at, bytes, len);
        return at + len;
}

static const unsigned char *get(const unsigned char *at, void *bytes, size_t len)
{
        memcpy(bytes, at, len);
        return at + len;
}

/* In the byte order of the machine: the next generation runs on the same one. */
void hot__tickets_export(struct hot__tickets *tickets, unsigned char bytes[HOT__TICKETS_SIZE])
{
        unsigned char *at = bytes;

        pthread_mutex_lock(&tickets->lock);
        at = put(at, &tickets->rotate_at, sizeof(tickets->rotate_at));
        for (int i = 0; i < HOT__N_TICKET_KEYS; i++) {
                at = put(at, tickets->key[i].name, HOT__TICKET_NAME);
                at = put(at, tickets->key[i].aes, HOT__TICKET_KEY);
                at = put(at, tickets->key[i].mac, HOT__TICKET_KEY);
        }
        pthread_mutex_unlock(&tickets->lock);
}

int hot__tickets_import(struct hot__tickets *tickets, uint64_t now, const void *bytes, size_t len)
{
        const unsigned char *at = bytes;
        uint64_t rotate_at;

        if (len != HOT__TICKETS_SIZE)
                return -EINVAL;
        pthread_mutex_lock(&tickets->lock);
        at = get(at, &rotate_at, sizeof(rotate_at));
        for (int i = 0; i < HOT__N_TICKET_KEYS; i++) {
                at = get(at, tickets->key[i].name, HOT__TICKET_NAME);
                at = get(at, tickets->key[i].aes, HOT__TICKET_KEY);
                at = get(at, tickets->key[i].mac, HOT__TICKET_KEY);
        }
        /* A period that is shorter now than it was in the generation before counts from now on. */
        tickets->rotate_at =
                rotate_at < now + tickets->period_ms ? rotate_at : now + tickets->period_ms;
        pthread_mutex_unlock(&tickets->lock);
        return 0;
}
