// SPDX-License-Identifier: BSD-3-Clause
#include "engine/classify/filter.h"
#include "engine/classify/program.h"
#include "tests/test.h"

#include <string.h>

static struct arena *arena;
static struct program *program;
static struct sbuf text;

SETUP()
{
    arena = arena_new(0);
    program = program_new(true);
    text = SBUF_INIT;
}

TEARDOWN()
{
    program_free(program);
    arena_free(arena);
    sbuf_fini(&text);
}

static void add_data(unsigned i, const char *pattern)
{
    struct diag d = DIAG_INIT;
    struct filter_rule r;

    EXPECT_EQ(filter_data_patterns.rule(NULL, NULL, arena, i, pattern, &r, &d), 0);
    EXPECT_EQ(program_add(program, r.x, r.output), 0);
    diag_fini(&d);
}

static void add_ip(unsigned i, const char *expression)
{
    struct diag d = DIAG_INIT;
    struct filter_rule r;
    struct ip_lang l;

    ip_lang_init(&l, arena, NULL, &d);
    if (filter_ip_patterns.rule(&l, NULL, arena, i, expression, &r, &d) < 0)
        fail_msg("%s", diag_text(&d));
    EXPECT_EQ(program_add(program, r.x, r.output), 0);
    ip_lang_fini(&l);
    diag_fini(&d);
}

static const char *program_says(void)
{
    program_finish(program, true);
    program_text(program, &text);
    return sbuf_text(&text);
}

TEST(patterns_become_steps)
{
    add_data(0, "12/0800 20/0001");
    add_data(1, "12/0806");
    add_data(2, "-");
    EXPECT_STR(program_says(), " 0  12/08000000%ffff0000  yes->step 1  no->step 2\n"
                               " 1  20/00010000%ffff0000  yes->[0]  no->[2]\n"
                               " 2  12/08060000%ffff0000  yes->[1]  no->[2]\n"
                               "safe length 22\n"
                               "alignment offset 0\n");
}

TEST(a_pattern_for_everything_needs_no_step)
{
    add_data(0, "-");
    add_data(1, "0/01");
    EXPECT_STR(program_says(), "all->[0]\nsafe length 0\nalignment offset 0\n");
    EXPECT(program_uses(program, 0));
    EXPECT(!program_uses(program, 1));
}

TEST(tests_of_one_word_are_one_step)
{
    add_ip(0, "ip vers 4 and ip hl 5");
    EXPECT_STR(program_says(), " 0 256/45000000%ff000000  yes->[0]  no->[X]\n"
                               "safe length 257\n"
                               "alignment offset 0\n");
}

TEST(ports_are_behind_protocol_and_fragment)
{
    add_ip(0, "dst udp port 53");
    EXPECT_STR(program_says(), " 0 264/00110000%00ff0000  yes->step 1  no->[X]\n"
                               " 1 260/00000000%00001fff  yes->step 2  no->[X]\n"
                               " 2 512/00000035%0000ffff  yes->[0]  no->[X]\n"
                               "safe length 516\n"
                               "alignment offset 0\n");
}

static bool used(unsigned output)
{
    return program_uses(program, (int)output);
}

TEST(what_earlier_rules_take_is_known)
{
    add_ip(0, "tcp");
    add_ip(1, "not tcp");
    add_ip(2, "-");
    program_finish(program, true);
    EXPECT(used(0) && used(1) && !used(2));
}

/* Not all of them, though: one network inside another is the limit. */
TEST(rules_that_contradict_themselves_are_known)
{
    add_ip(0, "src tcp port 80 and src tcp port 21");
    add_ip(1, "src host 10.0.0.1 and src net 11.0.0.0/8");
    add_ip(2, "dst port 25 and ip proto 1");
    add_ip(3, "10.0.0.1");
    program_finish(program, true);
    EXPECT(!used(0) && used(1) && !used(2) && used(3));
}

/* The first step stays where it is, as does the second: Click's sort knows no better. */
TEST(patterns_stay_in_order_at_the_front)
{
    program_free(program);
    program = program_new(false);
    add_data(0, "20/01 12/02");
    add_data(1, "20/01 16/01 12/02");
    EXPECT_STR(program_says(), " 0  20/01000000%ff000000  yes->step 1  no->[X]\n"
                               " 1  12/02000000%ff000000  yes->[0]  no->[X]\n"
                               "safe length 21\n"
                               "alignment offset 0\n");
}

TEST(values_of_one_word_stand_together)
{
    program_free(program);
    program = program_new(true);
    add_ip(0, "dst udp port 53 or 54 or 99");
    add_ip(1, "-");
    EXPECT_STR(program_says(), " 0 264/00110000%00ff0000  yes->step 1  no->[1]\n"
                               " 1 260/00000000%00001fff  yes->step 2  no->[1]\n"
                               " 2 512/00000035%0000ffff  yes->[0]  no->step 3\n"
                               " 3 512/00000036%0000ffff  yes->[0]  no->step 4\n"
                               " 4 512/00000063%0000ffff  yes->[0]  no->[1]\n"
                               "safe length 516\n"
                               "alignment offset 0\n");
}

/* Seven and more are searched, and sorted for that as a little-endian machine loads them. */
TEST(many_values_are_sorted)
{
    program_free(program);
    program = program_new(true);
    add_ip(0, "src udp port 1 or 7 or 11 or 13 or 22 or 37 or 256");
    EXPECT_STR(program_says(), " 0 264/00110000%00ff0000  yes->step 1  no->[X]\n"
                               " 1 260/00000000%00001fff  yes->step 2  no->[X]\n"
                               " 2 512/01000000%ffff0000  yes->[0]  no->step 3\n"
                               " 3 512/00010000%ffff0000  yes->[0]  no->step 4\n"
                               " 4 512/00070000%ffff0000  yes->[0]  no->step 5\n"
                               " 5 512/000b0000%ffff0000  yes->[0]  no->step 6\n"
                               " 6 512/000d0000%ffff0000  yes->[0]  no->step 7\n"
                               " 7 512/00160000%ffff0000  yes->[0]  no->step 8\n"
                               " 8 512/00250000%ffff0000  yes->[0]  no->[X]\n"
                               "safe length 514\n"
                               "alignment offset 0\n");
}

TEST(a_program_that_drops_everything_says_so_in_numbers)
{
    EXPECT_STR(program_says(),
               "all->[2147483647]\nsafe length 0\nalignment offset 0\n");
}

/* --- against the trees ------------------------------------------------------------ */

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static struct expr *random_tree(unsigned depth)
{
    static const uint32_t masks[] = {0xFF, 0xFF00, 0xFFFF0000, 0xFFFFFFFF, 1, 2, 0x80};
    uint32_t n = 1 + rnd(3);
    struct expr *x;

    if (depth && rnd(6) == 0)
        return expr_not(arena, random_tree(depth - 1));
    if (depth && rnd(8) == 0)
        return expr_if(arena, random_tree(depth - 1), random_tree(depth - 1),
                       random_tree(depth - 1));
    if (depth && rnd(5)) {
        x = expr_list(arena, rnd(2) ? EXPR_AND : EXPR_OR);
        for (uint32_t i = 0; i < n; i++)
            expr_add(arena, &x, random_tree(depth - 1));
        return x;
    }
    struct expr_test t = {.base = (uint8_t)(rnd(2) ? BASE_NET : BASE_TRANSP),
                          .offset = (uint16_t)(4 * rnd(3)),
                          .mask = masks[rnd(7)],
                          .op = rnd(4) ? EXPR_EQ : EXPR_GT,
                          .negated = rnd(4) == 0};

    t.value = t.mask & (rnd(3) * 0x01010101u);
    if (t.value == t.mask) /* nothing is greater: the language makes no such test */
        t.op = EXPR_EQ;
    return expr_test(arena, t);
}

TEST(a_program_does_what_its_trees_say)
{
    for (unsigned round = 0; round < 3000; round++) {
        struct expr *rules[6];
        unsigned n = 1 + rnd(6);
        bool optimize = round % 8 < 6;

        program_free(program);
        program = program_new(round % 2);
        for (unsigned i = 0; i < n; i++) {
            rules[i] = random_tree(rnd(4));
            program_add(program, rules[i], (int)i);
        }
        program_finish(program, optimize);
        for (unsigned packet = 0; packet < 30; packet++) {
            uint8_t bytes[24];
            struct expr_view v = {.base = {NULL, NULL, bytes, bytes + 12}};
            int want = -1;

            for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)(rnd(2) ? rnd(3) : 0);
            /* Click's merging of steps is not exact about packets that are too short */
            v.len[BASE_NET] = optimize ? 12 : 4 * rnd(4);
            v.len[BASE_TRANSP] = optimize ? 12 : v.len[BASE_NET] == 12 ? 4 * rnd(4) : 0;
            for (unsigned i = 0; i < n && want < 0; i++)
                if (expr_eval(rules[i], &v))
                    want = (int)i;
            EXPECT_EQ(program_match(program, &v), want);
        }
    }
}
