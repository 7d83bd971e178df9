/* SPDX-License-Identifier: MIT */
#include "demo_batteries.h"

#include <stdio.h>

#include <openssl/evp.h>

/* The digest of a body of any size, which is never in memory as a whole. */
static void upload(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int digest_len = 0;
        unsigned long long len = 0;
        char buffer[16384];
        ssize_t n = -1;

        (void)data;
        if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1)
                while ((n = hot_http_request_read(request, buffer, sizeof(buffer))) > 0) {
                        EVP_DigestUpdate(context, buffer, (size_t)n);
                        len += (unsigned long long)n;
                }
        if (n == 0 && EVP_DigestFinal_ex(context, digest, &digest_len) == 1) {
                hot_http_response_printf(response, "%llu ", len);
                for (unsigned int i = 0; i < digest_len; i++)
                        hot_http_response_printf(response, "%02x", digest[i]);
                hot_http_response_printf(response, "\n");
        } else {
                hot_http_response_status(response, 400);
        }
        EVP_MD_CTX_free(context);
}

void demo_batteries_add(struct hot_http *server, const struct demo_batteries *batteries)
{
        int format = batteries->access_format;

        hot_http_handle_metrics(server, "/metrics");
        hot_http_handle_health(server, "/health/live", "/health/ready");
        hot_http_handle_streaming(server, "POST", "/upload", upload, NULL);
        hot_http_handle_streaming(server, "PUT", "/upload", upload, NULL);
        if (batteries->access_log)
                hot_http_log_access(server, batteries->access_log,
                                    format ? format : HOT_HTTP_COMBINED);
}
