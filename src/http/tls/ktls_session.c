/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ktls.h"
#include "ktls_session.h"
#include "socket.h"

/* As many as OpenSSL takes: a peer that sends but says nothing keeps us busy. */
#define IDLE_MAX 32

void hot__ktls_session_begin(struct hot__ktls_session *session, int fd, int version)
{
        *session = (struct hot__ktls_session){.fd = fd, .version = version, .on = true};
}

/* If there is no room for it now, it is not sent: nobody waits for an alert. */
static void send_alert(struct hot__ktls_session *session, unsigned char level, unsigned char alert)
{
        const unsigned char bytes[2] = {level, alert};

        if (level != HOT__ALERT_NONE && !session->broken)
                hot__ktls_send_record(session->fd, HOT__KTLS_ALERT, bytes, sizeof(bytes));
        if (level == HOT__ALERT_FATAL)
                session->broken = true;
}

static ssize_t fail(struct hot__ktls_session *session, int error)
{
        if (error == -EAGAIN)
                return error;
        if (error == -EKEYEXPIRED) {
                session->key_updated = true;
                return error;
        }
        if (error == -EBADMSG)
                send_alert(session, HOT__ALERT_FATAL, HOT__ALERT_BAD_RECORD_MAC);
        else if (error == -EMSGSIZE)
                send_alert(session, HOT__ALERT_FATAL, HOT__ALERT_RECORD_OVERFLOW);
        session->broken = true;
        return error == -EBADMSG || error == -EMSGSIZE ? -EPROTO : error;
}

bool hot__ktls_session_has_input(const struct hot__ktls_session *session)
{
        return !session->ended && !session->key_updated && !session->deaf && !session->broken &&
               hot__ktls_has_input(session->fd);
}

/* A record without data has been read to its end. Returns -EAGAIN if reading goes on, or what read() returns. */
static ssize_t obey(struct hot__ktls_session *session, int type)
{
        struct hot__ktls_judgement judgement =
                hot__ktls_judge(session->version, type, session->head, session->head_len);

        session->head_len = 0;
        send_alert(session, judgement.level, judgement.alert);
        switch (judgement.verdict) {
        case HOT__KTLS_ENDED:
                session->ended = true;
                return 0;
        case HOT__KTLS_KEY_UPDATE:
                session->key_updated = true;
                return -EKEYEXPIRED;
        case HOT__KTLS_BROKEN:
                session->broken = true;
                return -EPROTO;
        case HOT__KTLS_IGNORED:
                break;
        }
        return -EAGAIN;
}

static void keep_head(struct hot__ktls_session *session, const void *bytes, size_t len)
{
        size_t room = sizeof(session->head) - session->head_len;

        if (len > room)
                len = room;
        memcpy(session->head + session->head_len, bytes, len);
        session->head_len += len;
}

ssize_t hot__ktls_session_read(struct hot__ktls_session *session, void *buffer, size_t size)
{
        struct hot__ktls_received what;
        ssize_t n;

        if (session->ended)
                return 0;
        if (session->key_updated || session->deaf)
                return -EKEYEXPIRED;
        if (session->broken)
                return -EPROTO;
        while (session->idle < IDLE_MAX) {
                n = hot__ktls_receive(session->fd, buffer, size, &what);
                if (n < 0)
                        return fail(session, (int)n);
                if (what.type == 0)
                        return 0;
                if (what.type == HOT__KTLS_DATA && n > 0) {
                        session->idle = 0;
                        return n;
                }
                if (what.type != HOT__KTLS_DATA)
                        keep_head(session, buffer, (size_t)n);
                if (!what.ends)
                        continue;
                session->idle++;
                n = what.type == HOT__KTLS_DATA ? -EAGAIN : obey(session, what.type);
                if (n != -EAGAIN)
                        return n;
        }
        send_alert(session, HOT__ALERT_FATAL, HOT__ALERT_UNEXPECTED_MESSAGE);
        return -EPROTO;
}

ssize_t hot__ktls_session_send(struct hot__ktls_session *session, const void *data, size_t len,
                               bool more)
{
        ssize_t n = session->broken ? -EPIPE : hot__socket_send(session->fd, data, len, more);

        if (n < 0 && n != -EAGAIN)
                session->broken = true;
        return n;
}

ssize_t hot__ktls_session_send_file(struct hot__ktls_session *session, int file, off_t *offset,
                                    size_t len)
{
        return session->broken ? -EPIPE : hot__socket_send_file(session->fd, file, offset, len);
}

/*
 * A record that TCP has no room for waits above it, and the end of the connection would overtake it: it is lost then.
 * It is sent before any other record; so where TCP has room, it is below once the last one is.
 */
int hot__ktls_session_finish(struct hot__ktls_session *session)
{
        static const unsigned char bytes[2] = {HOT__ALERT_WARNING, HOT__ALERT_CLOSE_NOTIFY};
        int r;

        if (session->broken || session->finished)
                return 0;
        hot__ktls_allow_room(session->fd);
        if (!hot__socket_is_writable(session->fd))
                return -EAGAIN;
        r = hot__ktls_send_record(session->fd, HOT__KTLS_ALERT, bytes, sizeof(bytes));
        if (r == -EAGAIN)
                return r;
        session->finished = true;
        return 0;
}
