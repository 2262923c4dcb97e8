// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest writes anything at all into control memory between the monitor's looks: what the
 * monitor takes out stays within bounds, and its own counts stay its own.
 *
 * Input: records of 3 bytes, (what, value, value): 0-5 sets a field, 6 posts a request,
 * others look.
 */

#include "vmm/mailbox.h"

#include <stdlib.h>
#include <string.h>

static void scribble(struct control_head *h, unsigned what, uint32_t value)
{
    switch (what) {
    case 0:
        h->answered = value % 8;
        break;
    case 1:
        h->asked = value;
        break;
    case 2:
        h->reply.len = value << 10;
        break;
    case 3:
        h->reply.status = value;
        break;
    case 4:
        h->console_in += value;
        break;
    default:
        h->console_out = value;
        h->console_lost = value;
    }
}

static void look(struct mailbox *m)
{
    static char text[2 * CONTROL_CONSOLE];
    struct control_crash crash;
    const uint8_t *reply;
    uint32_t status, lost;
    size_t len, n = mailbox_console(m, text, sizeof text, &lost);

    if (n > CONTROL_CONSOLE)
        __builtin_trap();
    if (mailbox_take(m, &status, &reply, &len) &&
        (len > CONTROL_TEXT || status > CONTROL_BAD_REQUEST ||
         reply != m->base + CONTROL_REPLY_AT))
        __builtin_trap();
    mailbox_crash(m, &crash);
    if (strlen(crash.message) >= sizeof crash.message)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    struct mailbox m;
    uint32_t posted = 0;

    if (!memory)
        memory = calloc(1, CONTROL_SIZE);
    memset(memory, 0, CONTROL_CONSOLE_AT);
    mailbox_init(&m, memory);
    for (; size >= 3; size -= 3, data += 3) {
        struct control_head *h = (struct control_head *)memory;

        if (data[0] <= 5) {
            scribble(h, data[0], (uint32_t)data[1] << 8 | data[2]);
        } else if (data[0] == 6 && !m.waiting) {
            mailbox_post(&m, &(struct control_request){.verb = CONTROL_PING});
            if (h->asked != ++posted)
                __builtin_trap();
        } else {
            look(&m);
        }
    }
    return 0;
}
