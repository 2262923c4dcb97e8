// SPDX-License-Identifier: BSD-3-Clause
/* Readers of traces when memory runs out; what they read else: tests/dumps.sh, traces.sh. */

#include "engine/os/trace_file.h"
#include "engine/handler.h"
#include "engine/router.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PACKETS = 200, POOL = 64 };

static struct platform platform;
static struct diag d;
static struct sbuf out, said;
static struct router *r;
static char name[64];

static int64_t now(void *ctx)
{
    return 1000000000;
}

static void console(void *ctx, const char *text, size_t len)
{
    sbuf_add(&said, text, len);
}

SETUP()
{
    d = DIAG_INIT;
    out = said = SBUF_INIT;
    r = NULL;
    snprintf(name, sizeof name, "/tmp/trace_file_test.XXXXXX");
    platform = (struct platform){.now = now,
                                 .wall_offset = now,
                                 .console = console,
                                 .pool = pkt_pool_new(POOL),
                                 .has_os = true};
}

TEARDOWN()
{
    router_free(r);
    EXPECT_EQ(pkt_pool_free(platform.pool), 0);
    unlink(name);
    diag_fini(&d);
    sbuf_fini(&out);
    sbuf_fini(&said);
}

/* A file that begins with `head` and has `record` many times. */
static void make_file(const void *head, size_t head_len, const void *record,
                      size_t record_len)
{
    int fd = mkstemp(name);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");

    EXPECT(f != NULL);
    fwrite(head, 1, head_len, f);
    for (int i = 0; i < PACKETS; i++)
        fwrite(record, 1, record_len, f);
    EXPECT_EQ(fclose(f), 0);
}

static void make_lines(const char *head, const char *line)
{
    make_file(head, strlen(head), line, strlen(line));
}

/* An IP packet. */
static const uint8_t header[] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17,
                                 0,    0, 1, 2,  3, 4, 5, 6, 7,  8};

/* `magic` says in whose byte order it is: only in ours are packets made where they lie. */
static void make_pcap(uint32_t magic)
{
    bool ours = magic == 0xa1b2c3d4;
    uint32_t raw = ours ? 101 : __builtin_bswap32(101);
    uint32_t version = ours ? 2 | 4 << 16 : __builtin_bswap32(2 << 16 | 4);
    uint32_t len = ours ? sizeof header : __builtin_bswap32(sizeof header);
    const uint32_t head[6] = {magic, version, 0, 0, UINT32_MAX, raw};
    uint32_t record[4 + sizeof header / 4] = {0, 0, len, len};

    memcpy(record + 4, header, sizeof header);
    make_file(head, sizeof head, record, sizeof record);
}

static void run(void)
{
    int64_t next;

    for (int i = 0; i < 10000 && !router_idle(r) && !router_stopped(r); i++)
        router_run(r, 64, &next);
}

static const char *value_of(const char *handler)
{
    sbuf_reset(&out);
    EXPECT_EQ(handler_read(r, NULL, handler, NULL, &out, &d), 0);
    return sbuf_text(&out);
}

static void put(const char *handler, const char *value)
{
    EXPECT_EQ(handler_write(r, NULL, handler, value, strlen(value), &d), 0);
}

/* Read the file into a queue that nobody empties. */
static void fill_queue(const char *element, const char *more)
{
    char text[512];

    snprintf(text, sizeof text,
             "f :: %s(%s%s) -> q :: Queue(1000) -> u :: Unqueue(ACTIVE false) -> "
             "c :: Counter -> Discard",
             element, name, more);
    r = router_new(&platform, text, strlen(text), "t", NULL, &d);
    if (!r && strstr(diag_text(&d), "libpcap"))
        SKIP("no libpcap");
    if (!r)
        fail_msg("%s", diag_text(&d));
    router_activate(r, NULL);
    run();
}

/* With STOP, it stops as at the end of the file, and one line tells why. */
static void gives_up(const char *element, const char *more)
{
    const char *text;

    fill_queue(element, more);
    EXPECT(router_stopped(r));
    EXPECT_STR(value_of("f.no_memory"), "1");
    EXPECT(atoi(value_of("q.length")) >= POOL);
    EXPECT(atoi(value_of("q.length")) < PACKETS);
    text = sbuf_text(&said);
    EXPECT(strncmp(text, name, strlen(name)) == 0);
    EXPECT_STR(strstr(text, ": out of memory"), ": out of memory; giving up\n");
}

TEST(a_dump_is_given_up)
{
    make_pcap(0xa1b2c3d4);
    gives_up("FromDump", ", STOP true");
}

TEST(a_dump_whose_packets_are_copied_is_given_up)
{
    make_pcap(0xd4c3b2a1);
    gives_up("FromDump", ", STOP true, BURST 9");
}

TEST(a_dump_that_libpcap_reads_is_given_up)
{
    static const uint32_t head[] = {
        0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28, 1, 20, 101, 0, 20};
    uint32_t record[13] = {6, 52, 0, 0, 0, sizeof header, sizeof header};

    memcpy(record + 7, header, sizeof header);
    record[12] = 52;
    make_file(head, sizeof head, record, sizeof record);
    gives_up("FromDump", ", STOP true");
}

TEST(a_dump_that_was_given_up_can_be_read_on)
{
    char at[32];

    make_pcap(0xa1b2c3d4);
    fill_queue("FromDump", "");
    EXPECT(!router_stopped(r));
    EXPECT_STR(value_of("f.no_memory"), "1");
    snprintf(at, sizeof at, "%s", value_of("f.packet_filepos"));
    put("u.active", "true");
    run();
    put("f.filepos", at);
    put("f.active", "true");
    run();
    EXPECT_EQ(atoi(value_of("c.count")), PACKETS);
    EXPECT_STR(value_of("f.no_memory"), "1");
}

TEST(what_is_done_at_the_end_is_done_when_it_is_given_up)
{
    make_pcap(0xa1b2c3d4);
    gives_up("FromDump", ", END_CALL stop");
}

TEST(records_of_tsh_are_given_up)
{
    uint8_t record[44] = {0};

    memcpy(record + 8, header, sizeof header);
    make_file("", 0, record, sizeof record);
    gives_up("FromNLANRDump", ", FORMAT tsh, STOP true");
}

TEST(records_of_dag_are_given_up)
{
    uint8_t record[64] = {0};

    memcpy(record + 8, header, sizeof header);
    make_file("", 0, record, sizeof record);
    gives_up("FromDAGDump", ", ENCAP IP, STOP true");
}

TEST(lines_of_summaries_are_given_up)
{
    make_lines("!IPSummaryDump 1.3\n!data ip_src\n", "1.2.3.4\n");
    gives_up("FromIPSummaryDump", ", STOP true");
}

TEST(a_line_that_stands_for_many_packets_is_given_up)
{
    make_lines("!IPSummaryDump 1.3\n!data ip_src count\n", "1.2.3.4 1000\n");
    gives_up("FromIPSummaryDump", ", STOP true, MULTIPACKET true");
}

TEST(lines_of_tcpdump_are_given_up)
{
    make_lines("", "1000.000000 1.2.3.4.5 > 6.7.8.9.10: udp 5\n");
    gives_up("FromTcpdump", ", STOP true");
}

TEST(lines_of_cap_are_given_up)
{
    make_lines("", "SYN > 7 0 0 40 0\n");
    gives_up("FromCapDump", ", STOP true");
}

TEST(lines_of_flows_are_given_up)
{
    make_lines("", "1.2.3.4|5.6.7.8|0|1|300|1|100|5|0|1|2|0|0|17|4\n");
    gives_up("FromNetFlowSummaryDump", ", STOP true");
}
