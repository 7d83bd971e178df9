/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdcheck.h"
#include "request.h"

static const struct hot_http_outcome outcome = {
        .size = sizeof(outcome), .status = 200, .sent = 12, .duration_ns = 1500000};

static struct hot_http_request *request_new(char *method, const char *target, const char *agent)
{
        struct hot_http_request *request = calloc(1, sizeof(*request));

        hot__request_clear(request);
        request->method = method;
        request->target = target;
        request->fields[request->n_fields++] = (struct hot__field){"User-Agent", agent};
        return request;
}

static const char *format(bool json, struct hot_http_request *request, struct hot__bytes *lines)
{
        struct hot__access access = {.json = json};
        const struct hot__peer peer = {.family = 0};
        const struct hot__access_entry entry = {.request = request,
                                                .outcome = &outcome,
                                                .peer = &peer,
                                                .id = "id",
                                                .generation = 7};

        hot__access_format(&access, &entry, lines);
        hot__bytes_append(lines, "", 1);
        return lines->data;
}

static void test_access_combined_lets_nobody_end_a_field(void **state)
{
        char method[] = "GET";
        struct hot_http_request *request = request_new(method, "/a\"b", "x\" 200 1 \"\\\n\x01\xc3");
        struct hot__bytes lines = {0};
        const char *line = format(false, request, &lines);

        (void)state;
        assert_ptr_equal(strstr(line, "- - - ["), line);
        assert_non_null(strstr(line, "] \"GET /a\\x22b HTTP/1.1\" 200 12 \"-\" "
                                     "\"x\\x22 200 1 \\x22\\x5C\\x0A\\x01\\xC3\" id\n"));
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        hot__bytes_done(&lines);
        free(request);
}

static void test_access_json_has_what_is_known(void **state)
{
        char method[] = "GET";
        struct hot_http_request *request = request_new(method, "/", "a\"\\\xff");
        struct hot__bytes lines = {0};
        const char *line = format(true, request, &lines);

        (void)state;
        assert_non_null(strstr(line, "\"method\":\"GET\",\"target\":\"/\",\"version\":\"HTTP/1.1\","
                                     "\"status\":200,\"bytes\":12,\"seconds\":0.001500,"
                                     "\"complete\":true,\"generation\":7,"));
        assert_non_null(strstr(line, "\"user_agent\":\"a\\u0022\\u005c\\u00ff\",\"id\":\"id\"}\n"));
        request->method = NULL;
        lines.len = 0;
        line = format(true, request, &lines);
        assert_null(strstr(line, "method"));
        assert_null(strstr(line, "target"));
        hot__bytes_done(&lines);
        free(request);
}

static void test_access_is_appended_and_opened_again(void **state)
{
        char path[] = "/tmp/hot-access-XXXXXX", moved[64];
        struct hot__access access;
        struct hot__bytes lines = {0};
        struct stat st;

        (void)state;
        close(mkstemp(path));
        snprintf(moved, sizeof(moved), "%s.1", path);
        hot__access_init(&access);
        assert_int_equal(hot__access_set(&access, path, false), 0);
        assert_int_equal(hot__access_open(&access), 0);
        hot__bytes_append_string(&lines, "one\n");
        hot__access_write(&access, &lines);
        assert_int_equal(lines.len, 0);
        assert_int_equal(rename(path, moved), 0);
        hot__bytes_append_string(&lines, "two\n");
        hot__access_write(&access, &lines);
        hot__access_reopen(&access);
        hot__bytes_append_string(&lines, "three\n");
        hot__access_write(&access, &lines);
        assert_int_equal(stat(moved, &st), 0);
        assert_int_equal(st.st_size, 8);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, 6);
        hot__bytes_done(&lines);
        hot__access_done(&access);
        unlink(path);
        unlink(moved);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_access_combined_lets_nobody_end_a_field),
                hot_test(test_access_json_has_what_is_known),
                hot_test(test_access_is_appended_and_opened_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
