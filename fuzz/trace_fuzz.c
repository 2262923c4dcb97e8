// SPDX-License-Identifier: BSD-3-Clause
/*
 * trace_fuzz.c -- any file at all, given to the elements that read traces
 *
 * Input: a byte that says which element and which arguments, then the file.
 */

#include "engine/host.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int64_t fuzz_now(void *ctx)
{
    return 1;
}

static void fuzz_console(void *ctx, const char *text, size_t len)
{
}

static const char *const sources[] = {
    "FromDump(%s, STOP true)",
    "FromDump(%s, STOP true, FORCE_IP true)",
    "FromIPSummaryDump(%s, STOP true)",
    "FromIPSummaryDump(%s, STOP true, CHECKSUM true, MULTIPACKET true)",
    "FromTcpdump(%s, STOP true, CHECKSUM true)",
    "FromNetFlowSummaryDump(%s, STOP true, LINK both)",
    "FromCapDump(%s, STOP true, CHECKSUM true)",
    "FromNLANRDump(%s, STOP true, FORMAT tsh)",
    "FromDAGDump(%s, STOP true, FORCE_IP true)",
};
enum { N_SOURCES = sizeof sources / sizeof sources[0], ROUNDS = 4096 };

static void run(const char *file, unsigned which)
{
    struct platform platform = {.now = fuzz_now,
                                .wall_offset = fuzz_now,
                                .console = fuzz_console,
                                .pool = pkt_pool_new(0),
                                .has_os = true,
                                .host = &(struct host_ops){0},
                                .program = "fuzz"};
    struct sbuf text = SBUF_INIT;
    struct diag d = DIAG_INIT;
    struct router *r;
    int64_t next;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    sbuf_printf(&text, sources[which % N_SOURCES], file);
#pragma GCC diagnostic pop
    sbuf_puts(&text, " -> IPPrint -> Discard");
    r = router_new(&platform, sbuf_text(&text), text.len, "fuzz", NULL, &d);
    if (r) {
        router_activate(r, NULL);
        for (int i = 0; i < ROUNDS && !router_stopped(r) && !router_idle(r); i++)
            router_run(r, 64, &next);
        router_free(r);
    }
    sbuf_fini(&text);
    diag_fini(&d);
    if (pkt_pool_free(platform.pool))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[64];
    int fd;

    if (size < 4 || data[1] == 0x1f || data[1] == 'B' || data[1] == 0xfd)
        return 0; /* what is compressed starts a program: too slow */
    fd = memfd_create("trace", 0);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
        return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    run(name, data[0]);
    close(fd);
    return 0;
}
