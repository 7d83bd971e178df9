/* SPDX-License-Identifier: MIT */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(BODIES_PROFILES == HOT__PROFILES_MAX, "a place for each profile");

static void table_done(struct proof_table *table)
{
        for (size_t i = 0; i < table->n; i++)
                hot_inspect_free(table->processes[i]);
        table->n = 0;
}

void proof_evidence_done(struct proof_evidence *evidence)
{
        table_done(&evidence->before);
        table_done(&evidence->during);
        table_done(&evidence->after);
        family_done(&evidence->family);
        lineage_done(&evidence->lineage);
        for (size_t i = 0; i < HOT__PROFILES_MAX; i++)
                bodies_done(&evidence->bodies[i]);
        free(evidence->restarts);
        free(evidence->failures);
        free(evidence->dots);
}

int proof_verdict(const struct proof_evidence *evidence)
{
        enum proof_severity limit = evidence->options->strict ? PROOF_RECONNECT : PROOF_SUFFERED;

        for (size_t i = 0; i < evidence->n_findings; i++)
                if (evidence->findings[i].severity >= limit)
                        return 1;
        return 0;
}

static bool has_any_body(const struct proof_evidence *evidence, const struct hot__profile *profile)
{
        if (evidence->identify == PROOF_IDENTIFY_BODY || profile->has_expect)
                return false;
        return profile->body == HOT__BODY_ANY && (profile->protocol == HOT__PROTOCOL_HTTP1 ||
                                                  profile->protocol == HOT__PROTOCOL_HTTP2);
}

const struct bodies *proof_bodies(const struct proof_evidence *evidence, size_t profile)
{
        const char *path = evidence->profiles[profile].path;
        size_t first = 0;

        if (!has_any_body(evidence, &evidence->profiles[profile]))
                return NULL;
        while (!has_any_body(evidence, &evidence->profiles[first]) ||
               strcmp(evidence->profiles[first].path, path) != 0)
                first++;
        return &evidence->bodies[first];
}

void proof_sum(const struct proof_evidence *evidence, struct hot__tally_profile *ret)
{
        memset(ret, 0, sizeof(*ret));
        for (size_t i = 0; i < evidence->n_profiles; i++) {
                const struct hot__tally_profile *row = &evidence->rows[i];

                for (int j = 0; j < HOT__OUTCOME_COUNT; j++)
                        ret->outcomes[j] += row->outcomes[j];
                for (int j = 0; j < HOT__RECONNECT_COUNT; j++)
                        ret->reconnects[j] += row->reconnects[j];
                ret->overlapped += row->overlapped;
                ret->bytes += row->bytes;
        }
}

uint64_t proof_reconnects(const struct hot__tally_profile *row)
{
        uint64_t n = 0;

        for (int i = 0; i < HOT__RECONNECT_COUNT; i++)
                n += row->reconnects[i];
        return n;
}
