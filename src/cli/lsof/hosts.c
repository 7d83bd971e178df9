/* SPDX-License-Identifier: MIT */
#include "hosts.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "decimal.h"
#include "memory.h"
#include "text.h"

enum { PORTS = 65536 };

struct lsof_host {
        struct lsof_endpoint end;
        char *name; /* owned */
};

static size_t address_length(int family)
{
        return family == AF_INET ? 4 : 16;
}

static char *number_of(const struct lsof_endpoint *end)
{
        char text[INET6_ADDRSTRLEN], bracketed[INET6_ADDRSTRLEN + 2];

        inet_ntop(end->family, end->address, text, sizeof(text));
        if (end->family == AF_INET)
                return lsof_copy(text);
        snprintf(bracketed, sizeof(bracketed), "[%s]", text);
        return lsof_copy(bracketed);
}

static char *look_up(const struct lsof_hosts *hosts, const struct lsof_endpoint *end)
{
        const struct hostent *host = NULL;

        if (!hosts->by_number)
                host = gethostbyaddr(end->address, (socklen_t)address_length(end->family),
                                     end->family);
        return host && host->h_name ? lsof_copy(host->h_name) : number_of(end);
}

static const char *host_name(struct lsof_hosts *hosts, const struct lsof_endpoint *end)
{
        size_t len = address_length(end->family);
        struct lsof_host *host;

        for (size_t i = 0; i < hosts->n; i++)
                if (hosts->hosts[i].end.family == end->family &&
                    memcmp(hosts->hosts[i].end.address, end->address, len) == 0)
                        return hosts->hosts[i].name;
        hosts->hosts = lsof_grow(hosts->hosts, hosts->n, sizeof(*host));
        host = &hosts->hosts[hosts->n++];
        host->end = *end;
        host->name = look_up(hosts, end);
        return host->name;
}

/* Of several names of a port the first counts. */
static void load_services(struct lsof_hosts *hosts)
{
        const struct servent *service;
        int udp, port;

        hosts->services[0] = lsof_new(PORTS, sizeof(char *));
        hosts->services[1] = lsof_new(PORTS, sizeof(char *));
        setservent(1);
        while ((service = getservent())) {
                udp = strcasecmp(service->s_proto, "udp") == 0;
                port = ntohs((uint16_t)service->s_port);
                if ((udp || strcasecmp(service->s_proto, "tcp") == 0) &&
                    !hosts->services[udp][port])
                        hosts->services[udp][port] = lsof_copy(service->s_name);
        }
        endservent();
}

static const char *service_name(struct lsof_hosts *hosts, const char *protocol, int port)
{
        if (hosts->ports_by_number ||
            (strcmp(protocol, "TCP") != 0 && strcmp(protocol, "UDP") != 0))
                return NULL;
        if (!hosts->services[0])
                load_services(hosts);
        return hosts->services[strcmp(protocol, "UDP") == 0][port & (PORTS - 1)];
}

static bool is_any(const struct lsof_endpoint *end)
{
        static const unsigned char zero[16];

        return memcmp(end->address, zero, address_length(end->family)) == 0;
}

/* As it is done when most addresses are different, and no name is asked for. */
static void print_number(FILE *out, const struct lsof_endpoint *end)
{
        char text[INET6_ADDRSTRLEN], *at = text;

        if (end->family == AF_INET) {
                for (size_t i = 0; i < 4; i++) {
                        at = hot__decimal(at, end->address[i]);
                        *at++ = '.';
                }
                fwrite_unlocked(text, 1, (size_t)(at - text) - 1, out);
                return;
        }
        inet_ntop(end->family, end->address, text, sizeof(text));
        fprintf(out, "[%s]", text);
}

static void print_port(FILE *out, int port)
{
        char text[HOT__DECIMAL_MAX];

        hot__decimal(text, (uint64_t)port);
        fputs_unlocked(text, out);
}

void lsof_hosts_print(struct lsof_hosts *hosts, FILE *out, const char *protocol,
                      const struct lsof_endpoint *end)
{
        const char *service;

        if (is_any(end))
                putc_unlocked('*', out);
        else if (hosts->by_number)
                print_number(out, end);
        else
                lsof_text_print(out, host_name(hosts, end));
        service = end->port > 0 ? service_name(hosts, protocol, end->port) : "*";
        putc_unlocked(':', out);
        if (service)
                lsof_text_print(out, service);
        else
                print_port(out, end->port);
}
