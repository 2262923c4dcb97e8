// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest that crashed, or says so, shows any registers and any stack: what the daemon makes
 * of them is a report of bounded length.
 *
 * Input: rip, rsp, rbp, rbx, r12 to r15 and where the stack begins, 8 bytes each, then the
 * stack. Small words are meant from the beginning of the guest's code, or of its stack for
 * rsp and where it begins, so that many of them lead somewhere.
 */

#include "abi/layout.h"
#include "vmm/symbolize.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE "build/guest/hostile.elf"

enum { REGISTERS = 9, MAX_STACK = 32768, MAX_LINES = 40 };

static uint64_t from(uint64_t word, uint64_t begin)
{
    return word < LAYOUT_TEXT_MAX ? begin + word : word;
}

static void check(struct sbuf *report)
{
    const char *text = sbuf_text(report);
    unsigned lines = 0;

    if (report->len == 0 || strlen(text) != report->len ||
        text[report->len - 1] != '\n')
        __builtin_trap();
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    if (lines > MAX_LINES)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct symbolizer *s;
    static uint64_t words[MAX_STACK / 8];
    struct control_crash c = {.vector = 13};
    struct vmm_stack stack = {.bytes = (const uint8_t *)words};
    struct sbuf report = SBUF_INIT;
    uint64_t r[REGISTERS];

    if (!s && !(s = symbolizer_open(IMAGE, NULL)))
        abort();
    if (size < sizeof r || size > sizeof r + sizeof words)
        return 0;
    memcpy(r, data, sizeof r);
    c.rip = from(r[0], LAYOUT_TEXT);
    c.rsp = from(r[1], LAYOUT_STACK);
    c.rbp = from(r[2], LAYOUT_STACK);
    c.rbx = r[3], c.r12 = r[4], c.r13 = r[5], c.r14 = r[6], c.r15 = r[7];
    stack.at = from(r[8], LAYOUT_STACK);
    stack.len = size - sizeof r;
    memcpy(words, data + sizeof r, stack.len);
    for (size_t i = 0; i < stack.len / 8; i++)
        words[i] = from(words[i], LAYOUT_TEXT);
    symbolize_crash(s, &c, &stack, &report);
    check(&report);
    sbuf_fini(&report);
    return 0;
}
