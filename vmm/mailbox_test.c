// SPDX-License-Identifier: BSD-3-Clause
#include "vmm/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static struct mailbox m;
static uint8_t *memory;
static struct control_head *guest;
static const struct control_request ping = {.verb = CONTROL_PING};

SETUP()
{
    memory = calloc(1, CONTROL_SIZE);
    mailbox_init(&m, memory);
    guest = (struct control_head *)memory;
}

TEARDOWN()
{
    free(memory);
}

static void print(const char *text)
{
    for (; *text; text++)
        memory[CONTROL_CONSOLE_AT + guest->console_in++ % CONTROL_CONSOLE] =
            (uint8_t)*text;
}

TEST(an_answer_is_taken_once)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;

    mailbox_post(&m, &ping);
    EXPECT(!mailbox_take(&m, &status, &text, &len));
    guest->reply = (struct control_reply){CONTROL_NO_CONFIG, 3};
    guest->answered = guest->asked;
    EXPECT(mailbox_take(&m, &status, &text, &len));
    EXPECT_EQ(status, CONTROL_NO_CONFIG);
    EXPECT_EQ(len, 3);
    EXPECT(text == memory + CONTROL_REPLY_AT);
    EXPECT(!mailbox_take(&m, &status, &text, &len));
}

TEST(an_answer_to_nothing_is_none)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;

    guest->answered = 1;
    EXPECT(!mailbox_take(&m, &status, &text, &len));
    mailbox_post(&m, &ping);
    guest->answered = 2;
    EXPECT(!mailbox_take(&m, &status, &text, &len));
}

TEST(an_answer_too_long_is_an_error_without_text)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;

    mailbox_post(&m, &ping);
    guest->reply = (struct control_reply){CONTROL_OK, CONTROL_TEXT + 1};
    guest->answered = 1;
    EXPECT(mailbox_take(&m, &status, &text, &len));
    EXPECT_EQ(status, CONTROL_ERROR);
    EXPECT_EQ(len, 0);
}

TEST(our_count_of_requests_survives_a_guest_that_overwrites_it)
{
    mailbox_post(&m, &ping);
    guest->asked = 4000;
    m.waiting = false;
    mailbox_post(&m, &ping);
    EXPECT_EQ(guest->asked, 2);
}

TEST(a_guest_that_sleeps_over_a_request_is_woken_once)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;

    EXPECT(!mailbox_nudge(&m));
    mailbox_post(&m, &ping);
    EXPECT(mailbox_nudge(&m));
    EXPECT(!mailbox_nudge(&m));
    guest->answered = 1;
    EXPECT(mailbox_take(&m, &status, &text, &len));
    mailbox_post(&m, &ping);
    guest->answered = 2;
    EXPECT(!mailbox_nudge(&m));
    EXPECT(mailbox_take(&m, &status, &text, &len));
    EXPECT(!mailbox_nudge(&m));
}

TEST(console_text_comes_out_in_order_and_in_pieces)
{
    char text[8];
    uint32_t lost;

    print("hello, world");
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), 8);
    EXPECT_MEM(text, "hello, w", 8);
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), 4);
    EXPECT_MEM(text, "orld", 4);
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), 0);
    EXPECT_EQ(guest->console_out, 12);
}

TEST(a_console_index_that_jumps_gives_one_lap_at_most)
{
    static char text[4 * CONTROL_CONSOLE];
    uint32_t lost;

    guest->console_in = 0x80000000u;
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), CONTROL_CONSOLE);
    guest->console_in = 3;
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), CONTROL_CONSOLE);
    EXPECT_EQ(mailbox_console(&m, text, sizeof text, &lost), 0);
}

TEST(lost_text_is_counted_once)
{
    char text[8];
    uint32_t lost;

    guest->console_lost = 7;
    print("x");
    mailbox_console(&m, text, sizeof text, &lost);
    EXPECT_EQ(lost, 7);
    print("y");
    mailbox_console(&m, text, sizeof text, &lost);
    EXPECT_EQ(lost, 0);
}

TEST(a_crash_message_is_terminated_and_harmless)
{
    struct control_crash c;

    memset(guest->crash.message, 0x1b, sizeof guest->crash.message);
    mailbox_crash(&m, &c);
    EXPECT_EQ(strlen(c.message), sizeof c.message - 1);
    EXPECT_EQ(c.message[0], ' ');
}
