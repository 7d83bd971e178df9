/* SPDX-License-Identifier: MIT */
/*
 * The grammar has its traps, which are lsof's: a service name runs to the next comma, so that a range cannot
 * begin with one; a host that is a name is asked for IPv6 first, and for IPv4 after that.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "text.h"

enum { ADDRESSES_MAX = 100, NAME_MAX_LEN = 256 };

/* The reading of one text. */
struct reading {
        struct lsof_internet *internet;
        const char *text;
        const char *at;
        int wanted; /* 4, 6, or 0 */
        struct lsof_address address;
        struct hostent *host; /* libc's, of the last lookup; NULL if the host is no name */
        char host_name[NAME_MAX_LEN];
};

static int refuse(const struct reading *reading, const char *what)
{
        lsof_complain_about(reading->text, "%s: -i ", what);
        return -1;
}

/* Up to one of @stops or the end. Returns 0, or -1 if it is longer than any name. */
static int take_word(struct reading *reading, const char *stops, char *word, size_t size)
{
        size_t len = strcspn(reading->at, stops);

        snprintf(word, size, "%.*s", (int)len, reading->at);
        reading->at += len;
        return len < size ? 0 : -1;
}

static int read_protocol(struct reading *reading)
{
        static const char *const known[] = {"tcp", "udp", "udplite"};
        char word[NAME_MAX_LEN];

        take_word(reading, "@:", word, sizeof(word));
        if (!*word)
                return 0;
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                if (strcasecmp(word, known[i]) == 0) {
                        strcpy(reading->address.protocol, known[i]);
                        return 0;
                }
        lsof_complain_about(reading->text, "unknown protocol name (%s) in: -i ", word);
        return -1;
}

/* Four numbers and nothing else up to a colon: what begins so and goes on otherwise is a name. */
static bool read_v4(struct reading *reading)
{
        char word[NAME_MAX_LEN], *dot;
        unsigned int byte[4], n = 0;
        size_t len = strcspn(reading->at, ":");
        char *rest = word;

        if (strspn(reading->at, "0123456789.") < len || len >= sizeof(word) || *reading->at == '.')
                return false;
        snprintf(word, sizeof(word), "%.*s", (int)len, reading->at);
        while (n < 4 && (dot = strsep(&rest, ".")))
                if (sscanf(dot, "%4u", &byte[n++]) != 1 || strlen(dot) > 4 || byte[n - 1] > 255)
                        return false;
        if (n < 4 || rest)
                return false;
        for (n = 0; n < 4; n++)
                reading->address.host.address[n] = (unsigned char)byte[n];
        reading->address.host.family = AF_INET;
        reading->at += len;
        return true;
}

static int refuse_family(const struct reading *reading, int family)
{
        return refuse(reading, family == 4 ? "IPv4 addresses are prohibited"
                                           : "IPv6 addresses are prohibited");
}

/* "[::1]" */
static int read_v6(struct reading *reading)
{
        struct in6_addr address;
        const char *end = strrchr(reading->at, ']');
        char word[INET6_ADDRSTRLEN + 1];

        if (reading->wanted == 4)
                return refuse_family(reading, 6);
        if (!end || (size_t)(end - reading->at) > sizeof(word))
                return refuse(reading, "unacceptable Internet address in");
        snprintf(word, sizeof(word), "%.*s", (int)(end - reading->at - 1), reading->at + 1);
        if (inet_pton(AF_INET6, word, &address) != 1 || IN6_IS_ADDR_UNSPECIFIED(&address))
                return refuse(reading, "unacceptable Internet address in");
        reading->at = end + 1;
        if (!IN6_IS_ADDR_V4MAPPED(&address)) {
                memcpy(reading->address.host.address, &address, sizeof(address));
                reading->address.host.family = AF_INET6;
                return 0;
        }
        if (reading->wanted == 6)
                return refuse_family(reading, 4);
        memcpy(reading->address.host.address, &address.s6_addr[12], 4);
        reading->address.host.family = AF_INET;
        return 0;
}

static bool look_up(struct reading *reading, int family)
{
        reading->host = gethostbyname2(reading->host_name, family);
        if (!reading->host)
                return false;
        memset(reading->address.host.address, 0, sizeof(reading->address.host.address));
        memcpy(reading->address.host.address, reading->host->h_addr_list[0],
               (size_t)reading->host->h_length);
        reading->address.host.family = family;
        return true;
}

static int read_name(struct reading *reading)
{
        take_word(reading, ":", reading->host_name, sizeof(reading->host_name));
        if (reading->wanted != 4 && look_up(reading, AF_INET6))
                return 0;
        if (reading->wanted != 6 && look_up(reading, AF_INET))
                return 0;
        lsof_complain_about(reading->text, "unknown host name (%s) in: -i ", reading->host_name);
        return -1;
}

static int read_host(struct reading *reading)
{
        if (*reading->at != '@')
                return 0;
        reading->at++;
        if (!*reading->at || *reading->at == ':')
                return refuse(reading, "unacceptable Internet address in");
        if (read_v4(reading))
                return reading->wanted == 6 ? refuse_family(reading, 4) : 0;
        return *reading->at == '[' ? read_v6(reading) : read_name(reading);
}

static bool says_nothing(const struct lsof_address *address)
{
        static const unsigned char zero[16];

        return !*address->protocol && memcmp(address->host.address, zero, sizeof(zero)) == 0 &&
               address->first_port == -1;
}

static int add_one(struct reading *reading)
{
        struct lsof_internet *internet = reading->internet;

        if (says_nothing(&reading->address))
                return refuse(reading, "incomplete Internet address specification");
        if (internet->n >= ADDRESSES_MAX) {
                lsof_complain_about(reading->text, "network address limit (%d) exceeded: -i ",
                                    ADDRESSES_MAX);
                return -1;
        }
        internet->addresses = lsof_grow(internet->addresses, internet->n, sizeof(reading->address));
        internet->addresses[internet->n++] = reading->address;
        return 0;
}

/* All addresses that a name has. */
static int add_host(struct reading *reading)
{
        int r = add_one(reading);

        for (size_t i = 1; r == 0 && reading->host && reading->host->h_addr_list[i]; i++) {
                memcpy(reading->address.host.address, reading->host->h_addr_list[i],
                       (size_t)reading->host->h_length);
                r = add_one(reading);
        }
        return r;
}

static int add(struct reading *reading)
{
        int r = add_host(reading);

        if (r == 0 && *reading->host_name && reading->wanted != 6 &&
            reading->address.host.family == AF_INET6 && look_up(reading, AF_INET))
                r = add_host(reading);
        return r;
}

static int refuse_conflict(const struct reading *reading, const char *name, int tcp, int udp)
{
        lsof_complain("TCP=%d and UDP=%d %s ports conflict;", tcp, udp, name);
        fprintf(stderr, "      specify \"tcp:%s\" or \"udp:%s\": -i ", name, name);
        lsof_text_print(stderr, reading->text);
        putc('\n', stderr);
        return -1;
}

/* Returns the port, or -1. */
static int service_port(const char *name, const char *protocol)
{
        const struct servent *service = getservbyname(name, protocol);

        return service ? ntohs((uint16_t)service->s_port) : -1;
}

static int read_service(struct reading *reading, int *port)
{
        const char *protocol = reading->address.protocol;
        char name[NAME_MAX_LEN];
        int tcp, udp;

        take_word(reading, ",", name, sizeof(name));
        if (!*name)
                return refuse(reading, "invalid service name");
        if (*protocol) {
                *port = service_port(name, protocol);
                if (*port >= 0)
                        return 0;
                lsof_complain_about(reading->text, "unknown service %s for %s in: -i ", name,
                                    protocol);
                return -1;
        }
        tcp = service_port(name, "tcp");
        udp = service_port(name, "udp");
        if (tcp < 0 && udp < 0) {
                lsof_complain_about(reading->text, "unknown service %s in: -i ", name);
                return -1;
        }
        if (tcp >= 0 && udp >= 0 && tcp != udp)
                return refuse_conflict(reading, name, tcp, udp);
        *port = tcp >= 0 ? tcp : udp;
        return 0;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static int read_number(struct reading *reading)
{
        int number = 0;

        for (; is_digit(*reading->at); reading->at++)
                number = number > 99999999 ? number : number * 10 + (*reading->at - '0');
        return number;
}

static int refuse_ports(const struct reading *reading)
{
        return refuse(reading, "unacceptable port specification in");
}

/* One port, one range or one service, up to a comma or the end. */
static int read_range(struct reading *reading)
{
        struct lsof_address *address = &reading->address;

        if (!is_digit(*reading->at)) {
                if (read_service(reading, &address->first_port) < 0)
                        return -1;
                address->last_port = address->first_port;
                return 0;
        }
        address->first_port = address->last_port = read_number(reading);
        if (*reading->at == '-') {
                reading->at++;
                address->last_port = 0;
                if (is_digit(*reading->at))
                        address->last_port = read_number(reading);
                else if (*reading->at && read_service(reading, &address->last_port) < 0)
                        return -1;
        }
        if ((*reading->at && *reading->at != ',') || address->last_port < address->first_port)
                return refuse_ports(reading);
        return 0;
}

static int read_ports(struct reading *reading)
{
        if (*reading->at != ':' || !reading->at[1])
                return refuse_ports(reading);
        do {
                reading->at++;
                if (!*reading->at)
                        break;
                if (read_range(reading) < 0 || add(reading) < 0)
                        return -1;
        } while (*reading->at);
        return 0;
}

int lsof_address_read(struct lsof_internet *internet, const char *text)
{
        struct reading reading = {
                .internet = internet,
                .text = text,
                .at = text,
                .wanted = internet->any ? internet->any_family : 0,
                .address = {.first_port = -1, .last_port = -1, .text = text},
        };

        if (*text == '4' || *text == '6')
                reading.wanted = *reading.at++ - '0';
        if (reading.wanted != 0)
                reading.address.host.family = reading.wanted == 4 ? AF_INET : AF_INET6;
        if (read_protocol(&reading) < 0 || read_host(&reading) < 0)
                return -1;
        return *reading.at ? read_ports(&reading) : add(&reading);
}
