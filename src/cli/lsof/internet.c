/* SPDX-License-Identifier: MIT */
#include "internet.h"

#include <string.h>
#include <strings.h>

#include "address.h"
#include "memory.h"

void lsof_internet_add_any(struct lsof_internet *internet)
{
        internet->any = true;
        internet->any_family = 0;
}

/* "4" or "6" alone; one after the other is both. */
static void add_family(struct lsof_internet *internet, int family)
{
        if (!internet->any || internet->any_family == 0)
                internet->any_family = family;
        else if (internet->any_family != family)
                internet->any_family = 0;
        internet->any = true;
}

int lsof_internet_add(struct lsof_internet *internet, const char *text)
{
        if ((*text == '4' || *text == '6') && !text[1]) {
                add_family(internet, *text - '0');
                return 0;
        }
        return lsof_address_read(internet, text);
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (bytes[i])
                        return false;
        return true;
}

static bool matches(const struct lsof_address *address, const char *protocol,
                    const struct lsof_endpoint *end)
{
        size_t len = end->family == AF_INET ? 4 : 16;

        if (*address->protocol && strcasecmp(address->protocol, protocol) != 0)
                return false;
        if (address->host.family && address->host.family != end->family)
                return false;
        if (!is_zero(address->host.address, len) &&
            memcmp(address->host.address, end->address, len) != 0)
                return false;
        return address->first_port == -1 ||
               (end->port >= address->first_port && end->port <= address->last_port);
}

/* The last that was asked for is looked at first. */
bool lsof_internet_match(struct lsof_internet *internet, const char *protocol,
                         const struct lsof_endpoint *end)
{
        if (!end->family)
                return false;
        for (size_t i = internet->n; i-- > 0;)
                if (matches(&internet->addresses[i], protocol, end)) {
                        internet->addresses[i].found = true;
                        return true;
                }
        return false;
}

/* Of two words with the same text one is found at the latest here: lsof wants that as it is. */
static void settle(struct lsof_address *a, struct lsof_address *b)
{
        if (strcmp(a->text, b->text) != 0)
                return;
        if (a->found)
                b->found = true;
        else if (b->found)
                a->found = true;
        else
                b->found = true;
}

void lsof_internet_settle(struct lsof_internet *internet)
{
        for (size_t i = internet->n; i-- > 0;)
                for (size_t k = i; k-- > 0;)
                        settle(&internet->addresses[i], &internet->addresses[k]);
}
