// SPDX-License-Identifier: BSD-3-Clause
/* The monitor's side of control memory; see mailbox.h. */

#include "vmm/mailbox.h"

#include <string.h>

static struct control_head *head(const struct mailbox *m)
{
    return (struct control_head *)m->base;
}

void mailbox_init(struct mailbox *m, void *base)
{
    *m = (struct mailbox){.base = base};
    head(m)->abi = CONTROL_ABI;
}

void mailbox_resume(struct mailbox *m, uint32_t asked, uint32_t console_out,
                    uint32_t lost_seen)
{
    *m = (struct mailbox){.base = m->base,
                          .asked = asked,
                          .console_out = console_out,
                          .lost_seen = lost_seen};
    head(m)->abi = CONTROL_ABI;
    memset((void *)&head(m)->crash, 0, sizeof head(m)->crash);
    atomic_store_explicit(&head(m)->asked, asked, memory_order_relaxed);
    atomic_store_explicit(&head(m)->answered, asked, memory_order_relaxed);
    atomic_store_explicit(&head(m)->console_out, console_out, memory_order_relaxed);
}

uint8_t *mailbox_text(struct mailbox *m)
{
    return m->base + CONTROL_REQUEST_AT;
}

void mailbox_post(struct mailbox *m, const struct control_request *r)
{
    head(m)->request = *r;
    m->waiting = true;
    m->nudged = false;
    atomic_store_explicit(&head(m)->asked, ++m->asked, memory_order_release);
}

bool mailbox_take(struct mailbox *m, uint32_t *status, const uint8_t **text,
                  size_t *len)
{
    volatile const struct control_reply *reply = &head(m)->reply;

    /* Only the exact number counts: a guest that runs ahead answers nothing. */
    if (!m->waiting ||
        atomic_load_explicit(&head(m)->answered, memory_order_acquire) != m->asked)
        return false;
    m->waiting = false;
    *status = reply->status;
    *len = reply->len;
    *text = m->base + CONTROL_REPLY_AT;
    if (*status > CONTROL_BAD_REQUEST || *len > CONTROL_TEXT) {
        *status = CONTROL_ERROR;
        *len = 0;
    }
    return true;
}

bool mailbox_nudge(struct mailbox *m)
{
    if (!m->waiting || m->nudged ||
        atomic_load_explicit(&head(m)->answered, memory_order_acquire) == m->asked)
        return false;
    m->nudged = true;
    return true;
}

size_t mailbox_console(struct mailbox *m, char *text, size_t room, uint32_t *lost)
{
    const uint8_t *ring = m->base + CONTROL_CONSOLE_AT;
    uint32_t in = atomic_load_explicit(&head(m)->console_in, memory_order_acquire);
    uint32_t all_lost = atomic_load_explicit(&head(m)->console_lost,
                                             memory_order_relaxed);
    uint32_t n = in - m->console_out, at = m->console_out % CONTROL_CONSOLE;

    *lost = all_lost - m->lost_seen;
    /* An index that moved by more than a lap, or backwards, is a lie: resynchronise and
     * show what is in the ring. */
    if (n > CONTROL_CONSOLE) {
        n = CONTROL_CONSOLE;
        at = in % CONTROL_CONSOLE;
        m->console_out = in - n;
    }
    if (n > room)
        n = (uint32_t)room;
    if (!n)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        text[i] = (char)ring[(at + i) % CONTROL_CONSOLE];
    m->lost_seen = all_lost;
    m->console_out += n;
    atomic_store_explicit(&head(m)->console_out, m->console_out, memory_order_release);
    return n;
}

bool mailbox_console_waiting(const struct mailbox *m)
{
    return atomic_load_explicit(&head(m)->console_in, memory_order_relaxed) !=
           m->console_out;
}

bool mailbox_ready(const struct mailbox *m)
{
    return atomic_load_explicit(&head(m)->ready, memory_order_relaxed) != 0;
}

void mailbox_crash(const struct mailbox *m, struct control_crash *crash)
{
    memcpy(crash, (const void *)&head(m)->crash, sizeof *crash);
    crash->message[sizeof crash->message - 1] = '\0';
    for (char *c = crash->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}
