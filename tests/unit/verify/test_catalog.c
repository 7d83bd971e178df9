/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "catalog.h"
#include "fault.h"
#include "locate.h"

static void test_catalog_takes_what_it_knows(void)
{
        struct catalog catalog;

        assert(catalog_parse("{\"get\":\"/a\",\"slow\":\"/b?c=d\",\"other\":[1]}", &catalog) == 0);
        assert(strcmp(catalog.get, "/a") == 0);
        assert(strcmp(catalog.slow, "/b?c=d") == 0);
        assert(catalog.post[0] == '\0' && catalog.download[0] == '\0');
        assert(catalog_parse("{\"http2\":\"/h\",\"websocket\":\"/w\",\"events\":\"/e\"}",
                             &catalog) == 0);
        assert(strcmp(catalog.http2, "/h") == 0 && strcmp(catalog.websocket, "/w") == 0 &&
               strcmp(catalog.events, "/e") == 0);
}

static void test_catalog_passes_over_what_is_no_path(void)
{
        struct catalog catalog;

        assert(catalog_parse(
                       "{\"get\":\"a\",\"slow\":\"/a b\",\"post\":7,\"download\":\"/\\u00e9\"}",
                       &catalog) == 0);
        assert(catalog.get[0] == '\0' && catalog.slow[0] == '\0' && catalog.post[0] == '\0' &&
               catalog.download[0] == '\0');
}

static void test_what_is_no_object_is_no_catalog(void)
{
        static const char *const texts[] = {"",     "[]",    "{",          "<html>",
                                            "null", "\"x\"", "{\"a\":1,}", "{\"get\":\"/a\"} x"};
        struct catalog catalog;

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                assert(catalog_parse(texts[i], &catalog) == -EINVAL);
}

static void test_faults_are_known_by_name_and_value(void)
{
        enum proof_fault fault;
        double value;

        assert(fault_parse("hang", &fault, &value) == 0 && fault == PROOF_FAULT_HANG);
        assert(fault_parse("crash-after=0.5", &fault, &value) == 0 && value == 0.5);
        assert(fault_parse("fd-limit=64", &fault, &value) == 0 && value == 64);
        assert(fault_parse("crash-after", &fault, &value) == -EINVAL);
        assert(fault_parse("crash-after=", &fault, &value) == -EINVAL);
        assert(fault_parse("crash-after=-1", &fault, &value) == -EINVAL);
        assert(fault_parse("crash-after=nan", &fault, &value) == -EINVAL);
        assert(fault_parse("kill-old=1", &fault, &value) == -EINVAL);
        assert(fault_parse("kill", &fault, &value) == -EINVAL);
}

static void test_urls(void)
{
        static const struct {
                const char *url, *address, *path;
        } cases[] = {
                {"http://host", "host:80", ""},
                {"http://host:81/x?y#z", "host:81", "/x?y"},
                {"http://[::1]", "[::1]:80", ""},
                {"http://[::1]:8080/", "[::1]:8080", "/"},
                {"unix:/run/x.sock", "unix:/run/x.sock", ""},
        };
        char address[LOCATE_MAX], path[LOCATE_MAX];
        bool tls;

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                assert(locate_url(cases[i].url, address, path, &tls) == 0);
                assert(strcmp(address, cases[i].address) == 0);
                assert(strcmp(path, cases[i].path) == 0);
        }
        assert(!tls);
        assert(locate_url("https://host/x", address, path, &tls) == 0 && tls);
        assert(strcmp(address, "host:443") == 0 && strcmp(path, "/x") == 0);
        assert(locate_url("http://", address, path, &tls) == -EINVAL);
        assert(locate_url("http://host?x", address, path, &tls) == -EINVAL);
}

int main(void)
{
        test_catalog_takes_what_it_knows();
        test_catalog_passes_over_what_is_no_path();
        test_what_is_no_object_is_no_catalog();
        test_faults_are_known_by_name_and_value();
        test_urls();
        return 0;
}
