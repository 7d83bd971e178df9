/* SPDX-License-Identifier: MIT */
/*
 * State of a server on HTTP: a word, put in its place by POST /word, which the next generation gets.
 *
 *      POST /word          remembers the body
 *      GET  /word          "VERSION WORD": where it came from: 0 from here, 1 from the offer, 2 from the commit
 *
 * A new generation that gets "bad" with the commit does not want to serve.
 */
#include "httpd.h"

#include <string.h>

static struct {
        pthread_mutex_t lock;
        char word[64];
        size_t len;
        uint32_t version;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_post(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        size_t len;
        const char *body = hot_http_request_body(request, &len);

        (void)data, (void)response;
        pthread_mutex_lock(&state.lock);
        state.len = len < sizeof(state.word) ? len : sizeof(state.word);
        memcpy(state.word, body, state.len);
        state.version = 0;
        pthread_mutex_unlock(&state.lock);
}

static void on_get(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        (void)data, (void)request;
        pthread_mutex_lock(&state.lock);
        hot_http_response_printf(response, "%u %.*s", (unsigned)state.version, (int)state.len,
                                 state.word);
        pthread_mutex_unlock(&state.lock);
}

static int put(struct hot *hot, uint32_t version)
{
        int r;

        pthread_mutex_lock(&state.lock);
        r = hot_put(hot, "word", state.word, state.len, version);
        pthread_mutex_unlock(&state.lock);
        return r;
}

static int get(struct hot *hot)
{
        const void *bytes;
        size_t len;
        int r = hot_get(hot, "word", &bytes, &len, &state.version);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (len > sizeof(state.word) || (len == 3 && memcmp(bytes, "bad", 3) == 0))
                return -EILSEQ;
        memcpy(state.word, bytes, len);
        state.len = len;
        return 0;
}

static int on_handover(struct hot_http *server, int moment, void *data)
{
        struct hot *hot = hot_http_hot(server);

        (void)data;
        switch (moment) {
        case HOT_SAVE:
                return put(hot, 1);
        case HOT_QUIESCE:
                return put(hot, 2);
        case HOT_SERVE:
                return get(hot);
        default:
                return 0;
        }
}

void httpd_set_up_state(struct hot_http *server)
{
        hot_http_on_handover(server, on_handover, NULL);
        hot_http_handle(server, "POST", "/word", on_post, NULL);
        hot_http_handle(server, "GET", "/word", on_get, NULL);
}
