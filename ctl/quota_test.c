// SPDX-License-Identifier: BSD-3-Clause
/* Control groups of both versions, played by ordinary folders. */
#include "ctl/quota.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], text[256];
static struct diag d;

SETUP()
{
    strcpy(root, "/tmp/clickos-quota-XXXXXX");
    EXPECT(mkdtemp(root) != NULL);
    d = DIAG_INIT;
}

TEARDOWN()
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", root);
    EXPECT_EQ(system(command), 0);
    diag_fini(&d);
}

static void make(const char *name, const char *content)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", root, name);
    if (!content) {
        EXPECT_EQ(mkdir(path, 0700), 0);
        return;
    }
    f = fopen(path, "w");
    EXPECT(f != NULL);
    fputs(content, f);
    fclose(f);
}

/* What is in a file now; the group is where our own is not, in a folder that does not
 * have it: below the root. */
static const char *has(const char *name)
{
    char path[256];
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "%s/%s", root, name);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return "(none)";
    n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

TEST(version_1_has_a_hierarchy_for_each)
{
    const struct quota_limits l = {.cpu = 25, .memory = 1 << 20};
    struct quota *q;
    char pid[16];

    make("cpu", NULL);
    make("memory", NULL);
    q = quota_open(root, &d);
    EXPECT(q != NULL);
    EXPECT_EQ(quota_set(q, "fw", &l, getpid(), &d), 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    EXPECT_STR(has("cpu/clickos/fw/cpu.cfs_quota_us"), "25000");
    EXPECT_STR(has("cpu/clickos/fw/cpu.cfs_period_us"), "100000");
    EXPECT_STR(has("memory/clickos/fw/memory.limit_in_bytes"), "1048576");
    EXPECT(strncmp(has("cpu/clickos/fw/cgroup.procs"), pid, strlen(pid)) == 0);
    quota_close(q);
}

TEST(version_2_has_one_and_is_told_so)
{
    const struct quota_limits l = {.cpu = 150, .memory = 1 << 20};
    struct quota *q;

    make("cgroup.controllers", "cpuset cpu io memory pids\n");
    q = quota_open(root, &d);
    EXPECT(q != NULL);
    EXPECT_STR(has("cgroup.subtree_control"), "+cpu +memory");
    EXPECT_STR(has("clickos/cgroup.subtree_control"), "+cpu +memory");
    EXPECT_EQ(quota_set(q, "fw", &l, getpid(), &d), 0);
    EXPECT_STR(has("clickos/fw/cpu.max"), "150000 100000");
    EXPECT_STR(has("clickos/fw/memory.max"), "1048576");
    quota_close(q);
}

TEST(what_is_not_there_is_refused)
{
    const struct quota_limits cpu = {.cpu = 10}, memory = {.memory = 1 << 20},
                              none = {.cpu = 0};
    struct quota *q = quota_open(root, &d);

    EXPECT(q == NULL);
    diag_reset(&d);
    EXPECT_EQ(quota_check(NULL, &none, &d), 0);
    EXPECT_EQ(quota_check(NULL, &cpu, &d), -1);
    make("memory", NULL);
    q = quota_open(root, &d);
    EXPECT(q != NULL);
    EXPECT_EQ(quota_check(q, &memory, &d), 0);
    EXPECT_EQ(quota_check(q, &cpu, &d), -1);
    quota_close(q);
}

TEST(who_took_too_much_is_known_in_either_version)
{
    struct quota *q;

    make("memory", NULL);
    make("memory/clickos", NULL);
    make("memory/clickos/.x", NULL);
    q = quota_open(root, &d);
    EXPECT(q != NULL);
    EXPECT_EQ(quota_kills(NULL, ".x"), 0);
    EXPECT_EQ(quota_kills(q, ".x"), 0);
    make("memory/clickos/.x/memory.oom_control", "under_oom 0\noom_kill 3\n");
    EXPECT_EQ(quota_kills(q, ".x"), 3);
    make("memory/clickos/.x/memory.oom_control", "oom_kill_disable 1\n");
    EXPECT_EQ(quota_kills(q, ".x"), 0);
    quota_close(q);
}

TEST(groups_of_the_past_are_swept_away)
{
    struct quota *q;

    make("cpu", NULL);
    make("cpu/clickos", NULL);
    make("cpu/clickos/old", NULL);
    q = quota_open(root, &d);
    EXPECT(q != NULL);
    EXPECT_STR(has("cpu/clickos/old/x"), "(none)");
    make("cpu/clickos/old", NULL); /* it can be made again: it was gone */
    quota_close(q);
}
