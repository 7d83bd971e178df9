/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <limits.h>

#include "wire.h"

#define LAYOUT(table)                                              \
        {                                                          \
                (table), sizeof(table) / sizeof((table)[0]), false \
        }
#define LAYOUT_WITH_ITEMS(table)                                  \
        {                                                         \
                (table), sizeof(table) / sizeof((table)[0]), true \
        }
#define FIELD(tag, kind, required, type, member, min, max)                      \
        {                                                                       \
                (tag), (kind), (required), offsetof(type, member), (min), (max) \
        }
#define TEXT_MAX(type, member) (sizeof(((type *)NULL)->member) - 1)

static const struct hot__field hello_fields[] = {
        FIELD(HOT__TAG_LOWEST, HOT__VALUE_U32, true, struct hot__frame, lowest, 1, UINT32_MAX),
        FIELD(HOT__TAG_HIGHEST, HOT__VALUE_U32, true, struct hot__frame, highest, 1, UINT32_MAX),
        FIELD(HOT__TAG_VERSION, HOT__VALUE_NAME, false, struct hot__frame, version, 1,
              TEXT_MAX(struct hot__frame, version)),
};

static const struct hot__field offer_fields[] = {
        FIELD(HOT__TAG_PROTOCOL, HOT__VALUE_U32, true, struct hot__frame, protocol, 1, UINT32_MAX),
        FIELD(HOT__TAG_GENERATION, HOT__VALUE_U64, true, struct hot__frame, generation, 1,
              UINT64_MAX),
        FIELD(HOT__TAG_N_ITEMS, HOT__VALUE_U32, true, struct hot__frame, n_items, 0, UINT32_MAX),
        FIELD(HOT__TAG_VERSION, HOT__VALUE_NAME, false, struct hot__frame, version, 1,
              TEXT_MAX(struct hot__frame, version)),
        FIELD(HOT__TAG_ITEM, HOT__VALUE_ITEM, false, struct hot__frame, items, HOT__ITEM_MIN,
              HOT__FRAME_MAX),
};

static const struct hot__field serving_fields[] = {
        FIELD(HOT__TAG_ROOM, HOT__VALUE_U32, false, struct hot__frame, room, 1, UINT32_MAX),
};

static const struct hot__field give_fields[] = {
        FIELD(HOT__TAG_BATCH, HOT__VALUE_U32, true, struct hot__frame, batch, 1, UINT32_MAX),
        FIELD(HOT__TAG_ITEM, HOT__VALUE_ITEM, false, struct hot__frame, items, HOT__ITEM_MIN,
              HOT__FRAME_MAX),
};

static const struct hot__field taken_fields[] = {
        FIELD(HOT__TAG_BATCH, HOT__VALUE_U32, true, struct hot__frame, batch, 1, UINT32_MAX),
        FIELD(HOT__TAG_ROOM, HOT__VALUE_U32, false, struct hot__frame, room, 1, UINT32_MAX),
        FIELD(HOT__TAG_REFUSED, HOT__VALUE_TEXT, false, struct hot__frame, text, 1,
              TEXT_MAX(struct hot__frame, text)),
};

static const struct hot__field ready_fields[] = {
        FIELD(HOT__TAG_LEFT, HOT__VALUE_TEXT, false, struct hot__frame, text, 1,
              TEXT_MAX(struct hot__frame, text)),
};

/* An errno of the kernel is at most 4095 (MAX_ERRNO). */
static const struct hot__field refuse_fields[] = {
        FIELD(HOT__TAG_ERROR, HOT__VALUE_U32, true, struct hot__frame, error, 1, 4095),
        FIELD(HOT__TAG_TAG, HOT__VALUE_U32, false, struct hot__frame, tag, 1, UINT16_MAX),
        FIELD(HOT__TAG_TEXT, HOT__VALUE_TEXT, false, struct hot__frame, text, 1,
              TEXT_MAX(struct hot__frame, text)),
};

static const struct hot__field ancestor_fields[] = {
        FIELD(HOT__TAG_PID, HOT__VALUE_U32, true, struct hot__frame, pid, 1, INT_MAX),
        FIELD(HOT__TAG_GENERATION, HOT__VALUE_U64, true, struct hot__frame, generation, 1,
              UINT64_MAX),
};

static const struct hot__field text_fields[] = {
        FIELD(HOT__TAG_TEXT, HOT__VALUE_TEXT, true, struct hot__frame, text, 1,
              TEXT_MAX(struct hot__frame, text)),
};

static const struct hot__field changed_fields[] = {
        FIELD(HOT__TAG_ITEM, HOT__VALUE_ITEM, true, struct hot__frame, items, HOT__ITEM_MIN,
              HOT__FRAME_MAX),
};

/* 0, 1 and 2 are never numbers of what is handed over. */
static const struct hot__field item_fields[] = {
        FIELD(HOT__TAG_ITEM_KIND, HOT__VALUE_U32, true, struct hot__item, kind, 1, UINT32_MAX),
        FIELD(HOT__TAG_ITEM_FD, HOT__VALUE_U32, false, struct hot__item, fd, 3, INT_MAX),
        FIELD(HOT__TAG_ITEM_NAME, HOT__VALUE_NAME, true, struct hot__item, name, 1,
              TEXT_MAX(struct hot__item, name)),
        FIELD(HOT__TAG_ITEM_ADDRESS, HOT__VALUE_TEXT, false, struct hot__item, address, 1,
              TEXT_MAX(struct hot__item, address)),
        FIELD(HOT__TAG_ITEM_VERSION, HOT__VALUE_U32, false, struct hot__item, version, 1,
              UINT32_MAX),
        FIELD(HOT__TAG_ITEM_FLAGS, HOT__VALUE_U32, false, struct hot__item, flags, 1, UINT32_MAX),
        FIELD(HOT__TAG_ITEM_INPUT, HOT__VALUE_U32, false, struct hot__item, input_len, 1,
              HOT__BULK_MAX),
        FIELD(HOT__TAG_ITEM_OUTPUT, HOT__VALUE_U32, false, struct hot__item, output_len, 1,
              HOT__BULK_MAX),
        FIELD(HOT__TAG_ITEM_BYTES, HOT__VALUE_BYTES, false, struct hot__item, bytes, 1,
              HOT__FRAME_MAX),
        FIELD(HOT__TAG_ITEM_BULK, HOT__VALUE_U32, false, struct hot__item, bulk, 1, HOT__BULK_MAX),
};

const struct hot__layout hot__layout_of_item = LAYOUT(item_fields);

static const struct hot__layout frame_layouts[] = {
        [HOT__HELLO] = LAYOUT(hello_fields),
        [HOT__OFFER] = LAYOUT_WITH_ITEMS(offer_fields),
        [HOT__READY] = LAYOUT(ready_fields),
        [HOT__COMMIT] = {0},
        [HOT__SERVING] = LAYOUT(serving_fields),
        [HOT__RETIRED] = {0},
        [HOT__TRIGGER] = {0},
        [HOT__STOP] = {0},
        [HOT__REFUSE] = LAYOUT(refuse_fields),
        [HOT__ASK_RETIRE] = {0},
        [HOT__ANCESTOR] = LAYOUT(ancestor_fields),
        [HOT__QUERY] = {0},
        [HOT__REPORT] = LAYOUT(text_fields),
        [HOT__END] = {0},
        [HOT__CONTROL] = LAYOUT(text_fields),
        [HOT__CHANGED] = LAYOUT_WITH_ITEMS(changed_fields),
        [HOT__LET_GO] = {0},
        [HOT__GIVE] = LAYOUT_WITH_ITEMS(give_fields),
        [HOT__TAKEN] = LAYOUT(taken_fields),
};

const struct hot__layout *hot__layout_of(uint16_t type)
{
        if (type == 0 || type >= sizeof(frame_layouts) / sizeof(frame_layouts[0]))
                return NULL;
        return &frame_layouts[type];
}
