/* SPDX-License-Identifier: MIT */
#include <openssl/ssl.h>

#include "ktls.h"
#include "ktls_control.h"

static struct hot__ktls_judgement refuse(unsigned char alert)
{
        return (struct hot__ktls_judgement){HOT__KTLS_BROKEN, HOT__ALERT_FATAL, alert};
}

static struct hot__ktls_judgement judge(enum hot__ktls_verdict verdict)
{
        return (struct hot__ktls_judgement){verdict, HOT__ALERT_NONE, 0};
}

/* In TLS 1.3 an alert's level says nothing, and all but two mean that it is over. */
static struct hot__ktls_judgement judge_alert(int version, const unsigned char *head, size_t len)
{
        if (len < 2)
                return refuse(HOT__ALERT_DECODE_ERROR);
        if (head[1] == HOT__ALERT_CLOSE_NOTIFY)
                return judge(HOT__KTLS_ENDED);
        if (head[1] == HOT__ALERT_USER_CANCELED)
                return judge(HOT__KTLS_IGNORED);
        if (version == TLS1_2_VERSION && head[0] == HOT__ALERT_WARNING)
                return judge(HOT__KTLS_IGNORED);
        return judge(HOT__KTLS_BROKEN);
}

/* A client that wants to negotiate anew (TLS 1.2) is told that this server does not. */
static struct hot__ktls_judgement judge_handshake(int version, const unsigned char *head,
                                                  size_t len)
{
        if (version == TLS1_3_VERSION && len > 0 && head[0] == SSL3_MT_KEY_UPDATE)
                return judge(HOT__KTLS_KEY_UPDATE);
        if (version == TLS1_2_VERSION && len > 0 && head[0] == SSL3_MT_CLIENT_HELLO)
                return (struct hot__ktls_judgement){HOT__KTLS_IGNORED, HOT__ALERT_WARNING,
                                                    HOT__ALERT_NO_RENEGOTIATION};
        return refuse(HOT__ALERT_UNEXPECTED_MESSAGE);
}

struct hot__ktls_judgement hot__ktls_judge(int version, int type, const unsigned char *head,
                                           size_t len)
{
        if (type == HOT__KTLS_ALERT)
                return judge_alert(version, head, len);
        if (type == HOT__KTLS_HANDSHAKE)
                return judge_handshake(version, head, len);
        return refuse(HOT__ALERT_UNEXPECTED_MESSAGE);
}
