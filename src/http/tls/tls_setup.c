/* SPDX-License-Identifier: MIT */
/*
 * TLS as the host asks for it, and what its handlers may ask. The rest of the server knows of TLS what
 * transport.h says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "server.h"
#include "socket.h"
#include "tls_session.h"

static bool is_usable(const struct hot_http_tls_options *options)
{
        return options && options->size >= sizeof(*options) &&
               (!options->min_version || options->min_version == TLS1_2_VERSION ||
                options->min_version == TLS1_3_VERSION) &&
               options->client_certificate >= HOT_HTTP_CLIENT_CERTIFICATE_NONE &&
               options->client_certificate <= HOT_HTTP_CLIENT_CERTIFICATE_REQUIRED &&
               (!options->client_ca == !options->client_certificate);
}

/* Returns false for want of memory. */
static bool set_string(char **string, const char *value)
{
        free(*string);
        *string = value ? strdup(value) : NULL;
        return !value == !*string;
}

int hot_http_tls(struct hot_http *server, const struct hot_http_tls_options *options)
{
        int r = hot__server_setting(server, is_usable(options) ? 0 : -EINVAL);
        struct hot__tls_settings *set;

        if (r < 0)
                return r;
        set = &server->tls.set;
        server->tls.on = true;
        if (options->min_version)
                set->min_version = options->min_version;
        if (options->ticket_s)
                set->ticket_s = options->ticket_s;
        set->client = (enum hot_http_client_certificate)options->client_certificate;
        set->no_http2 = options->no_http2;
        if (!set_string(&set->client_ca, options->client_ca) ||
            !set_string(&set->ciphers, options->ciphers) ||
            !set_string(&set->ciphersuites, options->ciphersuites))
                return hot__server_setting(server, -ENOMEM);
        return 0;
}

int hot_http_add_certificate(struct hot_http *server, const char *certificate, const char *key)
{
        int r = hot__server_setting(server, certificate && key ? 0 : -EINVAL);

        if (r < 0)
                return r;
        server->tls.on = true;
        return hot__server_setting(server, hot__tls_add_files(&server->tls, certificate, key));
}

int hot_http_use_ssl_ctx(struct hot_http *server, struct ssl_ctx_st *ctx)
{
        int r = hot__server_setting(server, ctx ? 0 : -EINVAL);

        if (r < 0)
                return r;
        SSL_CTX_up_ref(ctx);
        SSL_CTX_free(server->tls.own);
        server->tls.own = ctx;
        server->tls.on = true;
        return 0;
}

int hot_http_reload_certificates(struct hot_http *server)
{
        if (!server || !server->tls.bio)
                return -EINVAL;
        return hot__tls_load(&server->tls);
}

int hot_http_listen_and_serve_tls(struct hot_http *server, const char *certificate, const char *key)
{
        if (!server)
                return -EINVAL;
        server->tls.on = true;
        if (certificate || key)
                hot_http_add_certificate(server, certificate, key);
        return hot_http_listen_and_serve(server);
}

bool hot_http_kernel_tls(void)
{
        return hot__socket_has_kernel_tls();
}

static const struct hot__tls_facts *facts_of(const struct hot_http_request *request)
{
        return hot__exchange_of_request(request)->facts;
}

const char *hot_http_request_tls_version(const struct hot_http_request *request)
{
        const struct hot__tls_facts *facts = facts_of(request);

        return facts ? hot__tls_facts_version(facts) : NULL;
}

const char *hot_http_request_tls_cipher(const struct hot_http_request *request)
{
        const struct hot__tls_facts *facts = facts_of(request);

        return facts ? facts->cipher : NULL;
}

const char *hot_http_request_tls_server_name(const struct hot_http_request *request)
{
        const struct hot__tls_facts *facts = facts_of(request);

        return facts ? facts->server_name : NULL;
}

const char *hot_http_request_tls_client(const struct hot_http_request *request)
{
        const struct hot__tls_facts *facts = facts_of(request);

        return facts ? facts->client : NULL;
}
