/* SPDX-License-Identifier: MIT */
#include "upgrade.h"
#include "field.h"
#include "request.h"
#include "response.h"
#include "token.h"

bool hot__upgrade_is_asked(const struct hot_http_request *request, const char *protocol)
{
        return !request->http_1_0 && !request->http_2 &&
               hot__token_in_list(hot_http_request_header(request, "upgrade"), protocol) &&
               hot__token_in_list(hot_http_request_header(request, "connection"), "upgrade");
}

void hot__upgrade_require(struct hot_http_response *response, const char *protocol)
{
        hot__response_set_error(response, 426);
        hot__field_append(&response->fields, "Upgrade", protocol);
}

void hot__upgrade_forbid(struct hot_http_response *response)
{
        if (response->status == 200)
                hot__response_set_error(response, 403);
}
