/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hot__tally_init(struct hot__tally *tally, size_t n_profiles, enum hot__identify identify,
                    uint64_t slack)
{
        struct hot__tally_profile *profiles = calloc(n_profiles, sizeof(*profiles));

        if (!profiles)
                return -ENOMEM;
        *tally = (struct hot__tally){
                .profiles = profiles,
                .n_profiles = n_profiles,
                .generations.identify = identify,
                .slack = slack,
        };
        return 0;
}

void hot__tally_done(struct hot__tally *tally)
{
        hot__generations_done(&tally->generations);
        free(tally->profiles);
        tally->profiles = NULL;
        tally->n_profiles = 0;
}

void hot__tally_request(struct hot__tally *tally, const struct hot__record *record)
{
        struct hot__tally_profile *profile = &tally->profiles[record->profile];

        profile->outcomes[record->outcome]++;
        profile->bytes += record->bytes;
        profile->overlapped += record->under > 0 && record->under < record->latest;
        profile->stale += hot__generations_is_stale(&tally->generations, record->answered_by,
                                                    record->connect, tally->slack);
        if (record->outcome == HOT__OUTCOME_OK)
                hot__histogram_add(&profile->latency, record->end - record->due);
}

void hot__tally_reconnect(struct hot__tally *tally, size_t profile, enum hot__reconnect kind)
{
        tally->profiles[profile].reconnects[kind]++;
}

uint64_t hot__tally_failed(const struct hot__tally_profile *profile)
{
        uint64_t failed = 0;

        for (int i = 0; i < HOT__OUTCOME_COUNT; i++)
                if (hot__outcome_is_failure((enum hot__outcome)i))
                        failed += profile->outcomes[i];
        return failed;
}

uint64_t hot__tally_sent(const struct hot__tally_profile *profile)
{
        uint64_t sent = 0;

        for (int i = 0; i < HOT__OUTCOME_COUNT; i++)
                sent += profile->outcomes[i];
        return sent;
}

void hot__tally_sum(const struct hot__tally *tally, struct hot__tally_profile *ret)
{
        memset(ret, 0, sizeof(*ret));
        for (size_t i = 0; i < tally->n_profiles; i++) {
                const struct hot__tally_profile *profile = &tally->profiles[i];

                for (int j = 0; j < HOT__OUTCOME_COUNT; j++)
                        ret->outcomes[j] += profile->outcomes[j];
                for (int j = 0; j < HOT__RECONNECT_COUNT; j++)
                        ret->reconnects[j] += profile->reconnects[j];
                ret->overlapped += profile->overlapped;
                ret->stale += profile->stale;
                ret->bytes += profile->bytes;
        }
}
