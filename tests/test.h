// SPDX-License-Identifier: BSD-3-Clause
/*
 * test.h -- unit tests that read like sentences, on top of cmocka
 *
 *     SETUP() { ... }                     optional, before each test of this file
 *     TEARDOWN() { ... }                  optional, after each
 *     TEST(a_full_ring_takes_no_more) { EXPECT_EQ(ring_push(...), 0); }
 *
 * Each *_test.c becomes a program of its own. tests/test_main.c runs the tests in the
 * order of the file and prints a line for each: "PASS ring_test/a_full_ring...", "FAIL",
 * or "SKIP ...: why" after SKIP("why").
 */

#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

struct test_hooks {
    void (*setup)(void), (*teardown)(void);
};

/* Both are filled in by the macros below and read by test_main.c. */
extern void test_hook_setup(void) __attribute__((weak));
extern void test_hook_teardown(void) __attribute__((weak));

#define SETUP()    void test_hook_setup(void)
#define TEARDOWN() void test_hook_teardown(void)

#define TEST(sentence)                                                                 \
    static void test_##sentence(void);                                                 \
    static const struct test_case test_case_##sentence = {#sentence, test_##sentence}; \
    __attribute__((used, retain, section("tests"))) static const struct test_case      \
        *const test_ptr_##sentence = &test_case_##sentence;                            \
    static void test_##sentence(void)

#define EXPECT(truth)            assert_true(truth)
#define EXPECT_EQ(got, want)     assert_int_equal(got, want)
#define EXPECT_STR(got, want)    assert_string_equal(got, want)
#define EXPECT_MEM(got, want, n) assert_memory_equal(got, want, n)

/* Leave the running test, which then counts as skipped, aloud. */
_Noreturn void test_skip(const char *why);
#define SKIP(why) test_skip(why)

#endif
