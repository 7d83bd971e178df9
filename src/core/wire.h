/* SPDX-License-Identifier: MIT */
#ifndef HOT_WIRE_H
#define HOT_WIRE_H

/*
 * Frames of the handover protocol: bytes in, values out, and back. Pure.
 *
 * A frame is one message of the channel: a header {type u16, zero u16, length of the rest u32} and then
 * type-length-values {tag u16, zero u16, length u32, value}, all little-endian. Tags with the top bit
 * (HOT__TAG_CRITICAL) must be understood; others are skipped by who does not know them. Frame types and
 * tags are never reused. docs/design/protocol.md has the numbers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"

/* What this library speaks; a build for the tests may speak something else. */
#ifndef HOT__PROTOCOL_LOWEST
#define HOT__PROTOCOL_LOWEST 1
#endif
#ifndef HOT__PROTOCOL_HIGHEST
#define HOT__PROTOCOL_HIGHEST 1
#endif

/* The largest frame. Well below SO_SNDBUF's default, above which a message is EMSGSIZE. */
#define HOT__FRAME_MAX 32768

/* Descriptors a frame: the kernel takes 253 (SCM_MAX_FD), musl's CMSG arithmetic manages 252. */
#define HOT__FRAME_FDS 252

#define HOT__NAME_MAX 256
#define HOT__TEXT_MAX 4096

/* Descriptors that an ANCESTOR comes with, in this order. */
enum hot__ancestor_fd { HOT__ANCESTOR_CHANNEL, HOT__ANCESTOR_PIDFD, HOT__ANCESTOR_N_FDS };

/* Tags with this bit must be understood by the receiver. */
#define HOT__TAG_CRITICAL 0x8000

enum hot__tag {
        HOT__TAG_LOWEST = HOT__TAG_CRITICAL | 1,
        HOT__TAG_HIGHEST = HOT__TAG_CRITICAL | 2,
        HOT__TAG_VERSION = 3,
        HOT__TAG_PROTOCOL = HOT__TAG_CRITICAL | 4,
        HOT__TAG_GENERATION = HOT__TAG_CRITICAL | 5,
        HOT__TAG_N_ITEMS = HOT__TAG_CRITICAL | 6,
        HOT__TAG_ITEM = HOT__TAG_CRITICAL | 7,
        HOT__TAG_ERROR = HOT__TAG_CRITICAL | 8,
        HOT__TAG_TAG = 9,
        HOT__TAG_TEXT = 10,
        HOT__TAG_PID = HOT__TAG_CRITICAL | 11,
        HOT__TAG_LEFT = 12,
        HOT__TAG_BATCH = HOT__TAG_CRITICAL | 13,
        HOT__TAG_ROOM = 14,
        HOT__TAG_REFUSED = 15,
        HOT__TAG_ITEM_KIND = HOT__TAG_CRITICAL | 16,
        HOT__TAG_ITEM_FD = HOT__TAG_CRITICAL | 17,
        HOT__TAG_ITEM_NAME = HOT__TAG_CRITICAL | 18,
        HOT__TAG_ITEM_ADDRESS = HOT__TAG_CRITICAL | 19,
        HOT__TAG_ITEM_VERSION = HOT__TAG_CRITICAL | 20,
        HOT__TAG_ITEM_FLAGS = HOT__TAG_CRITICAL | 21,
        HOT__TAG_ITEM_INPUT = HOT__TAG_CRITICAL | 22,
        HOT__TAG_ITEM_OUTPUT = HOT__TAG_CRITICAL | 23,
        HOT__TAG_ITEM_BYTES = HOT__TAG_CRITICAL | 24,
        HOT__TAG_ITEM_BULK = HOT__TAG_CRITICAL | 25,
};

enum hot__frame_type {
        HOT__HELLO = 1,       /* new: the protocols I speak */
        HOT__OFFER = 2,       /* old: the protocol we speak, and items */
        HOT__READY = 3,       /* new: I could serve */
        HOT__COMMIT = 4,      /* old: I have stopped accepting, go */
        HOT__SERVING = 5,     /* new: I accept */
        HOT__RETIRED = 6,     /* old: PID file and service manager are yours */
        HOT__TRIGGER = 7,     /* old: somebody asked me for a restart */
        HOT__STOP = 8,        /* old: somebody asked me to stop: stop too */
        HOT__REFUSE = 9,      /* new: I cannot take this, and why */
        HOT__ASK_RETIRE = 10, /* new: resume no more, even if I end */
        HOT__ANCESTOR = 11,   /* old: a generation older than me that still drains */
        HOT__QUERY = 12,      /* new: how are you? */
        HOT__REPORT = 13,     /* old: so */
        HOT__END = 14,        /* new: exit now, whatever you hold */
        HOT__CONTROL = 15,    /* old: a control connection, and the request that came on it */
        HOT__CHANGED = 16,    /* old: items that changed since the offer */
        HOT__LET_GO = 17,     /* old: what you did not take is served and closed */
        HOT__GIVE = 18,       /* old: a batch of live connections */
        HOT__TAKEN = 19,      /* new: what became of a batch */
};

enum hot__item_kind {
        HOT__ITEM_LISTENER = 1,   /* bound by one of us */
        HOT__ITEM_ACTIVATED = 2,  /* a listener that a service manager made: its path is not ours */
        HOT__ITEM_KEPT = 3,       /* any descriptor that the host keeps */
        HOT__ITEM_STATE = 4,      /* a sealed memfd with state of the host */
        HOT__ITEM_CONTROL = 5,    /* the control socket; its address is its path */
        HOT__ITEM_STDERR = 6,     /* what the new process' descriptor 2 shall be */
        HOT__ITEM_VERDICT = 7,    /* whether the old one can resume: see verdict.h */
        HOT__ITEM_CONNECTION = 8, /* a live connection; its name is what it speaks */
};

/* What travels with one connection, at most. */
#define HOT__BULK_MAX (64U << 20)

/* Bytes that stay where they are: of a decoded item, in the frame that it was decoded from. */
struct hot__view {
        const uint8_t *at;
        size_t len;
};

struct hot__item {
        uint32_t kind;    /* enum hot__item_kind */
        uint32_t fd;      /* its number in the new process' table; 0: it comes with the frame */
        uint32_t version; /* STATE, CONNECTION: of its format */
        uint32_t flags;   /* CONNECTION: HOT_RESUMABLE */
        uint32_t input_len, output_len; /* CONNECTION: how its bytes begin; the rest is state */
        uint32_t
                bulk; /* CONNECTION: its bytes are so many, in sealed memory that comes behind it */
        struct hot__view bytes;         /* CONNECTION: else they are here */
        char name[HOT__NAME_MAX];       /* as given to hot_listen() */
        char address[HOT__ADDRESS_MAX]; /* canonical, as asked for; "" if nobody asked by address */
};

/* Every frame, decoded. Members that its type does not have are zero. */
struct hot__frame {
        uint16_t type;
        uint32_t lowest, highest; /* HELLO */
        char version[32];         /* HELLO, OFFER: the library's, for messages */
        uint32_t protocol;        /* OFFER */
        uint64_t generation;      /* OFFER: of the new process; ANCESTOR: its own */
        uint32_t n_items;         /* OFFER: in all frames of the offer together */
        uint32_t error;           /* REFUSE: an errno */
        uint32_t tag;             /* REFUSE: the tag that was not understood, or 0 */
        uint32_t pid;             /* ANCESTOR: as the sender sees it */
        uint32_t batch;           /* GIVE, TAKEN: its number */
        uint32_t
                room; /* SERVING, TAKEN: one more than the descriptors there is room for; 0: none are taken */
        char text
                [HOT__TEXT_MAX]; /* READY: "4,7", what is left; REFUSE: why; REPORT: JSON; CONTROL: the request;
                                    TAKEN: "3:24,17:11", which are refused, by place, and why */
        struct hot__item
                *items; /* OFFER, CHANGED, GIVE: in this frame; decoded: allocated, see _done */
        size_t n_items_here;
};

/*
 * Encode into @buffer. An offer whose items do not fit one frame is sent as several, each with at least
 * one item: see hot__frame_fits(). Returns the length, -EMSGSIZE, or -EINVAL for a frame that no
 * receiver would take (a name with ':', lowest above highest, …).
 */
ssize_t hot__frame_encode(const struct hot__frame *frame, void *buffer, size_t size);

/* How many of @items, from the first, fit into one OFFER, CHANGED or GIVE frame, with their descriptors: at
 * least 1 if there is one. */
size_t hot__frame_fits(const struct hot__item *items, size_t n_items);

/*
 * Decode. Whatever comes, it allocates no more than the frame's own bytes can describe. A kind of item
 * that is not known is handed up: the caller refuses it with HOT__TAG_ITEM_KIND.
 *
 * Returns 0, -EPROTO (malformed), -EOPNOTSUPP (an unknown critical tag, its number in ret->tag; or an
 * unknown frame type, ret->tag is 0 then; ret->type is set in both cases) or -ENOMEM. @ret is to be
 * given to hot__frame_done() after 0, and owns nothing after a failure.
 */
int hot__frame_decode(const void *bytes, size_t len, struct hot__frame *ret);

/* Free the items of a decoded frame. May be called again. */
void hot__frame_done(struct hot__frame *frame);

/*
 * The protocol two sides speak: the lower of the two highest. Returns it, or -EPROTONOSUPPORT if one
 * side's lowest is above it.
 */
int hot__protocol_choose(uint32_t lowest, uint32_t highest);

#endif
