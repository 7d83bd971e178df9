/* SPDX-License-Identifier: MIT */
#include "causes.h"

#include <stddef.h>
#include <string.h>

static const struct cause causes[HOT__OUTCOME_COUNT] = {
        [HOT__OUTCOME_REFUSED] =
                {"refused", "found nobody listening",
                 "The old listener was closed before the new one was there, or the address was "
                 "bound anew: between the two the kernel refuses every connection, and resets "
                 "those "
                 "that waited in the closed queue.",
                 "Hand the listening socket over (SCM_RIGHTS or exec) instead of binding it again: "
                 "its queue then bridges the gap."},
        [HOT__OUTCOME_CONNECT_TIMEOUT] =
                {"connect_timeout", "could not connect in time",
                 "Nobody accepted for so long that the listener's queue was full.",
                 "Make the gap between the two generations shorter, or the backlog larger."},
        [HOT__OUTCOME_RESET] =
                {"reset", "were reset before a byte of the answer, on a fresh connection",
                 "The connection had been made, perhaps accepted, and was closed without having "
                 "been read: a fresh connection is busy, not idle.",
                 "A connection that was accepted but not yet read is served, or handed over."},
        [HOT__OUTCOME_CUT] =
                {"cut", "were cut in the middle of the answer",
                 "The process that was answering ended, or closed the connection, before it had "
                 "sent all of it.",
                 "Let the old generation finish what it has begun before it leaves, up to a drain "
                 "deadline that is longer than the longest response."},
        [HOT__OUTCOME_KEEPALIVE_RACE] =
                {"keepalive_race", "were lost in the keep-alive race",
                 "The server closed kept connections that it took for idle while the next request "
                 "was on its way: the client cannot know whether it was served, and must not "
                 "simply "
                 "send it again.",
                 "Hand idle connections to the new generation, or announce the end with "
                 "`Connection: close` on the next response instead of closing at once."},
        [HOT__OUTCOME_TIMEOUT] =
                {"timeout", "got no complete answer in time",
                 "They were accepted, or waited in the queue, and nobody went on with them.",
                 "Look for connections that neither generation feels responsible for."},
        [HOT__OUTCOME_MALFORMED] =
                {"malformed", "got something that is no HTTP",
                 "Bytes of two answers were mixed, or more came than was announced.",
                 "A connection has exactly one owner at a time: out of the poller first, then "
                 "handed over."},
        [HOT__OUTCOME_WRONG_STATUS] =
                {"wrong_status", "were answered with another status than before",
                 "The new generation answered before it was able to serve, or the old one after it "
                 "had let go of what it needs.",
                 "Accept only when everything that a request needs is there, and keep it until the "
                 "last request is done."},
        [HOT__OUTCOME_WRONG_BYTES] =
                {"wrong_bytes", "were answered with wrong bytes",
                 "The answer was complete by its length, and its content was not what it must be: "
                 "bytes were lost, doubled or mixed.",
                 "Bytes that were read before a hand-over must travel with the connection."},
        [HOT__OUTCOME_GAP] =
                {"gap", "were lost: messages or events that never came, although later ones did",
                 "They were read by one process, or were to be sent by it, and the connection went "
                 "on "
                 "in another that knew nothing of them.",
                 "What was read and not answered, and what was queued and not sent, belongs to the "
                 "connection and goes with it; a client that comes back with Last-Event-ID is sent "
                 "what it has missed."},
        [HOT__OUTCOME_DUPLICATE] = {"duplicate",
                                    "were answered twice: messages or events that came once more",
                                    "Two processes took the same bytes for theirs, or one began "
                                    "again further back than "
                                    "where the other had stopped.",
                                    "A connection has exactly one owner at a time, and the number "
                                    "of the last event goes "
                                    "with it."},
        [HOT__OUTCOME_CLIENT] = {"client",
                                 "could not be sent for want of ports, descriptors or memory here",
                                 "That is this machine's limit and says nothing about the server.",
                                 "Fewer clients, or a higher limit."},
};

static const struct cause queue_lost = {
        "queue_lost",
        "were reset before a byte of the answer, on a fresh connection",
        "They waited in the accept queue of a listening socket that was closed while another one "
        "at "
        "the same address (SO_REUSEPORT) was already there: a queue belongs to its socket, and "
        "goes "
        "with it.",
        "Pass every socket of the group to the new generation instead of binding new ones, or set "
        "net.ipv4.tcp_migrate_req=1 before the group is made.",
};

const struct cause *causes_of(enum hot__outcome outcome, bool rebound)
{
        return outcome == HOT__OUTCOME_RESET && rebound ? &queue_lost : &causes[outcome];
}

const char *causes_profile(const char *name)
{
        static const char *const words[][2] = {
                {"new", "new connection for each request"},
                {"busy", "keep-alive, busy"},
                {"think", "keep-alive with think time"},
                {"pipelined", "pipelined"},
                {"slow", "slow response"},
                {"upload", "dribbled upload"},
                {"download", "large slow download"},
                {"http2", "HTTP/2, streams side by side"},
                {"websocket", "WebSocket, numbered messages"},
                {"events", "stream of numbered events"},
        };

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (strcmp(words[i][0], name) == 0)
                        return words[i][1];
        return name;
}

const char *causes_reconnect(int kind)
{
        switch (kind) {
        case HOT__RECONNECT_ANNOUNCED:
                return "announced with Connection: close";
        case HOT__RECONNECT_IDLE:
                return "closed while idle";
        case HOT__RECONNECT_RESET:
                return "reset while idle";
        case HOT__RECONNECT_GOAWAY:
                return "announced with GOAWAY";
        case HOT__RECONNECT_CLOSE_FRAME:
                return "WebSocket closed with a frame";
        case HOT__RECONNECT_STREAM_END:
                return "stream of events ended";
        default:
                return "lost with a request";
        }
}
