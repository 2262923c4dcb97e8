// SPDX-License-Identifier: BSD-3-Clause
/* test_main.c -- runs the tests of one *_test.c: see test.h */

#include "tests/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct test_case *const __start_tests[], *const __stop_tests[];

static const char *program;
static const char *skipped_because;

_Noreturn void test_skip(const char *why)
{
    skipped_because = why;
    skip();
    abort(); /* skip() does not come back */
}

static void run_one(void **state)
{
    const struct test_case *t = *state;

    if (test_hook_setup)
        test_hook_setup();
    t->run();
    if (test_hook_teardown)
        test_hook_teardown();
}

/* Returns true when the test failed. */
static bool report(const struct test_case *t)
{
    struct CMUnitTest unit = {t->name, run_one, NULL, NULL, (void *)(uintptr_t)t};
    int failed;

    skipped_because = NULL;
    failed = _cmocka_run_group_tests(t->name, &unit, 1, NULL, NULL);
    if (skipped_because)
        printf("SKIP %s/%s: %s\n", program, t->name, skipped_because);
    else
        printf("%s %s/%s\n", failed ? "FAIL" : "PASS", program, t->name);
    fflush(stdout);
    return failed && !skipped_because;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    size_t n = (size_t)(__stop_tests - __start_tests);
    int failures = 0;

    (void)argc;
    program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    /* cmocka's own report stays for failures, which it prints to stderr. */
    cmocka_set_message_output(CM_OUTPUT_SUBUNIT);
    setenv("CMOCKA_XML_FILE", "/dev/null", 0);
    for (size_t i = 0; i < n; i++)
        if (strstr(__start_tests[i]->name, only))
            failures += report(__start_tests[i]);
    return failures ? 1 : 0;
}
