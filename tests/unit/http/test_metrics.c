/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

static int setup(void **state)
{
        struct hot__metrics *metrics = calloc(1, sizeof(*metrics));

        metrics->page = calloc(1, sizeof(*metrics->page));
        *state = metrics;
        return 0;
}

static int teardown(void **state)
{
        struct hot__metrics *metrics = *state;

        free(metrics->page);
        free(metrics);
        return 0;
}

static void expect(const struct hot__metrics *metrics, const char *line)
{
        const struct hot__metrics_now now = {.generation = 3, .serving = true, .connections = {5}};
        struct hot__bytes text = {0};

        hot__metrics_print(metrics, &now, &text);
        hot__bytes_append(&text, "", 1);
        if (!strstr(text.data, line))
                fail_msg("%s is not in\n%s", line, text.data);
        hot__bytes_done(&text);
}

static void test_metrics_add_up_over_all_parts(void **state)
{
        struct hot__metrics *metrics = *state;

        for (size_t i = 0; i < 20; i++) {
                const struct hot_http_outcome outcome = {
                        .status = 200, .sent = 10, .duration_ns = 300000, .error = i == 0 ? -1 : 0};

                hot__metrics_count(hot__metrics_part(metrics, i), &outcome);
        }
        expect(metrics, "\nhotstart_http_requests_total{code=\"200\"} 20\n");
        expect(metrics, "\nhotstart_http_response_bytes_total 200\n");
        expect(metrics, "\nhotstart_http_responses_unfinished_total 1\n");
        expect(metrics, "_bucket{le=\"0.00025\"} 0\n");
        expect(metrics, "_bucket{le=\"0.0005\"} 20\n");
        expect(metrics, "_bucket{le=\"+Inf\"} 20\n");
        expect(metrics, "_sum 0.006000000\n");
        expect(metrics, "_count 20\n");
        expect(metrics, "\nhotstart_generation 3\n");
        expect(metrics, "\nhotstart_http_connections{state=\"idle\"} 5\n");
}

static void test_metrics_count_restarts_by_result(void **state)
{
        struct hot__metrics *metrics = *state;
        static const int types[] = {HOT_DRAIN, HOT_FAILED, HOT_FAILED, HOT_RESUME};

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
                hot__metrics_event(metrics, &(struct hot_event){.type = types[i]});
        expect(metrics, "\nhotstart_restarts_total{result=\"committed\"} 1\n");
        expect(metrics, "\nhotstart_restarts_total{result=\"rolled_back\"} 2\n");
        expect(metrics, "\nhotstart_restarts_total{result=\"resumed\"} 1\n");
}

static void test_metrics_measure_ready_and_gap(void **state)
{
        struct hot__metrics *metrics = *state;

        expect(metrics, "\nhotstart_restart_gap_seconds 0\n");
        hot__metrics_event(metrics,
                           &(struct hot_event){.type = HOT_STEP, .step = HOT_STEP_TRIGGER});
        hot__metrics_event(metrics, &(struct hot_event){.type = HOT_STEP, .step = HOT_STEP_READY});
        hot__metrics_quiesced(metrics);
        hot__metrics_serving(metrics);
        assert_true(metrics->page->ready_ns > 0 && metrics->page->gap_ns > 0);
        metrics->page->gap_ns = 0;
        hot__metrics_serving(metrics); /* nobody had stopped accepting */
        assert_true(metrics->page->gap_ns == 0);
}

static void test_metrics_that_nobody_asks_for_are_not_counted(void **state)
{
        const struct hot__metrics none = {0};

        (void)state;
        assert_null(hot__metrics_part(&none, 0));
        hot__metrics_event(&none, &(struct hot_event){.type = HOT_DRAIN});
        hot__metrics_quiesced(&none);
        hot__metrics_serving(&none);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_metrics_add_up_over_all_parts, setup, teardown),
                hot_test_with(test_metrics_count_restarts_by_result, setup, teardown),
                hot_test_with(test_metrics_measure_ready_and_gap, setup, teardown),
                hot_test(test_metrics_that_nobody_asks_for_are_not_counted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
