/* SPDX-License-Identifier: MIT */
/*
 * Any text: an address or refused. What was parsed prints into the room that the header promises, and the
 * printed form parses to the same, so that two texts for one place print alike.
 */
#include "target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

static void check_again(const struct hot__address *address)
{
        struct hot__address again;
        char printed[HOT__ADDRESS_FULL_MAX], twice[HOT__ADDRESS_FULL_MAX];
        size_t len;

        assert(hot__address_format(address, printed, sizeof(printed)) == 0);
        len = strlen(printed);
        assert(len > 0 && len < sizeof(printed));
        assert(hot__address_format(address, twice, len) == -ENOSPC);
        assert(hot__address_parse(printed, &again) == 0);
        assert(hot__address_format(&again, twice, sizeof(twice)) == 0);
        assert(strcmp(printed, twice) == 0);
        assert(again.kind == address->kind && strcmp(again.host, address->host) == 0 &&
               strcmp(again.service, address->service) == 0 &&
               strcmp(again.path, address->path) == 0);
        assert(memcmp(&again.settings, &address->settings, sizeof(again.settings)) == 0);
        assert(hot__address_format_place(address, twice, HOT__ADDRESS_MAX) == 0);
        assert(strcspn(twice, "?") == strcspn(printed, "?"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct hot__address address = {0};
        char *text = malloc(size + 1);
        int r;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = 0;
        r = hot__address_parse(text, &address);
        assert(r == 0 || r == -EINVAL);
        if (r == 0)
                check_again(&address);
        else
                assert(address.kind == 0);
        free(text);
        return 0;
}
