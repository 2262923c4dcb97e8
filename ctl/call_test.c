// SPDX-License-Identifier: BSD-3-Clause
/* Routes, queries and answers of the API, without a connection. */

#include "ctl/call.h"
#include "tests/test.h"

#include <string.h>

static struct call c;
static json_t *answer;

SETUP()
{
    c = (struct call){0};
    answer = NULL;
}

TEARDOWN()
{
    json_decref(answer);
    call_fini(&c);
}

static const char *member(const char *key)
{
    json_decref(answer);
    answer = json_loadb(c.answer.data, c.answer.len, 0, NULL);
    return json_string_value(json_object_get(answer, key));
}

TEST(paths_find_their_route_and_arguments)
{
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms/fw/config/main"), 0);
    EXPECT_STR(c.route->path, "/v1/vms/{vm}/config/{config}");
    EXPECT_EQ(c.n_args, 2);
    EXPECT_STR(c.args[0], "fw");
    EXPECT_STR(c.args[1], "main");
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms"), 0);
    EXPECT_EQ(c.n_args, 0);
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms/"), 0);
}

TEST(a_handler_may_have_slashes_in_its_name)
{
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms/fw/handlers/in/q@2.length"), 0);
    EXPECT_STR(c.args[1], "in/q@2.length");
    call_fini(&c);
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms/fw/handlers/"), -1);
    EXPECT_EQ(c.status, 404);
}

TEST(unknown_paths_and_methods_are_told_apart)
{
    EXPECT_EQ(call_route(&c, "GET", "/v2"), -1);
    EXPECT_EQ(c.status, HTTP_NOT_FOUND);
    EXPECT_STR(member("code"), "no_such_path");
    EXPECT_EQ(call_route(&c, "PATCH", "/v1/vms"), -1);
    EXPECT_EQ(c.status, HTTP_BAD_METHOD);
    EXPECT(strstr(c.allow, "GET") && strstr(c.allow, "POST") && strlen(c.allow) == 9);
    EXPECT(strstr(member("error"), "PATCH is not possible for /v1/vms, which has "));
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms"), 0);
    EXPECT_STR(c.allow, "");
    EXPECT_EQ(call_route(&c, "GET", ""), -1);
    EXPECT_EQ(call_route(&c, "GET", "v1/vms"), -1);
    EXPECT_EQ(call_route(&c, "GET", "/v1//vms"), -1);
}

TEST(a_path_that_is_no_utf8_is_still_answered_with_json)
{
    EXPECT_EQ(call_route(&c, "GET", "/v1/\xff"), -1);
    EXPECT(member("error") != NULL);
}

TEST(known_parameters_are_kept_and_others_refused)
{
    EXPECT_EQ(call_route(&c, "GET", "/v1/vms/fw/logs"), 0);
    EXPECT_EQ(call_add_query(&c, "from", "5"), 0);
    EXPECT_EQ(call_add_query(&c, "wait_ms", NULL), 0);
    EXPECT_STR(call_query(&c, "from"), "5");
    EXPECT_STR(call_query(&c, "wait_ms"), "");
    EXPECT(call_query(&c, "tail") == NULL);
    EXPECT_EQ(call_add_query(&c, "tial", "5"), -1);
    EXPECT_EQ(c.status, HTTP_BAD_REQUEST);
    EXPECT_STR(member("error"), "unknown parameter 'tial': did you mean 'tail'?");
}

TEST(a_route_without_parameters_takes_none)
{
    EXPECT_EQ(call_route(&c, "GET", "/v1/version"), 0);
    EXPECT_EQ(call_add_query(&c, "", ""), -1);
    EXPECT_EQ(c.status, HTTP_BAD_REQUEST);
}

TEST(parameters_are_bounded)
{
    int refused = 0;

    EXPECT_EQ(call_route(&c, "PUT", "/v1/vms/fw/config"), 0);
    for (int i = 0; i < 2 * CALL_MAX_QUERY; i++)
        refused += call_add_query(&c, "define", "A=1") < 0;
    EXPECT_EQ(refused, CALL_MAX_QUERY);
}

TEST(errors_carry_a_line_a_code_and_details)
{
    json_t *list = json_pack("[{s:s}]", "message", "m");

    call_fail_details(&c, HTTP_REFUSED, "bad_config", list, "%d errors in %s", 2, "f");
    EXPECT_EQ(c.status, 422);
    EXPECT_STR(member("error"), "2 errors in f");
    EXPECT_STR(member("code"), "bad_config");
    EXPECT_EQ(json_array_size(json_object_get(answer, "details")), 1);
}

TEST(every_route_is_listed_with_its_help)
{
    json_t *list = call_routes(), *r;
    size_t i;

    EXPECT(json_array_size(list) > 20);
    json_array_foreach(list, i, r)
    {
        const char *path = json_string_value(json_object_get(r, "path"));

        EXPECT(!strncmp(path, "/v1", 3));
        EXPECT(*json_string_value(json_object_get(r, "help")));
    }
    json_decref(list);
}
