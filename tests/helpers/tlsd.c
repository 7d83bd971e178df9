/* SPDX-License-Identifier: MIT */
/*
 * A server for tests/system/test_tls.py: what build/demo does not do. GET /tls says how the request came,
 * GET /reload reads the certificates again.
 *
 *     tlsd [--own] [--optional CA] [--ticket SECONDS] PORT-ADDRESS CERT KEY
 *
 * With --own it brings an SSL_CTX of its own, for TLS 1.3 only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include <hotstart/http.h>

static const char *or_none(const char *text)
{
        return text ? text : "-";
}

static void show(const struct hot_http_request *request, struct hot_http_response *response,
                 void *data)
{
        (void)data;
        hot_http_response_printf(response, "%s %s %s %s\n",
                                 or_none(hot_http_request_tls_version(request)),
                                 or_none(hot_http_request_tls_cipher(request)),
                                 or_none(hot_http_request_tls_server_name(request)),
                                 or_none(hot_http_request_tls_client(request)));
}

static void reload(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        (void)request;
        hot_http_response_printf(response, "%d\n", hot_http_reload_certificates(data));
}

static int use_own(struct hot_http *server, const char *certificate, const char *key)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        int r = -1;

        if (ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
            SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
            SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
                r = hot_http_use_ssl_ctx(server, ctx);
        SSL_CTX_free(ctx);
        return r;
}

int main(int argc, char **argv)
{
        struct hot_http_tls_options options = {.size = sizeof(options)};
        struct hot_http *server = NULL;
        bool own = false;
        int at = 1;
        int r;

        for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
                if (!strcmp(argv[at], "--own")) {
                        own = true;
                } else if (!strcmp(argv[at], "--optional") && at + 1 < argc) {
                        options.client_certificate = HOT_HTTP_CLIENT_CERTIFICATE_OPTIONAL;
                        options.client_ca = argv[++at];
                } else if (!strcmp(argv[at], "--ticket") && at + 1 < argc) {
                        options.ticket_s = (unsigned int)atoi(argv[++at]);
                }
        }
        if (argc - at != 3)
                return 2;
        hot_http_new(&server, argv[at], NULL);
        hot_http_tls(server, &options);
        hot_http_handle(server, "GET", "/tls", show, NULL);
        hot_http_handle_blocking(server, "GET", "/reload", reload, server);
        if (own && use_own(server, argv[at + 1], argv[at + 2]) < 0)
                return 3;
        if (own)
                r = hot_http_listen_and_serve_tls(server, NULL, NULL);
        else
                r = hot_http_listen_and_serve_tls(server, argv[at + 1], argv[at + 2]);
        hot_http_free(server);
        return r < 0;
}
