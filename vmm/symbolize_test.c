// SPDX-License-Identifier: BSD-3-Clause
#include "vmm/symbolize.h"

#include <stdio.h>
#include <string.h>

#include "abi/layout.h"
#include "tests/test.h"

/* The image does not depend on the host variant. */
#define IMAGE "build/guest/hostile.elf"

static uint64_t address_of(const char *function)
{
    char command[200];
    unsigned long long address = 0;
    FILE *p;

    snprintf(command, sizeof command, "nm " IMAGE " | grep -w %s", function);
    p = popen(command, "r");
    if (!p || fscanf(p, "%llx", &address) != 1)
        address = 0;
    pclose(p);
    return address;
}

TEST(a_function_is_found_with_its_file_and_line)
{
    struct symbolizer *s = symbolizer_open(IMAGE, NULL);
    struct symbol_place p;

    EXPECT(s != NULL);
    EXPECT(symbolizer_find(s, address_of("guest_panic"), &p));
    EXPECT_STR(p.function, "guest_panic");
    EXPECT_STR(p.file, "guest/service.c");
    EXPECT(p.line > 1);
    symbolizer_close(s);
}

TEST(an_address_outside_is_not_found)
{
    struct symbolizer *s = symbolizer_open(IMAGE, NULL);
    struct symbol_place p;

    EXPECT(!symbolizer_find(s, 0x10, &p));
    symbolizer_close(s);
}

TEST(a_missing_image_is_an_error)
{
    struct diag d = DIAG_INIT;

    EXPECT(symbolizer_open("build/no-such-image", &d) == NULL);
    EXPECT(strstr(diag_text(&d), "no-such-image") != NULL);
    diag_fini(&d);
}

TEST(a_report_says_what_where_and_from_where)
{
    struct symbolizer *s = symbolizer_open(IMAGE, NULL);
    struct control_crash c = {.vector = 14, .error_code = 6, .address = 8};
    uint64_t top = address_of("guest_main") + 1;
    struct vmm_stack stack = {LAYOUT_STACK, (uint8_t *)&top, sizeof top};
    struct sbuf out = SBUF_INIT;

    c.rip = address_of("write_null");
    c.rsp = LAYOUT_STACK;
    symbolize_crash(s, &c, &stack, &out);
    EXPECT(strncmp(sbuf_text(&out),
                   "page fault writing 0x8 in write_null at tests/vm/hostile.c:", 59) ==
           0);
    EXPECT(strstr(sbuf_text(&out),
                  "\n  called from guest_main at tests/vm/hostile.c:") != NULL);
    sbuf_fini(&out);
    symbolizer_close(s);
}

TEST(without_an_image_there_are_addresses)
{
    const struct control_crash c = {.vector = 0, .rip = 0x41000010};
    struct sbuf out = SBUF_INIT;

    symbolize_crash(NULL, &c, NULL, &out);
    EXPECT_STR(sbuf_text(&out), "division by zero in 0x41000010\n");
    sbuf_fini(&out);
}

/* No fault of the guest's, and no more in that function than the guest is. */
TEST(what_the_monitor_was_refused_is_told_from_where_the_guest_was)
{
    const struct control_crash c = {
        .vector = CONTROL_REFUSED, .rip = 0x41000010, .message = "KVM_RUN: No"};
    struct sbuf out = SBUF_INIT;

    symbolize_crash(NULL, &c, NULL, &out);
    EXPECT_STR(sbuf_text(&out), "KVM_RUN: No, with the guest in 0x41000010\n");
    sbuf_fini(&out);
}
