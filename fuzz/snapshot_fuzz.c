// SPDX-License-Identifier: BSD-3-Clause
/*
 * A snapshot's file that somebody has made for us, with a sum that is right: reading it
 * ends in an error or in a state that state_open() accepts, and takes no more memory than
 * its sizes allow.
 */

#include "ctl/snapshot.c"

#include <stdint.h>

enum { FIRST = sizeof(struct snapshot_head) + sizeof(struct block) };

/* Magic, version, size and sum are put right: anybody can compute them. */
static void forge(uint8_t *bytes, size_t size)
{
    struct snapshot_head h;

    memcpy(&h, bytes, sizeof h);
    memcpy(h.magic, MAGIC, sizeof h.magic);
    h.version = SNAPSHOT_VERSION;
    h.size = 0;
    h.sum = sum_words(sum_start(&h), bytes + sizeof h, size - sizeof h);
    h.size = size;
    memcpy(bytes, &h, sizeof h);
    if (h.record > size || h.table > size)
        return;
    /* And what stands before the state's own, if it is in the first block, as it is. */
    if (FIRST + padded(h.record) + 16 <= size) {
        uint64_t magic = STATE_MAGIC;
        uint32_t words[2] = {STATE_VERSION, state_abi()};

        memcpy(bytes + FIRST + padded(h.record), &magic, sizeof magic);
        memcpy(bytes + FIRST + padded(h.record) + 8, words, sizeof words);
        h.size = 0;
        h.sum = sum_words(sum_start(&h), bytes + sizeof h, size - sizeof h);
        memcpy(bytes + offsetof(struct snapshot_head, sum), &h.sum, sizeof h.sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static uint8_t bytes[1 << 20];
    json_t *record = NULL;
    struct state st;
    int state = -1;

    if (fd < 0)
        fd = memfd_create("snapshot", 0);
    if (size < sizeof(struct snapshot_head) || size > sizeof bytes)
        return 0;
    size &= ~(size_t)7;
    memcpy(bytes, data, size);
    forge(bytes, size);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size ||
        snapshot_read(fd, &record, &state, NULL) < 0)
        return 0;
    if (!record || state_open(&st, state, NULL) < 0)
        __builtin_trap();
    state_close(&st);
    close(state);
    json_decref(record);
    return 0;
}
