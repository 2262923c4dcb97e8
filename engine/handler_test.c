// SPDX-License-Identifier: BSD-3-Clause
#include "engine/handler.h"
#include "engine/router.h"
#include "tests/backend.h"
#include "tests/test.h"

#include <string.h>

static void *ctx;
static struct diag d;
static struct sbuf out;

SETUP()
{
    d = DIAG_INIT;
    out = SBUF_INIT;
    ctx = backend_engine.open();
}

TEARDOWN()
{
    EXPECT_EQ(backend_engine.close(ctx), 0);
    sbuf_fini(&out);
    diag_fini(&d);
}

static void load(const char *graph)
{
    if (backend_engine.install(ctx, graph, &d) < 0)
        fail_msg("%s", diag_text(&d));
}

static const char *text_of(const char *handler)
{
    sbuf_reset(&out);
    diag_reset(&d);
    if (backend_engine.read(ctx, handler, NULL, &out, &d) < 0)
        return d.messages[0].text;
    return sbuf_text(&out);
}

static const char *write_to(const char *handler, const char *value)
{
    diag_reset(&d);
    if (backend_engine.write(ctx, handler, value, strlen(value), &d) < 0)
        return d.messages[0].text;
    return "ok";
}

static const char graph[] = "f :: FromNetfront(0, BURST 8) -> t :: ToNetfront(1);"
                            "g :: FromNetfront(2) -> t";

TEST(every_element_has_the_common_ones)
{
    load(graph);
    EXPECT_STR(text_of("f.name"), "f");
    EXPECT_STR(text_of("f.class"), "FromNetfront");
    EXPECT_STR(text_of("f.config"), "0, BURST 8");
    EXPECT_STR(text_of("f.ports"), "0 inputs\n1 output\npush\t-\t[0] t\n");
    EXPECT_STR(text_of("t.ports"), "1 input\npush~\t-\tf [0], g [0]\n0 outputs\n");
    EXPECT_STR(text_of("t.handlers"),
               "reset_counts\twb\ndevice\tr\ndrops\tr\ncount\tr\nhandlers\tr.\n"
               "ports\tr.\nconfig\tr.\nclass\tr.\nname\tr.\n");
    EXPECT(strstr(text_of("f.handlers"), "active\trwc\n"));
}

TEST(marks_say_what_kind_a_handler_is)
{
    load("i :: InfiniteSource(ACTIVE false) -> rw :: UDPRewriter(drop) -> Discard");
    EXPECT(strstr(text_of("i.handlers"), "datasize\trw.D\n"));
    EXPECT(strstr(text_of("i.handlers"), "data\trw%.\n"));
    EXPECT(strstr(text_of("i.handlers"), "limit\trw.\n"));
    EXPECT(strstr(text_of("rw.handlers"), "mappings\trD\ntable\tr\n"));
}

TEST(the_router_has_its_own)
{
    load(graph);
    EXPECT_STR(text_of("list"), "3\nf\nt\ng\n");
    EXPECT_STR(text_of(".list"), "3\nf\nt\ng\n");
    EXPECT_STR(text_of("config"), graph);
    EXPECT_STR(text_of("version"), "2.1");
    EXPECT_STR(text_of("requirements"), "");
    EXPECT(strstr(text_of("classes"), "FromDevice\n"));
    EXPECT_STR(text_of("flatconfig"),
               "f :: FromNetfront(0, BURST 8);\nt :: ToNetfront(1);\n"
               "g :: FromNetfront(2);\n\nf -> t;\ng -> t;\n");
    EXPECT_STR(write_to("stop", ""), "ok");
}

TEST(what_is_not_there_is_named)
{
    load(graph);
    EXPECT_STR(text_of("x.count"), "no element named 'x'");
    EXPECT_STR(text_of("f.nothing"), "no 'f.nothing' read handler");
    EXPECT_STR(text_of("f.reset_counts"), "no 'f.reset_counts' read handler");
    EXPECT_STR(write_to("f.count", "1"), "no 'f.count' write handler");
    EXPECT_STR(write_to("f.config", "1"), "no 'f.config' write handler");
    EXPECT_STR(text_of("nothing"), "no 'nothing' read handler");
    EXPECT_STR(text_of("f."), "empty handler name");
    EXPECT_STR(text_of(""), "bad handler name format");
    EXPECT_EQ(backend_engine.read(ctx, "f.count", "5", &out, &d), HANDLER_NONE);
    EXPECT(strstr(diag_text(&d), "read handler 'f.count' does not take parameters"));
}

TEST(values_are_stripped_and_unquoted)
{
    load(graph);
    EXPECT_STR(write_to("f.active", " false\n"), "ok");
    EXPECT_STR(text_of("f.active"), "false");
    EXPECT_STR(write_to("f.active", "\"true\""), "ok");
    EXPECT_STR(text_of("f.active"), "true");
    EXPECT_STR(write_to("f.active", "7"), "expected boolean");
}

TEST(counters_are_read_handlers)
{
    load(graph);
    backend_engine.inject(ctx, 0, (const uint8_t *)"abc", 3);
    backend_engine.run(ctx, 0);
    EXPECT_STR(text_of("f.count"), "1");
    EXPECT_STR(text_of("t.count"), "1");
}
