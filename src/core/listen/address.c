/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text.
 *
 *     tcp://HOST:PORT  udp://HOST:PORT  HOST:PORT    HOST: a name, a.b.c.d, [v6], [v6%scope] or nothing
 *     unix:/PATH       unix:@NAME                    \xNN is a byte; a backslash is written \x5c
 *
 * A parsed address is in normal form, so that two addresses are the same place if they print the same.
 * What inet_aton(3) would take for a number (127.1, 0x7f000001) but inet_pton(3) does not is refused
 * rather than handed to the resolver, which would read it as another address than a person does. The
 * first "?" begins the settings (settings.h); in a UNIX name it is written \x3f.
 */
#include "address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define SUN_PATH_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path)

/* The longest text for a place: one with needless slashes may be as long as a path. */
#define PLACE_MAX 4096

/* The C library's ctype(3) asks the locale; addresses do not depend on it. */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char to_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int hex_value(char c)
{
        c = to_lower(c);
        if (is_digit(c))
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_decimal(const char *text)
{
        for (const char *p = text; *p; p++)
                if (!is_digit(*p))
                        return false;
        return *text != '\0';
}

static const char *skip_prefix(const char *text, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

static int parse_port(const char *text, char *ret, size_t size)
{
        unsigned int port = 0;

        for (const char *p = text; *p; p++) {
                port = port * 10 + (unsigned int)(*p - '0');
                if (port > UINT16_MAX)
                        return -EINVAL;
        }
        snprintf(ret, size, "%u", port);
        return 0;
}

/* A number, or a name as RFC 6335 section 5.1 has it, but of up to 32 characters. */
static int parse_service(const char *text, char *ret, size_t size)
{
        size_t n = strlen(text);
        bool letter = false;

        if (n == 0 || n >= size)
                return -EINVAL;
        if (is_decimal(text))
                return parse_port(text, ret, size);
        for (const char *p = text; *p; p++) {
                if (!is_letter(*p) && !is_digit(*p) && *p != '-')
                        return -EINVAL;
                letter = letter || is_letter(*p);
        }
        if (!letter || text[0] == '-' || text[n - 1] == '-')
                return -EINVAL;
        memcpy(ret, text, n + 1);
        return 0;
}

/* Does a host name end in a number, so that inet_aton(3) would take it for an address? */
static bool ends_in_number(const char *host)
{
        const char *label = strrchr(host, '.');

        label = label ? label + 1 : host;
        if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
                return true;
        return is_decimal(label);
}

static int parse_name(const char *text, char *ret)
{
        for (size_t i = 0; text[i]; i++) {
                bool dot = text[i] == '.';

                if (dot && (i == 0 || text[i - 1] == '.'))
                        return -EINVAL;
                if (!dot && !is_letter(text[i]) && !is_digit(text[i]) && text[i] != '-' &&
                    text[i] != '_')
                        return -EINVAL;
        }
        if (ends_in_number(text))
                return -EINVAL;
        for (size_t i = 0; i == 0 || text[i - 1]; i++)
                ret[i] = to_lower(text[i]);
        return 0;
}

/* A name or a dotted quad, of @size - 1 characters at most. */
static int parse_host(const char *text, char *ret, size_t size)
{
        struct in_addr in;

        if (strlen(text) >= size)
                return -EINVAL;
        if (inet_pton(AF_INET, text, &in) == 1)
                return inet_ntop(AF_INET, &in, ret, (socklen_t)size) ? 0 : -EINVAL;
        return parse_name(text, ret);
}

static bool is_scope(const char *text)
{
        size_t n = strlen(text);

        if (n == 0 || n >= IF_NAMESIZE)
                return false;
        for (const char *p = text; *p; p++)
                if (!is_letter(*p) && !is_digit(*p) && !strchr("-_.", *p))
                        return false;
        return true;
}

/* What stands between the brackets. */
static int parse_ipv6(const char *text, char *ret, size_t size)
{
        char literal[INET6_ADDRSTRLEN];
        const char *scope = strchr(text, '%');
        size_t n = scope ? (size_t)(scope - text) : strlen(text);
        struct in6_addr in6;

        if (n >= sizeof(literal) || (scope && !is_scope(scope + 1)))
                return -EINVAL;
        memcpy(literal, text, n);
        literal[n] = '\0';
        if (inet_pton(AF_INET6, literal, &in6) != 1)
                return -EINVAL;
        inet_ntop(AF_INET6, &in6, literal, sizeof(literal));
        snprintf(ret, size, "%s%s", literal, scope ? scope : "");
        return 0;
}

/* HOST:PORT, split at the only colon outside brackets. */
static int parse_inet(const char *text, struct hot__address *ret)
{
        char host[sizeof(ret->host)];
        bool brackets = text[0] == '[';
        const char *start = text + (brackets ? 1 : 0);
        const char *end = strchr(start, brackets ? ']' : ':');
        const char *colon = end && brackets ? end + 1 : end;
        size_t n;
        int r;

        if (!end || *colon != ':')
                return -EINVAL;
        n = (size_t)(end - start);
        if (n >= sizeof(host))
                return -EINVAL;
        memcpy(host, start, n);
        host[n] = '\0';
        if (brackets)
                r = parse_ipv6(host, ret->host, sizeof(ret->host));
        else if (n > 0)
                r = parse_host(host, ret->host, sizeof(ret->host));
        else
                r = 0;
        return r < 0 ? r : parse_service(colon + 1, ret->service, sizeof(ret->service));
}

/*
 * One byte of a UNIX name: the character itself or \xNN. Returns the byte and moves *@text behind it, or
 * -EINVAL: a zero byte cannot be part of a name that is a C string here.
 */
static int parse_byte(const char **text)
{
        const char *p = *text;
        int high, low;

        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '?')
                return -EINVAL;
        if (*p != '\\') {
                *text = p + 1;
                return (unsigned char)*p;
        }
        high = p[1] == 'x' ? hex_value(p[2]) : -1;
        low = high >= 0 ? hex_value(p[3]) : -1;
        if (low < 0 || high + low == 0)
                return -EINVAL;
        *text = p + 4;
        return high * 16 + low;
}

static int parse_unix(const char *text, struct hot__address *ret)
{
        bool abstract = text[0] == '@';
        /* An abstract name has no terminating zero, but its '@' stands for a leading one. */
        size_t max = abstract ? SUN_PATH_MAX : SUN_PATH_MAX - 1, n = 0;

        static_assert(sizeof(ret->path) > SUN_PATH_MAX, "room for an abstract name");
        if (!abstract && text[0] != '/')
                return -EINVAL;
        while (*text) {
                int c = parse_byte(&text);

                if (c < 0 || n == max)
                        return -EINVAL;
                if (!abstract && c == '/' && n > 0 && ret->path[n - 1] == '/')
                        continue;
                ret->path[n++] = (char)c;
        }
        ret->path[n] = '\0';
        if (n < 2 || (!abstract && ret->path[n - 1] == '/'))
                return -EINVAL;
        return 0;
}

static int parse_place(const char *text, struct hot__address *ret)
{
        const char *rest;

        if ((rest = skip_prefix(text, "unix:"))) {
                ret->kind = HOT__ADDRESS_UNIX;
                return parse_unix(rest, ret);
        }
        if ((rest = skip_prefix(text, "udp://"))) {
                ret->kind = HOT__ADDRESS_UDP;
                return parse_inet(rest, ret);
        }
        rest = skip_prefix(text, "tcp://");
        return parse_inet(rest ? rest : text, ret);
}

static enum hot__settings_of settings_of(const struct hot__address *address)
{
        if (address->kind == HOT__ADDRESS_UNIX)
                return address->path[0] == '@' ? HOT__SETTINGS_OF_ABSTRACT : HOT__SETTINGS_OF_PATH;
        return address->kind == HOT__ADDRESS_UDP ? HOT__SETTINGS_OF_UDP : HOT__SETTINGS_OF_TCP;
}

int hot__address_parse(const char *text, struct hot__address *ret)
{
        struct hot__address address = {.kind = HOT__ADDRESS_TCP};
        char place[PLACE_MAX];
        size_t n = strcspn(text, "?");
        int r;

        if (n >= sizeof(place))
                return -EINVAL;
        memcpy(place, text, n);
        place[n] = '\0';
        r = parse_place(place, &address);
        if (r == 0 && text[n])
                r = hot__settings_parse(text + n + 1, settings_of(&address), &address.settings);
        if (r < 0)
                return r;
        *ret = address;
        return 0;
}

static int print(char *buffer, size_t size, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* snprintf(3) that leaves no half address behind. */
static int print(char *buffer, size_t size, const char *format, ...)
{
        char text[HOT__ADDRESS_MAX];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= sizeof(text) || (size_t)n >= size)
                return -ENOSPC;
        memcpy(buffer, text, (size_t)n + 1);
        return 0;
}

/* Bytes above 0x7f are UTF-8 in a path; an abstract name is no text. */
static bool prints_as_itself(unsigned char c, bool abstract)
{
        return c >= 0x20 && c != 0x7f && c != '\\' && c != '?' && (c < 0x80 || !abstract);
}

/* @name is what sun_path has, but for the '@' of an abstract one. A relative path may start with '@' too. */
static int print_unix(const char *name, size_t len, bool abstract, char *buffer, size_t size)
{
        char text[4 * SUN_PATH_MAX + 1];
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)name[i];
                bool ambiguous = i == 0 && c == '@' && !abstract;

                if (prints_as_itself(c, abstract) && !ambiguous)
                        text[n++] = name[i];
                else
                        n += (size_t)snprintf(text + n, sizeof(text) - n, "\\x%02x", c);
        }
        text[n] = '\0';
        return print(buffer, size, "unix:%s", text);
}

static int print_inet(enum hot__address_kind kind, const char *host, const char *service,
                      char *buffer, size_t size)
{
        bool brackets = strchr(host, ':') != NULL;

        return print(buffer, size, "%s://%s%s%s:%s", kind == HOT__ADDRESS_UDP ? "udp" : "tcp",
                     brackets ? "[" : "", host, brackets ? "]" : "", service);
}

static int format(const struct hot__address *address, uint32_t settings, char *buffer, size_t size)
{
        char text[HOT__ADDRESS_FULL_MAX];
        size_t n;
        int r;

        if (address->kind == HOT__ADDRESS_UNIX)
                r = print_unix(address->path, strlen(address->path), address->path[0] == '@', text,
                               sizeof(text));
        else
                r = print_inet(address->kind, address->host, address->service, text, sizeof(text));
        if (r < 0)
                return r;
        n = strlen(text);
        r = hot__settings_format(&address->settings, settings, text + n, sizeof(text) - n);
        if (r < 0 || n + (size_t)r >= size)
                return -ENOSPC;
        memcpy(buffer, text, n + (size_t)r + 1);
        return 0;
}

int hot__address_format(const struct hot__address *address, char *buffer, size_t size)
{
        return format(address, UINT32_MAX, buffer, size);
}

int hot__address_format_place(const struct hot__address *address, char *buffer, size_t size)
{
        return format(address, 1U << HOT__SETTING_DEVICE, buffer, size);
}

static int format_sockaddr_un(const struct sockaddr_un *un, socklen_t len, char *buffer,
                              size_t size)
{
        char name[SUN_PATH_MAX];
        size_t n = len - offsetof(struct sockaddr_un, sun_path);
        bool abstract = n > 0 && un->sun_path[0] == '\0';

        if (n > sizeof(name))
                return -EINVAL;
        memcpy(name, un->sun_path, n);
        if (abstract)
                name[0] = '@';
        else
                n = strnlen(name, n);
        return print_unix(name, n, abstract, buffer, size);
}

static int format_sockaddr_in(const struct sockaddr_in *in, enum hot__address_kind kind,
                              char *buffer, size_t size)
{
        char host[INET_ADDRSTRLEN], service[6];

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(service, sizeof(service), "%u", (unsigned int)ntohs(in->sin_port));
        return print_inet(kind, host, service, buffer, size);
}

static int format_sockaddr_in6(const struct sockaddr_in6 *in6, enum hot__address_kind kind,
                               char *buffer, size_t size)
{
        char literal[INET6_ADDRSTRLEN], host[INET6_ADDRSTRLEN + 11], service[6];

        inet_ntop(AF_INET6, &in6->sin6_addr, literal, sizeof(literal));
        if (in6->sin6_scope_id)
                snprintf(host, sizeof(host), "%s%%%u", literal, in6->sin6_scope_id);
        else
                snprintf(host, sizeof(host), "%s", literal);
        snprintf(service, sizeof(service), "%u", (unsigned int)ntohs(in6->sin6_port));
        return print_inet(kind, host, service, buffer, size);
}

int hot__address_format_sockaddr(const struct sockaddr *sa, socklen_t len, int type, char *buffer,
                                 size_t size)
{
        enum hot__address_kind kind = type == SOCK_DGRAM ? HOT__ADDRESS_UDP : HOT__ADDRESS_TCP;

        if (len < sizeof(sa->sa_family))
                return -EINVAL;
        switch (sa->sa_family) {
        case AF_UNIX:
                return format_sockaddr_un((const void *)sa, len, buffer, size);
        case AF_INET:
                if (len < sizeof(struct sockaddr_in))
                        return -EINVAL;
                return format_sockaddr_in((const void *)sa, kind, buffer, size);
        case AF_INET6:
                if (len < sizeof(struct sockaddr_in6))
                        return -EINVAL;
                return format_sockaddr_in6((const void *)sa, kind, buffer, size);
        default:
                return -EAFNOSUPPORT;
        }
}
