/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include <errno.h>
#include <stddef.h>

/* Errors that tell about this process or its host and nothing about the server. */
static bool is_our_own(int error)
{
        switch (error) {
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
        case EADDRNOTAVAIL: /* every port towards this target is in use or in TIME_WAIT */
        case EAGAIN:        /* connect(2): no port at all */
                return true;
        default:
                return false;
        }
}

static enum hot__outcome classify_connect(const struct hot__evidence *evidence)
{
        if (evidence->ending == HOT__ENDING_DEADLINE || evidence->error == ETIMEDOUT)
                return HOT__OUTCOME_CONNECT_TIMEOUT;
        /* The handshake was over and the listener was closed under it: somebody had taken it. */
        if (evidence->error == ECONNRESET || evidence->error == EPIPE)
                return HOT__OUTCOME_RESET;
        return HOT__OUTCOME_REFUSED;
}

static enum hot__outcome classify_closed(const struct hot__evidence *evidence)
{
        if (evidence->answering)
                return HOT__OUTCOME_CUT;
        return evidence->answered_before ? HOT__OUTCOME_KEEPALIVE_RACE : HOT__OUTCOME_RESET;
}

static enum hot__outcome classify_complete(const struct hot__evidence *evidence)
{
        if (!evidence->status_right)
                return HOT__OUTCOME_WRONG_STATUS;
        return evidence->bytes_right ? HOT__OUTCOME_OK : HOT__OUTCOME_WRONG_BYTES;
}

enum hot__outcome hot__outcome_classify(const struct hot__evidence *evidence)
{
        if (evidence->ending == HOT__ENDING_CLOSED && is_our_own(evidence->error))
                return HOT__OUTCOME_CLIENT;
        if (!evidence->connected)
                return classify_connect(evidence);

        switch (evidence->ending) {
        case HOT__ENDING_COMPLETE:
                return classify_complete(evidence);
        case HOT__ENDING_DEADLINE:
                return HOT__OUTCOME_TIMEOUT;
        case HOT__ENDING_GARBAGE:
                return HOT__OUTCOME_MALFORMED;
        case HOT__ENDING_ANNOUNCED:
                return HOT__OUTCOME_UNSERVED;
        case HOT__ENDING_SKIPPED:
                return HOT__OUTCOME_GAP;
        case HOT__ENDING_TWICE:
                return HOT__OUTCOME_DUPLICATE;
        case HOT__ENDING_CLOSED:
        default:
                return classify_closed(evidence);
        }
}

bool hot__outcome_is_failure(enum hot__outcome outcome)
{
        return outcome != HOT__OUTCOME_OK && outcome != HOT__OUTCOME_UNSERVED;
}

const char *hot__outcome_name(int outcome)
{
        static const char *const names[HOT__OUTCOME_COUNT] = {
                [HOT__OUTCOME_OK] = "ok",
                [HOT__OUTCOME_UNSERVED] = "unserved",
                [HOT__OUTCOME_REFUSED] = "refused",
                [HOT__OUTCOME_CONNECT_TIMEOUT] = "connect_timeout",
                [HOT__OUTCOME_RESET] = "reset",
                [HOT__OUTCOME_CUT] = "cut",
                [HOT__OUTCOME_KEEPALIVE_RACE] = "keepalive_race",
                [HOT__OUTCOME_TIMEOUT] = "timeout",
                [HOT__OUTCOME_MALFORMED] = "malformed",
                [HOT__OUTCOME_WRONG_STATUS] = "wrong_status",
                [HOT__OUTCOME_WRONG_BYTES] = "wrong_bytes",
                [HOT__OUTCOME_GAP] = "gap",
                [HOT__OUTCOME_DUPLICATE] = "duplicate",
                [HOT__OUTCOME_CLIENT] = "client",
        };

        return outcome >= 0 && outcome < HOT__OUTCOME_COUNT ? names[outcome] : "?";
}

const char *hot__reconnect_name(int kind)
{
        static const char *const names[HOT__RECONNECT_COUNT] = {
                [HOT__RECONNECT_ANNOUNCED] = "announced",
                [HOT__RECONNECT_IDLE] = "idle",
                [HOT__RECONNECT_RESET] = "reset",
                [HOT__RECONNECT_GOAWAY] = "goaway",
                [HOT__RECONNECT_CLOSE_FRAME] = "close_frame",
                [HOT__RECONNECT_STREAM_END] = "stream_end",
                [HOT__RECONNECT_OTHER] = "other",
        };

        return kind >= 0 && kind < HOT__RECONNECT_COUNT ? names[kind] : "?";
}
