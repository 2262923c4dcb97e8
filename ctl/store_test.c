// SPDX-License-Identifier: BSD-3-Clause
/* The state folder: whole files or none, whatever happens. */

#include "ctl/store.h"
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct store *s;
static struct diag d;

SETUP()
{
    strcpy(dir, "/tmp/clickos-store-XXXXXX");
    EXPECT(mkdtemp(dir) != NULL);
    d = DIAG_INIT;
    s = store_open(dir, &d);
    EXPECT(s != NULL);
}

TEARDOWN()
{
    char command[128];

    store_close(s);
    diag_fini(&d);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    EXPECT_EQ(system(command), 0);
}

TEST(a_path_too_long_for_sockets_is_refused_at_once)
{
    char path[STORE_MAX_PATH + 2];

    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path, dir, strlen(dir));
    path[strlen(dir)] = '/';
    EXPECT(!store_open(path, &d));
    EXPECT(strstr(d.messages[0].text, "has 97 bytes, and may have 96: /tmp/"));
}

static int put(const char *name, int value)
{
    json_t *o = json_pack("{s:i}", "v", value);
    int rc = store_put(s, STORE_VM, name, o, &d);

    json_decref(o);
    return rc;
}

static char seen[256];

static void note(void *ctx, const char *name, json_t *value)
{
    size_t len = strlen(seen);

    (void)ctx;
    snprintf(seen + len, sizeof seen - len, "%s=%d ", name,
             (int)json_integer_value(json_object_get(value, "v")));
}

static const char *all(void)
{
    seen[0] = '\0';
    store_each(s, STORE_VM, note, NULL, &d);
    return seen;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/vms/%s", dir, name);
    f = fopen(path, "w");
    EXPECT(f != NULL);
    fputs(text, f);
    fclose(f);
}

TEST(what_is_put_is_found_again_sorted)
{
    EXPECT_EQ(put("b", 2), 0);
    EXPECT_EQ(put("a", 1), 0);
    EXPECT_EQ(put("b", 3), 0);
    EXPECT_STR(all(), "a=1 b=3 ");
    store_remove(s, STORE_VM, "a");
    EXPECT_STR(all(), "b=3 ");
}

TEST(one_file_is_found_by_its_name)
{
    put("a", 1);
    seen[0] = '\0';
    EXPECT_EQ(store_load(s, STORE_VM, "a", note, NULL, &d), 1);
    EXPECT_EQ(store_load(s, STORE_VM, "b", note, NULL, &d), 0);
    EXPECT_STR(seen, "a=1 ");
    EXPECT_EQ(d.n_warnings, 0);
}

/* For want of descriptors, say: it is as good as before, and read another time. */
TEST(a_file_that_cannot_be_read_is_not_set_aside)
{
    struct rlimit before;

    put("a", 1);
    getrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    EXPECT_EQ(store_load(s, STORE_VM, "a", note, NULL, &d), -1);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT(strstr(d.messages[0].text, "raise RLIMIT_NOFILE"));
    EXPECT_STR(all(), "a=1 ");
}

static unsigned count_names(enum store_kind kind, const char *last)
{
    struct store_names *names = store_names_open(s, kind, &d);
    unsigned n = 0;
    const char *name;

    EXPECT(names != NULL);
    while ((name = store_names_next(names))) {
        EXPECT_STR(name, last);
        n++;
    }
    store_names_close(names);
    return n;
}

TEST(names_are_those_of_whole_files)
{
    char path[128];

    EXPECT_EQ(count_names(STORE_VM, "a"), 0);
    put("a", 1);
    write_file(".new-x", "{\"v\"");
    write_file("b.damaged", "{");
    EXPECT_EQ(count_names(STORE_VM, "a"), 1);
    snprintf(path, sizeof path, "%s/run/a.b.sock", dir);
    EXPECT_EQ(symlink("/dev/null", path), 0);
    snprintf(path, sizeof path, "%s/run/x", dir);
    EXPECT_EQ(symlink("/dev/null", path), 0);
    EXPECT_EQ(count_names(STORE_SOCKET, "a.b"), 1);
}

TEST(a_prepared_file_counts_only_when_committed)
{
    json_t *o = json_pack("{s:i}", "v", 2);

    put("a", 1);
    EXPECT_EQ(store_prepare(s, STORE_VM, "a", o, &d), 0);
    EXPECT_STR(all(), "a=1 ");
    EXPECT_EQ(store_commit(s, STORE_VM, "a", &d), 0);
    EXPECT_STR(all(), "a=2 ");
    json_object_set_new(o, "v", json_integer(3));
    EXPECT_EQ(store_prepare(s, STORE_VM, "a", o, &d), 0);
    store_abort(s, STORE_VM, "a");
    EXPECT_STR(all(), "a=2 ");
    json_decref(o);
}

TEST(a_second_daemon_is_refused)
{
    EXPECT(store_open(dir, &d) == NULL);
    EXPECT(strstr(d.messages[0].text, "another clickosd uses"));
}

TEST(damaged_files_are_set_aside_and_said)
{
    put("a", 1);
    write_file("b", "{\"v\": ");
    write_file("c", "[]");
    EXPECT_STR(all(), "a=1 ");
    EXPECT_EQ(d.n_warnings, 2);
    diag_reset(&d);
    EXPECT_STR(all(), "a=1 ");
    EXPECT_EQ(d.n_warnings, 0);
}

TEST(a_half_written_file_is_not_seen)
{
    write_file(".new-x", "{\"v\"");
    EXPECT_STR(all(), "");
}

/* A write that fails half-way leaves the old file; /dev/full says so like a full disk. */
TEST(a_full_disk_refuses_and_leaves_the_old_file)
{
    char path[128];

    put("a", 1);
    snprintf(path, sizeof path, "%s/vms/.new-a", dir);
    EXPECT_EQ(symlink("/dev/full", path), 0);
    EXPECT_EQ(put("a", 2), STORE_FULL);
    EXPECT(strstr(d.messages[0].text, "the disk is full"));
    EXPECT_STR(all(), "a=1 ");
    EXPECT_EQ(access(path, F_OK), -1); /* nothing half-made is left */
}

TEST(a_folder_that_cannot_be_made_is_an_error)
{
    EXPECT(store_open("/proc/nope/state", &d) == NULL);
    EXPECT(strstr(d.messages[0].text, "cannot make the folder"));
}
