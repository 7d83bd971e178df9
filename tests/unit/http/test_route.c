/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <errno.h>
#include <string.h>

#include "fdcheck.h"

static void handler(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)response, (void)data;
}

/* The name of a route goes as its data. */
static void add(struct hot__routes *routes, const char *method, const char *path, const char *name)
{
        char *data = (char *)(uintptr_t)name;

        assert_int_equal(hot__routes_add(routes, method, path, handler, data, false), 0);
}

static void test_route_longest_match_answers(void **state)
{
        static const struct {
                const char *method, *path, *name;
                int status;
        } samples[] = {
                {"GET", "/", "root", 0},          {"GET", "/elsewhere/x", "root", 0},
                {"GET", "/a", "exact", 0},        {"HEAD", "/a", "exact", 0},
                {"POST", "/a", "post", 0},        {"PUT", "/a", NULL, 405},
                {"GET", "/ab", "root", 0},        {"GET", "/a/", "subtree", 0},
                {"GET", "/a/b", "subtree", 0},    {"GET", "/a/b/", "deeper", 0},
                {"GET", "/a/b/c/d", "deeper", 0}, {"DELETE", "/any", "any", 0},
                {"HEAD", "/head", "head", 0},     {"GET", "/head", "get", 0},
                {"POST", "/x", NULL, 405},
        };
        struct hot__routes routes = {0};

        (void)state;
        add(&routes, "GET", "/", "root");
        add(&routes, "GET", "/a", "exact");
        add(&routes, "POST", "/a", "post");
        add(&routes, "GET", "/a/", "subtree");
        add(&routes, "GET", "/a/b/", "deeper");
        add(&routes, NULL, "/any", "any");
        add(&routes, "GET", "/head", "get");
        add(&routes, "HEAD", "/head", "head");
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
                int status = 0;
                const struct hot__route *route =
                        hot__routes_find(&routes, samples[i].method, samples[i].path, &status);

                assert_int_equal(status, samples[i].status);
                if (samples[i].name)
                        assert_string_equal(route->data, samples[i].name);
                else
                        assert_null(route);
        }
        hot__routes_done(&routes);
}

static void test_route_unknown_path_is_404(void **state)
{
        struct hot__routes routes = {0};
        int status = 0;

        (void)state;
        assert_null(hot__routes_find(&routes, "GET", "/", &status));
        assert_int_equal(status, 404);
        add(&routes, "GET", "/a", "");
        assert_null(hot__routes_find(&routes, "GET", "/a/", &status));
        assert_int_equal(status, 404);
        hot__routes_done(&routes);
}

static void test_route_allow_names_every_method_once(void **state)
{
        struct hot__routes routes = {0};
        struct hot__bytes allow = {0};

        (void)state;
        add(&routes, "GET", "/a", "");
        add(&routes, "POST", "/a", "");
        add(&routes, "GET", "/", "");
        add(&routes, "PUT", "/b", "");
        assert_int_equal(hot__routes_allow(&routes, "/a", &allow), 0);
        assert_int_equal(allow.len, strlen("GET, HEAD, POST"));
        assert_memory_equal(allow.data, "GET, HEAD, POST", allow.len);
        hot__bytes_done(&allow);
        assert_int_equal(hot__routes_add(&routes, NULL, "/c", handler, NULL, false), 0);
        assert_int_equal(hot__routes_allow(&routes, NULL, &allow), 0);
        assert_int_equal(allow.len, strlen("GET, HEAD, POST, PUT"));
        assert_memory_equal(allow.data, "GET, HEAD, POST, PUT", allow.len);
        hot__bytes_done(&allow);
        hot__routes_done(&routes);
}

static void test_route_refuses_what_could_never_match(void **state)
{
        struct hot__routes routes = {0};

        (void)state;
        assert_int_equal(hot__routes_add(&routes, "GET", "a", handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "GET", "", handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "GET", NULL, handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "GET", "/a?b", handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "", "/a", handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "G T", "/a", handler, NULL, false), -EINVAL);
        assert_int_equal(hot__routes_add(&routes, "GET", "/a", NULL, NULL, false), -EINVAL);
        add(&routes, "GET", "/a", "");
        assert_int_equal(hot__routes_add(&routes, "GET", "/a", handler, NULL, true), -EEXIST);
        hot__routes_done(&routes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_route_longest_match_answers),
                hot_test(test_route_unknown_path_is_404),
                hot_test(test_route_allow_names_every_method_once),
                hot_test(test_route_refuses_what_could_never_match),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
