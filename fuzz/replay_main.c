// SPDX-License-Identifier: BSD-3-Clause
/*
 * replay_main.c -- runs a fuzzer over its seeds, without libFuzzer
 *
 *     X_fuzz              all files in fuzz/corpus/X, from the top of the tree
 *     X_fuzz FILE...      these files: to look at what a fuzzing run found
 *
 * A fuzzer that finds a fault traps, so reaching the end is passing. It prints
 * "PASS fuzz/X: N seeds"; a fuzzer without seeds fails.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* What a fuzzer does once before all inputs; most have none. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Run one file. The bytes are in a block of exactly their size, so that ASan sees a read
 * past the end. Returns -1 if the file cannot be read. */
static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    int rc = -1;
    long size;

    if (!f)
        return -1;
    if (fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0)
        goto out;
    rewind(f);
    data = malloc(size ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, f) != (size_t)size)
        goto out;
    LLVMFuzzerTestOneInput(data, (size_t)size);
    rc = 0;
out:
    free(data);
    fclose(f);
    return rc;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    int n = 0;

    if (!dir)
        return 0;
    while ((e = readdir(dir))) {
        char path[4096];

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        /* Said first: after a crash the last line names the culprit. */
        fprintf(stderr, "%s\n", path);
        n += replay_file(path) == 0;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    const char *base = strrchr(argv[0], '/');
    char name[256], folder[300];
    char *suffix;
    int n = 0;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    snprintf(name, sizeof name, "%s", base ? base + 1 : argv[0]);
    suffix = strstr(name, "_fuzz");
    if (suffix)
        *suffix = 0;
    for (int i = 1; i < argc; i++)
        n += replay_file(argv[i]) == 0;
    snprintf(folder, sizeof folder, "fuzz/corpus/%s", name);
    if (argc == 1)
        n = replay_folder(folder);
    printf("%s fuzz/%s: %d seeds\n", n ? "PASS" : "FAIL", name, n);
    return n ? 0 : 1;
}
