/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include "clock.h"

static size_t newest(const struct hot__traffic *traffic)
{
        return traffic->tally.generations.count;
}

static void become_under_way(struct hot__connection *connection)
{
        struct hot__traffic *traffic = connection->traffic;

        if (connection->under_way)
                return;
        connection->under_way = true;
        if (--traffic->n_waiting == 0 && traffic->observer.ready)
                traffic->observer.ready(traffic->observer.data);
}

void hot__exchange_identify(struct hot__connection *connection)
{
        struct hot__traffic *traffic = connection->traffic;
        bool by_body = traffic->tally.generations.identify == HOT__IDENTIFY_BODY;
        const struct hot__response *response = &connection->response;
        int r;

        if (connection->identified || !response->head_complete || (by_body && !response->complete))
                return;
        connection->identified = true;
        /* What a client sent comes back as a body: that says nothing about who answers. */
        if (by_body && connection->profile->body != HOT__BODY_ANY)
                return;
        r = hot__generations_note(
                &traffic->tally.generations, &response->identity, connection->profile_index,
                connection->batch[connection->n_ended].first_byte, &connection->answered_by);
        if (r < 0)
                traffic->error = r;
        if (r > 0 && traffic->observer.generation)
                traffic->observer.generation(
                        traffic->observer.data,
                        hot__generations_get(&traffic->tally.generations, connection->answered_by));
}

static enum hot__outcome judge(const struct hot__connection *connection, enum hot__ending ending,
                               int error)
{
        const struct hot__evidence evidence = {
                .ending = ending,
                .error = error,
                .connected = connection->connected,
                .answered_before = connection->answered,
                .answering = connection->response.begun || connection->cut,
                .status_right = connection->profile->status == 0 ||
                                connection->response.status == connection->profile->status,
                .bytes_right = hot__payload_is_right(&connection->check),
        };

        return hot__outcome_classify(&evidence);
}

static void expect_answer(struct hot__connection *connection)
{
        const struct hot__profile *profile = connection->profile;

        if (profile->has_expect)
                hot__payload_expect_text(&connection->check, profile->expect);
        else if (profile->has_known)
                hot__payload_expect_known(&connection->check, profile->known_size,
                                          profile->known_hash);
        else if (profile->unchecked)
                hot__payload_expect_text(&connection->check, NULL);
        else if (profile->body == HOT__BODY_PATTERN)
                hot__payload_expect_pattern(&connection->check, profile->bytes);
        else if (profile->body == HOT__BODY_ANY)
                hot__payload_expect_text(&connection->check, NULL);
        hot__response_init(&connection->response, &connection->check);
        connection->answered_by = 0;
        connection->identified = false;
}

static void tell(struct hot__traffic *traffic, const struct hot__record *record)
{
        hot__tally_request(&traffic->tally, record);
        if (traffic->observer.record)
                traffic->observer.record(traffic->observer.data, record);
}

void hot__exchange_extra(struct hot__connection *connection, uint64_t number,
                         enum hot__ending ending)
{
        struct hot__traffic *traffic = connection->traffic;
        uint64_t now = hot__clock_now();
        const struct hot__evidence evidence = {.ending = ending, .connected = true};
        const struct hot__record record = {
                .profile = connection->profile_index,
                .client = connection->client,
                .connection = connection->number,
                .connect = connection->connect,
                .due = now,
                .end = now,
                .outcome = hot__outcome_classify(&evidence),
                .number = number,
                .under = newest(traffic),
                .latest = newest(traffic),
        };

        tell(traffic, &record);
}

void hot__exchange_settle(struct hot__connection *connection, enum hot__ending ending, int error)
{
        struct hot__traffic *traffic = connection->traffic;
        const struct hot__request *request = &connection->batch[connection->n_ended];
        struct hot__record record = {
                .profile = connection->profile_index,
                .client = connection->client,
                .connection = connection->number,
                .connect = connection->connect,
                .due = request->due,
                .sent = request->sent,
                .first_byte = request->first_byte,
                .outcome = judge(connection, ending, error),
                .answered_by = connection->answered_by,
                .number = request->number,
                .status = connection->response.status,
                .bytes = connection->check.count,
                .hash = connection->check.hash,
                .under = request->under,
                .latest = newest(traffic),
        };

        record.end = hot__clock_now();
        tell(traffic, &record);
        connection->suffered = hot__outcome_is_failure(record.outcome);
        connection->cut |= record.outcome == HOT__OUTCOME_CUT;
        connection->n_ended++;
        become_under_way(connection);
        expect_answer(connection);
}

void hot__exchange_sent(struct hot__connection *connection)
{
        uint64_t now = hot__clock_now();

        for (unsigned int i = 0; i < connection->n_batch; i++) {
                connection->batch[i].sent = now;
                connection->batch[i].under = newest(connection->traffic);
        }
        if (connection->profile->patient)
                become_under_way(connection);
}

int hot__exchange_prepare(struct hot__connection *connection, uint64_t due)
{
        const struct hot__profile *profile = connection->profile;
        uint64_t serial = ++connection->traffic->n_requests, left;
        bool uploads = profile->body == HOT__BODY_ECHO;

        connection->n_ended = 0;
        connection->cut = false;
        connection->n_batch = profile->depth;
        left = profile->requests - connection->n_begun;
        if (profile->requests > 0 && left < profile->depth)
                connection->n_batch = (unsigned int)left;
        connection->n_begun += connection->n_batch;
        for (unsigned int i = 0; i < connection->n_batch; i++)
                connection->batch[i] = (struct hot__request){.due = due};
        connection->outgoing = (struct hot__outgoing){
                .head = connection->head,
                .head_size = connection->head_size * connection->n_batch,
                .serial = serial,
                .body_size = uploads ? profile->bytes : 0,
                .piece = profile->piece,
        };
        expect_answer(connection);
        if (uploads && !profile->has_expect && !profile->unchecked)
                return hot__payload_expect_echo(&connection->check, serial, profile->bytes);
        return 0;
}
