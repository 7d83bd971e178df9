/* SPDX-License-Identifier: MIT */
#include "loop.h"

static void on_wake(uv_async_t *wake)
{
        struct hot__loop *loop = wake->data;

        loop->woken(loop);
}

static void on_timer(uv_timer_t *timer)
{
        struct hot__loop *loop = timer->data;

        loop->alarm_at = UINT64_MAX;
        loop->alarmed(loop);
}

static void on_prepare(uv_prepare_t *prepare)
{
        struct hot__loop *loop = prepare->data;

        loop->turned(loop);
}

void hot__loop_on_turn(struct hot__loop *loop, void (*turned)(struct hot__loop *loop))
{
        loop->turned = turned;
        uv_prepare_start(&loop->prepare, on_prepare);
}

int hot__loop_init(struct hot__loop *loop, void (*woken)(struct hot__loop *loop),
                   void (*alarmed)(struct hot__loop *loop))
{
        int r = uv_loop_init(&loop->uv);

        if (r < 0)
                return r;
        r = uv_async_init(&loop->uv, &loop->wake, on_wake);
        if (r < 0) {
                uv_loop_close(&loop->uv);
                return r;
        }
        uv_timer_init(&loop->uv, &loop->timer);
        uv_prepare_init(&loop->uv, &loop->prepare);
        loop->prepare.data = loop;
        loop->wake.data = loop;
        loop->timer.data = loop;
        loop->alarm_at = UINT64_MAX;
        loop->woken = woken;
        loop->alarmed = alarmed;
        return 0;
}

void hot__loop_run(struct hot__loop *loop)
{
        uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void hot__loop_close(struct hot__loop *loop)
{
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_close((uv_handle_t *)&loop->timer, NULL);
        uv_close((uv_handle_t *)&loop->prepare, NULL);
}

void hot__loop_done(struct hot__loop *loop)
{
        if (!uv_is_closing((uv_handle_t *)&loop->wake))
                hot__loop_close(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        uv_loop_close(&loop->uv);
}

void hot__loop_wake(struct hot__loop *loop)
{
        uv_async_send(&loop->wake);
}

uint64_t hot__loop_now(const struct hot__loop *loop)
{
        return uv_now(&loop->uv);
}

void hot__loop_alarm(struct hot__loop *loop, uint64_t at)
{
        uint64_t now = uv_now(&loop->uv);

        if (at >= loop->alarm_at)
                return;
        loop->alarm_at = at;
        uv_timer_start(&loop->timer, on_timer, at > now ? at - now : 0, 0);
}

int hot__watch_init(struct hot__watch *watch, struct hot__loop *loop, int fd)
{
        watch->events = 0;
        watch->poll.data = watch;
        return uv_poll_init(&loop->uv, &watch->poll, fd);
}

/* On an error libuv has stopped polling; the call that follows on the descriptor tells what it was. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
        struct hot__watch *watch = poll->data;
        int ready = 0;

        if (status < 0) {
                watch->events = 0;
                ready = HOT__READABLE | HOT__WRITABLE;
        }
        if (events & UV_READABLE)
                ready |= HOT__READABLE;
        if (events & UV_WRITABLE)
                ready |= HOT__WRITABLE;
        watch->ready(watch, ready);
}

int hot__watch_set(struct hot__watch *watch, int events)
{
        int uv_events = 0;

        if (events == watch->events)
                return 0;
        watch->events = events;
        if (!events)
                return uv_poll_stop(&watch->poll);
        if (events & HOT__READABLE)
                uv_events |= UV_READABLE;
        if (events & HOT__WRITABLE)
                uv_events |= UV_WRITABLE;
        return uv_poll_start(&watch->poll, uv_events, on_poll);
}

static void on_close(uv_handle_t *handle)
{
        struct hot__watch *watch = handle->data;

        watch->closed(watch);
}

void hot__watch_close(struct hot__watch *watch)
{
        watch->events = 0;
        uv_close((uv_handle_t *)&watch->poll, on_close);
}
