// SPDX-License-Identifier: BSD-3-Clause
/* Ports that need no guest: generator, sink, pcap files, captures; in a running switch. */
#include "switch/backplane.h"
#include "switch/pcap_format.h"
#include "tests/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct backplane *bp;
static struct diag d;
static uint32_t wire;
static char path[64];

SETUP()
{
    struct network_config c = {
        .name = "wire", .mode = NETWORK_WIRE, .backpressure = true};

    d = DIAG_INIT;
    bp = backplane_new(NULL, &d);
    EXPECT_EQ(backplane_add_network(bp, &c, &wire, &d), 0);
    EXPECT_EQ(backplane_start(bp, &d), 0);
    strcpy(path, "/tmp/kinds_test.XXXXXX");
    close(mkstemp(path));
}

TEARDOWN()
{
    backplane_free(bp);
    unlink(path);
    diag_fini(&d);
}

static uint32_t add(struct port_config c)
{
    uint32_t id = 0;

    c.network = wire;
    if (backplane_add_port(bp, &c, &id, &d) < 0)
        fputs(diag_text(&d), stderr);
    return id;
}

static uint32_t add_sink(void)
{
    return add((struct port_config){.name = "sink", .kind = PORT_SINK});
}

/* The next event, or one of kind 0 after ten seconds. */
static struct backplane_event next_event(void)
{
    struct pollfd pfd = {.fd = backplane_event_fd(bp), .events = POLLIN};
    struct backplane_event e;

    while (!backplane_next_event(bp, &e))
        if (poll(&pfd, 1, 10000) != 1)
            return (struct backplane_event){0};
    return e;
}

static struct sink_report report(uint32_t sink)
{
    struct sink_report r;

    EXPECT(backplane_sink_report(bp, sink, &r));
    return r;
}

TEST(all_that_is_generated_arrives_in_order)
{
    uint32_t sink = add_sink();
    struct sink_report r;

    add((struct port_config){
        .name = "gen",
        .kind = PORT_GENERATOR,
        .generator = {.count = 100000, .flows = 3000, .stream = 5}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    r = report(sink);
    EXPECT_EQ(r.packets, 100000);
    EXPECT_EQ(r.bytes, 6400000);
    EXPECT_EQ(r.flows, 3000);
    EXPECT_EQ(r.foreign + r.lost + r.reordered + r.untracked, 0);
    EXPECT_EQ(r.latency_count, 100000);
    EXPECT(backplane_latency_quantile(&r, 0.5) <= backplane_latency_quantile(&r, 0.99));
    EXPECT(r.latency_min_ns <= backplane_latency_quantile(&r, 0.5));
}

TEST(a_generator_keeps_its_rate)
{
    uint32_t sink = add_sink();
    struct sink_report r;
    double seconds;

    add((struct port_config){.name = "gen",
                             .kind = PORT_GENERATOR,
                             .generator = {.rate_pps = 2000, .count = 401}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    r = report(sink);
    seconds = (double)(r.last_ns - r.first_ns) / 1e9;
    EXPECT_EQ(r.packets, 401);
    EXPECT(seconds > 0.19); /* never faster; how much slower is the machine's matter */
}

TEST(loss_reordering_and_latency_are_told_apart)
{
    uint32_t sink = add_sink();
    struct sink_report r;

    /* At the receiver's limit of 1000 a second most are dropped on the way. */
    backplane_set_port(
        bp, sink, &(struct port_settings){.out = {.pps = 1000, .burst_packets = 10}},
        &d);
    add((struct port_config){.name = "gen",
                             .kind = PORT_GENERATOR,
                             .generator = {.rate_pps = 20000, .count = 2000}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    r = report(sink);
    EXPECT(r.packets < 1500);
    EXPECT(r.lost > 0);
    EXPECT_EQ(r.reordered, 0);
    EXPECT_EQ(backplane_latency_ns(8), 8);
    EXPECT_EQ(backplane_latency_ns(16), 16);
    EXPECT_EQ(backplane_latency_ns(17), 18);
}

static void generate_file(uint64_t count)
{
    uint32_t out, gen;
    struct port_stats s;

    out = add((struct port_config){
        .name = "out", .kind = PORT_PCAP_OUT, .pcap_out = {.path = path}});
    gen = add((struct port_config){.name = "gen",
                                   .kind = PORT_GENERATOR,
                                   .generator = {.count = count, .imix = true}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    for (int i = 0; i < 10000; i++) { /* written when the worker falls idle */
        EXPECT(backplane_port_stats(bp, out, &s));
        if (s.out_packets == count)
            break;
        usleep(1000);
    }
    EXPECT_EQ(s.out_packets, count);
    EXPECT_EQ(backplane_remove_port(bp, gen, &d), 0);
    EXPECT_EQ(backplane_remove_port(bp, out, &d), 0);
}

TEST(a_file_that_was_written_is_read_again)
{
    uint32_t sink;
    struct sink_report r;

    generate_file(1200);
    sink = add_sink();
    add((struct port_config){
        .name = "in", .kind = PORT_PCAP_IN, .pcap_in = {.path = path, .repeat = 3}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    r = report(sink);
    EXPECT_EQ(r.packets, 3600);
    EXPECT_EQ(r.bytes, 300 * (7 * 64 + 4 * 594 + 1518));
    EXPECT_EQ(r.foreign, 0);
    EXPECT_EQ(r.reordered, 2400); /* the second and third time */
}

TEST(a_file_is_played_in_its_own_time)
{
    FILE *f = fopen(path, "w");
    struct pcap_head h = {PCAP_MICRO, 2, 4, 0, 0, 65535, PCAP_ETHERNET};
    uint8_t frame[60] = {0};
    struct sink_report r;
    uint32_t sink;

    fwrite(&h, sizeof h, 1, f);
    for (uint32_t i = 0; i < 3; i++) {
        struct pcap_record rec = {1000, i * 100000, 60, 60};

        fwrite(&rec, sizeof rec, 1, f);
        fwrite(frame, sizeof frame, 1, f);
    }
    fclose(f);
    sink = add_sink();
    add((struct port_config){.name = "in",
                             .kind = PORT_PCAP_IN,
                             .pcap_in = {.path = path, .timed = true, .speed = 2}});
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    r = report(sink);
    EXPECT_EQ(r.packets, 3);
    EXPECT_EQ(r.foreign, 3);
    EXPECT(r.last_ns - r.first_ns >= 95000000);
}

TEST(a_file_that_is_cut_short_is_played_up_to_there)
{
    struct backplane_event e;
    uint32_t sink;

    generate_file(12);
    EXPECT_EQ(truncate(path, 24 + 16 + 64 + 16 + 594 + 16 + 10), 0);
    sink = add_sink();
    add((struct port_config){
        .name = "in", .kind = PORT_PCAP_IN, .pcap_in = {.path = path}});
    e = next_event();
    EXPECT_EQ(e.kind, EVENT_PORT_FAULT);
    EXPECT(strstr(e.text, "packet 3 at byte 714 is cut short"));
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    EXPECT_EQ(report(sink).packets, 2);
}

TEST(what_is_not_a_pcap_file_is_refused)
{
    struct port_config c = {
        .name = "in", .network = wire, .kind = PORT_PCAP_IN, .pcap_in = {.path = path}};
    uint32_t id;
    FILE *f;

    EXPECT_EQ(backplane_add_port(bp, &c, &id, &d), -1);
    EXPECT(strstr(diag_text(&d), "too short for a pcap file"));
    f = fopen(path, "w");
    fputs("this is a text and nothing else", f);
    fclose(f);
    EXPECT_EQ(backplane_add_port(bp, &c, &id, &d), -1);
    EXPECT(strstr(diag_text(&d), "not a pcap file"));
    c.pcap_in.path = "/does/not/exist";
    EXPECT_EQ(backplane_add_port(bp, &c, &id, &d), -1);
    EXPECT(strstr(diag_text(&d), "cannot open /does/not/exist: No such file"));
}

TEST(a_full_disk_is_reported_once_and_counted)
{
    struct backplane_event e;
    struct port_stats s;
    uint32_t out = add((struct port_config){
        .name = "out", .kind = PORT_PCAP_OUT, .pcap_out = {.path = "/dev/full"}});

    add((struct port_config){
        .name = "gen", .kind = PORT_GENERATOR, .generator = {.count = 20000}});
    e = next_event();
    EXPECT_EQ(e.kind, EVENT_PORT_FAULT);
    EXPECT_STR(e.text, "port 'out': cannot write /dev/full: No space left on device: "
                       "make room; dropping packets");
    EXPECT_EQ(next_event().kind, EVENT_PORT_DONE);
    for (int i = 0; i < 10000;
         i++) { /* the last are flushed when the worker falls idle */
        EXPECT(backplane_port_stats(bp, out, &s));
        if (s.drops[DROP_DEVICE] == 20000)
            break;
        usleep(1000);
    }
    EXPECT_EQ(s.drops[DROP_DEVICE], 20000);
    EXPECT_EQ(s.out_packets, 0);
    EXPECT(!backplane_next_event(bp, &e));
}

TEST(a_capture_ends_after_its_count)
{
    struct capture_stats s;
    struct backplane_event e;
    uint32_t sink = add_sink(), capture;
    struct stat st;
    int fd = open(path, O_RDWR);
    struct capture_config c = {
        .port = sink, .direction = CAPTURE_OUT, .fd = fd, .snaplen = 40, .count = 10};

    EXPECT_EQ(backplane_start_capture(bp, &c, &capture, &d), 0);
    close(fd);
    add((struct port_config){
        .name = "gen", .kind = PORT_GENERATOR, .generator = {.count = 1000}});
    e = next_event();
    EXPECT_EQ(e.kind, EVENT_CAPTURE_DONE);
    EXPECT_EQ(e.capture, capture);
    EXPECT(backplane_capture_stats(bp, capture, &s));
    EXPECT_EQ(s.packets, 10);
    EXPECT_EQ(s.missed, 0);
    EXPECT(s.done);
    EXPECT_EQ(stat(path, &st), 0);
    EXPECT_EQ(st.st_size, 24 + 10 * (16 + 40));
    EXPECT_EQ(backplane_stop_capture(bp, capture, &d), 0);
    EXPECT_EQ(backplane_stop_capture(bp, capture, &d), -1);
}

TEST(a_reader_that_has_gone_ends_its_capture_only)
{
    uint32_t sink = add_sink(), capture;
    int pipes[2];
    struct capture_config c = {.network = wire};
    bool ended = false, done = false;

    EXPECT_EQ(pipe(pipes), 0);
    c.fd = pipes[1];
    EXPECT_EQ(backplane_start_capture(bp, &c, &capture, &d), 0);
    close(pipes[0]);
    close(pipes[1]);
    add((struct port_config){
        .name = "gen", .kind = PORT_GENERATOR, .generator = {.count = 50000}});
    while (!ended || !done) {
        struct backplane_event e = next_event();

        EXPECT(e.kind == EVENT_CAPTURE_DONE || e.kind == EVENT_PORT_DONE);
        ended |= e.kind == EVENT_CAPTURE_DONE;
        done |= e.kind == EVENT_PORT_DONE;
    }
    EXPECT_EQ(report(sink).packets, 50000);
}
