// SPDX-License-Identifier: BSD-3-Clause
#include "vmm/jail.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

enum { N_CALLS = 335 };

/* Whether a process that is jailed by `rules` lives on after call(first). */
static bool may(const struct jail_rule *rules, size_t n, long call, long first)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            jail_calls(rules, n, 0, NULL) < 0)
            _exit(1);
        syscall(call, first, 0, 0, 0, 0, 0);
        syscall(SYS_exit_group, 2);
    }
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT(!WIFEXITED(status) || WEXITSTATUS(status) == 2);
    return WIFEXITED(status);
}

TEST(only_what_is_listed_may_be_called)
{
    static const struct jail_rule rules[] = {
        JAIL_ANY(SYS_exit_group), JAIL_ANY(SYS_getpid), JAIL_IF(SYS_close, 0, 70),
        JAIL_ANY(SYS_getuid),     JAIL_ANY(SYS_dup),    JAIL_IF(SYS_close, 0, 71),
        JAIL_IF(SYS_fsync, 0, 7), JAIL_ANY(SYS_gettid),
    };
    const size_t n = sizeof rules / sizeof rules[0];

    /* All of them without an argument, but those that end or stop the process. */
    for (long call = 0; call < N_CALLS; call++) {
        bool listed = call == SYS_getpid || call == SYS_getuid || call == SYS_dup ||
                      call == SYS_gettid;

        if (call != SYS_exit_group)
            EXPECT_EQ(may(rules, n, call, -1), listed);
    }
    EXPECT(may(rules, n, SYS_close, 70));
    EXPECT(may(rules, n, SYS_close, 71));
    EXPECT(!may(rules, n, SYS_close, 72));
    EXPECT(may(rules, n, SYS_fsync, 7));
    EXPECT(!may(rules, n, SYS_fsync, 70));
    EXPECT(!may(rules, n, SYS_getpid | 0x40000000, 0));
}

TEST(every_number_of_rules_makes_a_filter)
{
    struct jail_rule rules[41];

    for (int n = 1; n <= 41; n++) {
        rules[n - 1] = (struct jail_rule)JAIL_IF(SYS_dup, 0, n);
        if (n == 1)
            rules[0] = (struct jail_rule)JAIL_ANY(SYS_exit_group);
    }
    for (size_t n = 2; n <= 40; n++) {
        EXPECT(may(rules, n, SYS_dup, (long)n));
        EXPECT(!may(rules, n, SYS_dup, (long)n + 1));
    }
    EXPECT(jail_calls(rules, 41, 0, NULL) < 0);
    EXPECT(jail_calls(rules, 0, 0, NULL) < 0);
}

TEST(a_call_that_is_listed_twice_needs_no_argument_when_one_rule_says_so)
{
    static const struct jail_rule rules[] = {
        JAIL_IF(SYS_dup, 0, 3), JAIL_ANY(SYS_exit_group), JAIL_ANY(SYS_dup)};

    EXPECT(may(rules, 3, SYS_dup, 4));
}
