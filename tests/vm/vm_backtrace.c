// SPDX-License-Identifier: BSD-3-Clause
/*
 * What is said about a guest that crashed: in which function, and from where that was
 * called. With KVM and as a process.
 *
 *     vm_backtrace BUILDDIR
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/vm/kit.h"
#include "vmm/symbolize.h"

/* Lines of a report begin with these, one behind the other; "*": some lines as the last. */
static const struct {
    const char *deed;
    const char *lines[6];
} cases[] = {
    {"read_null",
     {"page fault reading 0x0 in read_null at tests/vm/hostile.c:",
      "  called from serve at tests/vm/hostile.c:", "  called from guest_entry"}},
    {"call_null",
     {"page fault executing 0x0",
      "  called from serve at tests/vm/hostile.c:", "  called from guest_entry"}},
    {"length_of_null",
     {"page fault reading 0x0 in strlen",
      "  called from length_of_null at tests/vm/hostile.c:",
      "  called from serve at tests/vm/hostile.c:", "  called from guest_entry"}},
    {"panic",
     {"panic: on request  [31m in ", "  called from panic at tests/vm/hostile.c:",
      "  called from serve at tests/vm/hostile.c:", "  called from guest_entry"}},
    {"overflow_stack",
     {"stack overflow in recurse at tests/vm/hostile.c:",
      "  called from recurse at tests/vm/hostile.c:", "*"}},
};

/* Whether the report is as it should be, and nothing comes behind it. */
static bool is(const char *report, const char *const lines[6])
{
    const char *before = NULL;

    for (unsigned i = 0; i < 6 && lines[i]; i++) {
        bool many = strcmp(lines[i], "*") == 0;

        do {
            const char *want = many ? before : lines[i];

            if (strncmp(report, want, strlen(want)) != 0)
                return false;
            report = strchr(report, '\n');
            if (!report)
                return false;
            report++;
        } while (many && *report);
        before = lines[i];
    }
    return !*report;
}

static void crash(struct kit *k, struct symbolizer *s, unsigned n, enum vmm_isolation i)
{
    struct vmm_spec spec = {.name = cases[n].deed, .isolation = i, .n_ifs = 1};
    const char *why = "cannot be spawned";
    struct sbuf report = SBUF_INIT;
    struct vmm_stack stack;
    struct kit_vm v;

    if (geteuid() == 0)
        spec.uid = 190002;
    if (kit_spawn(k, &v, &spec)) {
        kit_ask(&v, CONTROL_READ, cases[n].deed, NULL, 3000);
        kit_wait(k, &v.ended, 3000);
        stack = (struct vmm_stack){v.stack_at, (const uint8_t *)sbuf_text(&v.stack),
                                   v.stack.len};
        symbolize_crash(s, &v.crash, &stack, &report);
        why = is(sbuf_text(&report), cases[n].lines) ? NULL : sbuf_text(&report);
        kit_end(&v);
    }
    kit_report(!why, cases[n].deed, i, why);
    sbuf_fini(&report);
}

int main(int argc, char **argv)
{
    enum vmm_isolation kinds[2];
    struct diag d = DIAG_INIT;
    struct symbolizer *s;
    char image[4096];
    struct kit k;
    unsigned n;

    if (argc < 2 || !kit_start(&k, argv[1], "hostile.elf"))
        return 1;
    snprintf(image, sizeof image, "%s/hostile.elf", argv[1]);
    s = symbolizer_open(image, &d);
    if (!s)
        fputs(diag_text(&d), stderr);
    n = s ? kit_isolations(&k, kinds) : 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned c = 0; c < sizeof cases / sizeof cases[0]; c++)
            crash(&k, s, c, kinds[i]);
    symbolizer_close(s);
    diag_fini(&d);
    kit_stop(&k);
    return !n || kit_failures() != 0;
}
