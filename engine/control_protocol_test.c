// SPDX-License-Identifier: BSD-3-Clause
#include "engine/control_protocol.h"
#include "engine/llrpc.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

/* A world of three handlers: "c.count" to read, "c.set" to write, "list" of the router. */
static char written[64];

static int check(void *ctx, const char *name)
{
    if (strcmp(name, "c.count") == 0 || strcmp(name, "list") == 0 ||
        strcmp(name, "rpc.name") == 0)
        return CONTROL_CAN_READ;
    if (strcmp(name, "c.both") == 0 || strcmp(name, "c.bad") == 0)
        return CONTROL_CAN_READ | CONTROL_CAN_WRITE;
    if (strcmp(name, "c.set") == 0)
        return CONTROL_CAN_WRITE;
    return strncmp(name, "c.", 2) == 0 || !strchr(name, '.') ? 0 : CONTROL_NO_ELEMENT;
}

static int read_handler(void *ctx, const char *name, const char *param,
                        struct sbuf *out, struct diag *d)
{
    if (strcmp(name, "c.bad") == 0)
        return diag_err(d, "went\001wrong"), diag_err(d, "twice");
    sbuf_printf(out, "<%s>", param);
    return 0;
}

static int write_handler(void *ctx, const char *name, const char *value, size_t len,
                         struct diag *d)
{
    snprintf(written, sizeof written, "%s", value);
    if (strcmp(name, "c.bad") == 0)
        return diag_err(d, "no");
    if (strcmp(value, "careful") == 0)
        diag_warn(d, "mind the gap");
    return 0;
}

static uint32_t called;

/* 7 fails; the others add one to each byte. */
static const char *call_element(void *ctx, const char *element, uint32_t call,
                                void *data)
{
    char *bytes = data;

    called = call;
    if (strcmp(element, "rpc") != 0 || (call & 0xff) == 7)
        return "Went wrong";
    for (unsigned i = 0; i < llrpc_size(call); i++)
        bytes[i]++;
    return NULL;
}

static const struct control_ops ops = {.check = check,
                                       .read = read_handler,
                                       .write = write_handler,
                                       .llrpc = call_element};
static struct control c;

SETUP()
{
    control_init(&c, &ops, NULL, false);
    control_sent(&c, c.out.len);
    written[0] = '\0';
}

TEARDOWN()
{
    control_fini(&c);
}

static const char *say(const char *text)
{
    static char answer[4096];
    size_t len;

    control_feed(&c, text, strlen(text));
    while (control_step(&c))
        ;
    snprintf(answer, sizeof answer, "%s", control_output(&c, &len));
    control_sent(&c, len);
    return answer;
}

TEST(a_client_is_greeted)
{
    struct control fresh;
    size_t len;

    control_init(&fresh, &ops, NULL, false);
    EXPECT_STR(control_output(&fresh, &len), "Click::ControlSocket/1.3\r\n");
    control_fini(&fresh);
}

TEST(handlers_are_read)
{
    EXPECT_STR(say("READ c.count\r\n"),
               "200 Read handler 'c.count' OK\r\nDATA 2\r\n<>");
    EXPECT_STR(say("get .list  a  b \n"),
               "200 Read handler '.list' OK\r\nDATA 6\r\n<a  b>");
    EXPECT_STR(say("READ 0.list\r"), "200 Read handler '0.list' OK\r\nDATA 2\r\n<>");
    EXPECT_STR(say("READ c.set\n"), "530 Handler 'c.set' write-only\r\n");
    EXPECT_STR(say("READ c.no\n"), "511 No handler named 'c.no'\r\n");
    EXPECT_STR(say("READ d.count\n"), "510 No element named 'd'\r\n");
    EXPECT_STR(say("READ\n"), "500 Wrong number of arguments\r\n");
    EXPECT_STR(
        say("READ c.bad\n"),
        "590-Read handler 'c.bad' error:\r\n590-went\\001wrong\r\n590 twice\r\n");
}

TEST(handlers_are_written)
{
    EXPECT_STR(say("WRITE c.set a b\r\n"), "200 Write handler 'c.set' OK\r\n");
    EXPECT_STR(written, "a b");
    EXPECT_STR(say("set c.set\n"), "200 Write handler 'c.set' OK\r\n");
    EXPECT_STR(written, "");
    EXPECT_STR(say("WRITE c.count 1\n"), "530 Handler 'c.count' read-only\r\n");
    EXPECT_STR(say("WRITE c.bad 1\n"),
               "520-Write handler 'c.bad' error:\r\n520 no\r\n");
    EXPECT_STR(say("WRITE c.set careful\n"),
               "220-Write handler 'c.set' OK with warnings:\r\n"
               "220 warning: mind the gap\r\n");
}

TEST(data_is_counted)
{
    EXPECT_STR(say("WRITEDATA c.set 5\r\na\nb"), "");
    EXPECT_STR(say("\nc"), "200 Write handler 'c.set' OK\r\n");
    EXPECT_STR(written, "a\nb\nc");
    EXPECT_STR(say("READDATA c.count 3\nxyz"),
               "200 Read handler 'c.count' OK\r\nDATA 5\r\n<xyz>");
    EXPECT_STR(say("WRITEDATA c.set -1\n"), "500 Syntax error in '%s'\r\n");
    EXPECT_STR(say("WRITEDATA c.set\n"), "500 Wrong number of arguments\r\n");
    EXPECT_STR(say("WRITEDATA c.set 1 2\n"), "500 Wrong number of arguments\r\n");
}

TEST(data_ends_where_it_says)
{
    EXPECT_STR(say("WRITEUNTIL c.set EOF\r\n"), "");
    EXPECT_STR(say("line 1\r\nEOF 2\r\n"), "");
    EXPECT_STR(say("EO"), "");
    EXPECT_STR(say("F  \r\nREAD c.count\n"),
               "200 Write handler 'c.set' OK\r\n200 Read handler 'c.count' OK\r\n"
               "DATA 2\r\n<>");
    EXPECT_STR(written, "line 1\r\nEOF 2\r\n");
    EXPECT_STR(say("READUNTIL c.count\nx\n\n"),
               "200 Read handler 'c.count' OK\r\nDATA 4\r\n<x\n>");
}

TEST(handlers_are_checked)
{
    EXPECT_STR(say("CHECKREAD c.count\n"), "200 Read handler 'c.count' OK\r\n");
    EXPECT_STR(say("CHECKWRITE c.count\n"), "511 Handler 'c.count' not writable\r\n");
    EXPECT_STR(say("CHECKREAD c.set\n"), "511 Handler 'c.set' not readable\r\n");
    EXPECT_STR(say("CHECKWRITE c.no\n"), "511 No handler named 'c.no'\r\n");
    EXPECT_STR(say("CHECKWRITE\n"), "500 Wrong number of arguments\r\n");
}

TEST(a_read_only_connection_does_not_write)
{
    c.read_only = true;
    EXPECT_STR(say("WRITE c.set 1\n"), "530 Permission denied for 'c.set'\r\n");
    EXPECT_STR(say("CHECKWRITE c.set\n"), "530 Permission denied for 'c.set'\r\n");
    EXPECT_STR(say("READ c.count\n"), "200 Read handler 'c.count' OK\r\nDATA 2\r\n<>");
    EXPECT_STR(written, "");
}

TEST(a_call_by_number_copies_what_its_number_says)
{
    EXPECT_STR(say("LLRPC rpc#C0044001 4\nabcdREAD list\n"),
               "200 LLRPC 'rpc#C0044001' OK\r\nDATA 4\r\nbcde"
               "200 Read handler 'list' OK\r\nDATA 2\r\n<>");
    EXPECT_EQ(called, 0xc0044001u);
    /* in only, and through the pieces of a split command */
    EXPECT_STR(say("LLRPC rpc#80024006 2\na"), "");
    EXPECT_STR(say("b"), "200 LLRPC 'rpc#80024006' OK\r\nDATA 0\r\n");
    /* out only: what goes in is not looked at */
    EXPECT_STR(say("LLRPC rpc#40024005 3\nabc"),
               "200 LLRPC 'rpc#40024005' OK\r\nDATA 2\r\n\001\001");
}

TEST(a_call_that_cannot_be_made_is_refused)
{
    EXPECT_STR(say("LLRPC rpc#C0044001 3\nabc"),
               "522 LLRPC 'rpc#C0044001' requires 4 bytes input data\r\n");
    EXPECT_STR(say("LLRPC rpc#80024007 2\nab"),
               "522 LLRPC 'rpc#80024007' error: Went wrong\r\n");
    /* with pointers, without size, without direction */
    EXPECT_STR(say("LLRPC rpc#C0040001 4\nabcd"),
               "501 Cannot call LLRPC 'rpc#C0040001' remotely\r\n");
    EXPECT_STR(say("LLRPC rpc#C0004001\n"),
               "501 Cannot call LLRPC 'rpc#C0004001' remotely\r\n");
    EXPECT_STR(say("LLRPC rpc#20024001\n"),
               "501 Cannot call LLRPC 'rpc#20024001' remotely\r\n");
    EXPECT_STR(say("LLRPC rpc#1C0044001\n"),
               "500 Syntax error in LLRPC name 'rpc#1C0044001'\r\n");
    EXPECT_STR(say("LLRPC rpc#80024006 x\n"), "500 Syntax error in 'llrpc'\r\n");
    c.read_only = true;
    EXPECT_STR(say("LLRPC rpc#C0044001 4\nabcd"),
               "530 Permission denied for 'rpc#C0044001'\r\n");
}

TEST(data_that_never_come_are_an_error)
{
    say("WRITEUNTIL c.set END\nline\n");
    control_close_input(&c);
    EXPECT_STR(say(""), "500 Not enough data\r\n501 Command 'LINE' unimplemented\r\n");
}

TEST(what_is_not_known_is_named)
{
    EXPECT_STR(say("dance\n"), "501 Command 'DANCE' unimplemented\r\n");
    EXPECT_STR(say("\r\n\n  \n"), "");
    EXPECT_STR(say("LLRPC c#80a0 2\nab"), "511 No handler named 'c.name'\r\n");
    EXPECT_STR(say("LLRPC c#xyz\n"), "500 Syntax error in LLRPC name 'c#xyz'\r\n");
    EXPECT(strncmp(say("help\n"), "200-Commands supported:\r\n", 25) == 0);
}

TEST(quit_says_goodbye_and_forgets_the_rest)
{
    EXPECT_STR(say("QUIT\nREAD c.count\n"), "200 Goodbye!\r\n");
    EXPECT(control_finished(&c));
    EXPECT_STR(say("READ c.count\n"), "");
}

TEST(the_last_line_needs_no_end)
{
    EXPECT_STR(say("READ c.count"), "");
    control_close_input(&c);
    EXPECT_STR(say(""), "200 Read handler 'c.count' OK\r\nDATA 2\r\n<>");
    EXPECT(control_finished(&c));
}

TEST(data_that_never_comes_is_an_error)
{
    EXPECT_STR(say("WRITEDATA c.set 10\nabc"), "");
    control_close_input(&c);
    EXPECT(strstr(say(""), "500 Not enough data\r\n") != NULL);
    EXPECT_STR(written, "");
}

TEST(a_client_cannot_fill_the_memory)
{
    static char block[1 << 20];

    memset(block, 'x', sizeof block);
    for (int i = 0; i < 70; i++)
        control_feed(&c, block, sizeof block);
    EXPECT(c.in.len == 0);
    EXPECT_STR(say(""), "521 Data too large\r\n");
    EXPECT(control_finished(&c));
}

TEST(many_commands_take_time_that_grows_with_them)
{
    struct sbuf all = SBUF_INIT;
    size_t len;

    for (int i = 0; i < 200000; i++)
        sbuf_puts(&all, "CHECKREAD c.count\n");
    control_feed(&c, sbuf_text(&all), all.len);
    while (control_step(&c))
        ;
    control_output(&c, &len);
    EXPECT_EQ(len, 200000 * strlen("200 Read handler 'c.count' OK\r\n"));
    sbuf_fini(&all);
}

/* --- commands that somebody else carries out --- */

static char forwarded[256];

static int check_elsewhere(void *ctx, const char *name)
{
    return strcmp(name, "slow") == 0 ? CONTROL_CAN_WRITE : CONTROL_ELSEWHERE;
}

static int write_later(void *ctx, const char *name, const char *value, size_t len,
                       struct diag *d)
{
    snprintf(written, sizeof written, "%s", value);
    return CONTROL_LATER;
}

static void forward(void *ctx, const char *command, size_t len)
{
    snprintf(forwarded, sizeof forwarded, "%.*s", (int)len, command);
}

static const struct control_ops elsewhere = {.check = check_elsewhere,
                                             .read = read_handler,
                                             .write = write_later,
                                             .forward = forward};

static void go_elsewhere(void)
{
    control_fini(&c);
    control_init(&c, &elsewhere, NULL, false);
    control_sent(&c, c.out.len);
    forwarded[0] = '\0';
}

TEST(a_command_is_forwarded_whole_and_the_next_one_waits)
{
    go_elsewhere();
    EXPECT_STR(say("READ a.b x y\r\nWRITEDATA c.d 4\nab"), "");
    EXPECT_STR(forwarded, "READ a.b x y\r\n");
    EXPECT_STR(say("c"), "");
    control_reply(&c, "200 well\r\n", 10);
    EXPECT_STR(say(""), "200 well\r\n");
    EXPECT_STR(forwarded, "READ a.b x y\r\n");
    EXPECT_STR(say("dCHECKREAD e.f\nWRITEUNTIL g.h END\nx\nEND\n"), "");
    EXPECT_STR(forwarded, "WRITEDATA c.d 4\nabcd");
    control_refuse(&c, 590, "not today");
    EXPECT_STR(say(""), "590 not today\r\n");
    EXPECT_STR(forwarded, "CHECKREAD e.f\n");
    control_reply(&c, "", 0);
    EXPECT_STR(say("HELPER\nQUIT\n"), "");
    EXPECT_STR(forwarded, "WRITEUNTIL g.h END\nx\nEND\n");
    control_close_input(&c);
    EXPECT(!control_finished(&c));
    control_reply(&c, "", 0);
    EXPECT_STR(say(""), "501 Command 'HELPER' unimplemented\r\n200 Goodbye!\r\n");
    EXPECT(control_finished(&c));
}

TEST(what_is_wrong_with_a_command_is_not_forwarded)
{
    go_elsewhere();
    EXPECT_STR(say("READ\nLLRPC a#x\n"), "500 Wrong number of arguments\r\n"
                                         "500 Syntax error in LLRPC name 'a#x'\r\n");
    EXPECT_STR(forwarded, "");
}

TEST(a_write_is_answered_later)
{
    struct diag d = DIAG_INIT;

    go_elsewhere();
    EXPECT_STR(say("WRITE slow 1\nREAD a.b\n"), "");
    EXPECT_STR(written, "1");
    EXPECT_STR(forwarded, "");
    diag_err(&d, "no");
    control_written(&c, -1, &d);
    EXPECT_STR(say(""), "520-Write handler 'slow' error:\r\n520 no\r\n");
    EXPECT_STR(forwarded, "READ a.b\n");
    diag_fini(&d);
}

TEST(commands_are_carried_out_without_a_connection)
{
    struct sbuf out = SBUF_INIT;

    control_run(&ops, NULL, "WRITEDATA c.set 2\nab", 20, &out);
    EXPECT_STR(sbuf_text(&out), "200 Write handler 'c.set' OK\r\n");
    EXPECT_STR(written, "ab");
    sbuf_fini(&out);
}
