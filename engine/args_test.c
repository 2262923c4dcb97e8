// SPDX-License-Identifier: BSD-3-Clause
#include "engine/args.h"
#include "engine/nameinfo.h"
#include "engine/router.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
    uint32_t length, limit;
    bool stop, limit_given;
    struct text label;
    int64_t delay;
    uint32_t addr;
    uint8_t small;
};

static const struct arg_spec probe_args[] = {
    ARG_U32(probe, length, "LENGTH", ARG_M, NULL, "bytes"),
    {.name = "LIMIT",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .offset = offsetof(struct probe, limit),
     .def = "7",
     .help = "packets",
     .seen = 1 + offsetof(struct probe, limit_given)},
    ARG_BOOL(probe, stop, "STOP", ARG_KEY, "false", "whether to stop"),
    ARG_STRING(probe, label, "LABEL", ARG_KEY, NULL, "text"),
    ARG_TIME(probe, delay, "DELAY", ARG_KEY, "1ms", "time"),
    ARG_IP(probe, addr, "ADDR", ARG_KEY, NULL, "address"),
    ARG_U8(probe, small, "SMALL", ARG_KEY, NULL, "small"),
    ARG_U32(probe, limit, "MAX", ARG_OLD, NULL, "old name of LIMIT"),
    ARG_U32(probe, limit, "MOST", ARG_OLD, "8", "older, with a default of its own"),
    ARG_END,
};

static struct element_class cls;
static struct platform platform;
static struct router *router;
static struct element *e;
static struct probe *state;
static struct arena *scratch;
static struct conf conf;
static struct diag d;

static int64_t no_time(void *ctx)
{
    return 0;
}

SETUP()
{
    cls = (struct element_class){
        .name = "Probe", .state_size = sizeof(struct probe), .args = probe_args};
    platform = (struct platform){.now = no_time, .pool = NULL};
    d = DIAG_INIT;
    router = router_new(&platform, "", 0, "none", NULL, &d);
    e = aligned_alloc(64, (sizeof *e + sizeof(struct probe) + 63) / 64 * 64);
    memset(e, 0, sizeof *e + sizeof(struct probe));
    e->cls = &cls;
    e->router = router;
    e->name = "a/b/probe";
    state = element_state(e);
    scratch = arena_new(0);
}

TEARDOWN()
{
    free(e);
    router_free(router);
    arena_free(scratch);
    diag_fini(&d);
}

static int parse(const char *config)
{
    diag_reset(&d);
    return args_parse(e, config, &conf, scratch, &d);
}

static const char *message(size_t i)
{
    return i < d.n_messages ? d.messages[i].text : "";
}

TEST(positions_and_keywords_mix)
{
    EXPECT_EQ(parse("14, 3, STOP true, LABEL \"a b\", DELAY 2s"), 0);
    EXPECT_EQ(state->length, 14);
    EXPECT_EQ(state->limit, 3);
    EXPECT(state->limit_given);
    EXPECT(state->stop);
    EXPECT_STR(state->label.s, "a b");
    EXPECT_EQ(state->delay, 2000000000);
}

TEST(what_is_left_out_gets_its_default)
{
    EXPECT_EQ(parse("LENGTH 14"), 0);
    EXPECT_EQ(state->length, 14);
    EXPECT_EQ(state->limit, 7);
    EXPECT(!state->limit_given);
    EXPECT_EQ(state->delay, 1000000);
    EXPECT(!state->label.s);
}

TEST(the_last_of_several_wins)
{
    EXPECT_EQ(parse("LENGTH 1, LENGTH 2"), 0);
    EXPECT_EQ(state->length, 2);
    EXPECT_EQ(parse("1, LENGTH 3"), 0);
    EXPECT_EQ(state->length, 3);
}

TEST(old_names_are_accepted)
{
    EXPECT_EQ(parse("1, MAX 9"), 0);
    EXPECT_EQ(state->limit, 9);
    EXPECT_EQ(parse("1, MOST 10"), 0);
    EXPECT_EQ(state->limit, 10);
}

TEST(an_old_name_that_is_not_used_changes_nothing)
{
    EXPECT_EQ(parse("1, 5"), 0);
    EXPECT_EQ(state->limit, 5);
    EXPECT_EQ(parse("1"), 0);
    EXPECT_EQ(state->limit, 7);
}

TEST(all_errors_are_reported_in_clicks_words)
{
    EXPECT_EQ(parse("LIMIT 3x, STOP maybe, SMALL 256, ADDR 1.2, FOO 1"), -1);
    EXPECT_STR(message(0), "LENGTH: parse error");
    EXPECT_EQ(parse("SMALL 256, STOP maybe, 1, 2, 3, FOO 1, DELAY 1e30"), -1);
    EXPECT_EQ(parse(""), -1);
    EXPECT_STR(message(0), "LENGTH: required argument missing");
    EXPECT_EQ(parse("1, SMALL 256, STOP maybe, FOO 1"), -1);
    EXPECT_STR(message(0), "STOP: parse error");
    EXPECT_STR(message(1), "SMALL: out of range, bound 255");
    EXPECT_STR(message(2), "FOO: unknown argument");
    EXPECT_EQ(parse("1, 2, 3"), -1);
    EXPECT_STR(message(0), "too many arguments");
    EXPECT_EQ(parse("1, DELAY 1e30"), -1);
    EXPECT_STR(message(0), "DELAY: out of range");
}

TEST(a_failed_parse_changes_nothing)
{
    EXPECT_EQ(parse("5, 6"), 0);
    EXPECT_EQ(parse("7, 8, STOP maybe"), -1);
    EXPECT_EQ(state->length, 5);
    EXPECT_EQ(state->limit, 6);
}

TEST(the_rest_goes_to_classes_that_want_it)
{
    cls.any_args = true;
    EXPECT_EQ(parse("1, LIMIT 2, tcp port 80, 3, \"x, y\""), 0);
    EXPECT_EQ(conf.argc, 3);
    EXPECT_STR(conf.argv[0], "tcp port 80");
    EXPECT_STR(conf.argv[1], "3");
    EXPECT_STR(conf.argv[2], "\"x, y\"");
}

TEST(strings_are_one_word_or_quoted)
{
    EXPECT_EQ(parse("1, LABEL a b"), -1);
    EXPECT_EQ(parse("1, LABEL \"\""), 0);
    EXPECT(state->label.s && state->label.len == 0);
    EXPECT_EQ(parse("1, LABEL \\<68 69>"), 0);
    EXPECT_STR(state->label.s, "hi");
    EXPECT_EQ(parse("1, LABEL 'a b'c"), 0);
    EXPECT_STR(state->label.s, "a bc");
}

TEST(names_have_scopes)
{
    uint32_t one = 0x01010101, two = 0x02020202;
    struct element outer = *e, other = *e;

    outer.name = "a/info";
    other.name = "c/info";
    EXPECT_EQ(name_define(&outer, NAME_IP, "web", &one, 4), 0);
    EXPECT_EQ(name_define(&other, NAME_IP, "far", &two, 4), 0);
    EXPECT_EQ(parse("1, ADDR web"), 0);
    EXPECT_EQ(state->addr, one);
    EXPECT_EQ(parse("1, ADDR web:ip"), 0);
    EXPECT_EQ(parse("1, ADDR far"), -1);
    EXPECT_EQ(name_define(e, NAME_IP, "web", &two, 4), 0);
    EXPECT_EQ(parse("1, ADDR web"), 0);
    EXPECT_EQ(state->addr, two);
}

TEST(a_thousand_names_are_all_found)
{
    char name[16];
    uint32_t v;

    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%u", i);
        EXPECT_EQ(name_define(e, NAME_IP, name, &i, 4), 0);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%u", i);
        EXPECT(name_query(e, NAME_IP, name, &v, 4));
        EXPECT_EQ(v, i);
    }
}

TEST(usage_shows_what_is_required)
{
    struct sbuf s = SBUF_INIT;

    args_usage(&cls, &s);
    EXPECT_STR(
        sbuf_text(&s),
        "Probe(LENGTH, [LIMIT], [keyword STOP], [keyword LABEL], [keyword DELAY], "
        "[keyword ADDR], [keyword SMALL])");
    sbuf_fini(&s);
}

static unsigned configured;

static int count_configure(struct element *el, struct conf *c, struct diag *diag)
{
    configured++;
    return 0;
}

TEST(a_configuration_that_cannot_be_kept_does_not_configure)
{
    static const char text[] = "p :: Paint(3); Idle -> p -> Discard";
    struct router_options options = {.memory_limit = 128 * 1024};
    struct router *r = router_new(&platform, text, strlen(text), "text", &options, &d);
    struct element *p = r ? router_find(r, "p") : NULL;
    const struct element_class *own;
    struct element_class counting;
    char *large = malloc(256 * 1024);

    EXPECT(p != NULL && large != NULL);
    own = p->cls;
    counting = *own;
    counting.configure = count_configure;
    p->cls = &counting;
    EXPECT_EQ(args_reconfigure(p, "4", &d), 0);
    EXPECT_EQ(configured, 1);
    memset(large, ' ', 256 * 1024);
    memcpy(large, "5", 1);
    large[256 * 1024 - 1] = '\0';
    EXPECT_EQ(args_reconfigure(p, large, &d), -1);
    EXPECT_STR(message(0), "out of memory");
    EXPECT_EQ(configured, 1);
    EXPECT_STR(p->config, "4");
    p->cls = own;
    router_free(r);
    free(large);
}

struct labelled {
    struct text label;
};

static const struct arg_spec labelled_args[] = {
    ARG_STRING(labelled, label, "LABEL", ARG_M, NULL, "text"),
    ARG_END,
};

static int refuse_minus(struct element *el, struct conf *c, struct diag *diag)
{
    const struct labelled *l = element_state(el);

    return l->label.s[l->label.len - 2] == '-' ? diag_err(diag, "minus") : 0;
}

TEST(texts_of_a_running_element_take_each_others_room)
{
    static const char text[] =
        "p :: UDPIPEncap(1.1.1.1, 1, 2.2.2.2, 2); Idle -> p -> Discard";
    struct router_options options = {.memory_limit = 128 * 1024};
    struct router *r = router_new(&platform, text, strlen(text), "text", &options, &d);
    struct element *p = r ? router_find(r, "p") : NULL;
    const struct labelled *l = p ? element_state(p) : NULL;
    const struct element_class *own = p ? p->cls : NULL;
    struct element_class labels;
    char config[256];

    EXPECT(p != NULL && own->state_size >= sizeof *l);
    labels = *own;
    labels.args = labelled_args;
    labels.configure = refuse_minus;
    p->cls = &labels;
    memset(p->state, 0, sizeof *l);
    for (int i = 0; i < 20000; i++) {
        snprintf(config, sizeof config, "\"%*d\"", i % 100 + 8, i);
        EXPECT_EQ(args_reconfigure(p, config, &d), 0);
        EXPECT_EQ(atoi(l->label.s), i);
        snprintf(config, sizeof config, "\"%*d\"", i % 90 + 8, -1);
        EXPECT_EQ(args_reconfigure(p, config, NULL), -1);
        EXPECT_EQ(atoi(l->label.s), i);
    }
    p->cls = own;
    router_free(r);
}
