// SPDX-License-Identifier: BSD-3-Clause
/*
 * mailbox.h -- the monitor's side of control memory (abi/control.h)
 *
 * Control memory is the guest's to scribble in. Everything read here is loaded once into
 * a private copy and bounded; what the monitor itself wrote is never read back.
 *
 * Threads: one.
 * Memory:  the mapping is borrowed and must stay CONTROL_SIZE bytes long.
 */

#ifndef VMM_MAILBOX_H
#define VMM_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control.h"

struct mailbox {
    uint8_t *base;        /* borrowed: control memory */
    uint32_t asked;       /* requests made */
    bool waiting;         /* for the answer to the newest */
    bool nudged;          /* mailbox_nudge() said so of the newest */
    uint32_t console_out; /* console bytes read */
    uint32_t lost_seen;   /* of console_lost, reported so far */
};

void mailbox_init(struct mailbox *m, void *base);

/* Go on with a guest that has answered `asked` requests, and whose console was read up to
 * `console_out`, having lost `lost_seen` bytes. What it had to say before is over. */
void mailbox_resume(struct mailbox *m, uint32_t asked, uint32_t console_out,
                    uint32_t lost_seen);

/* Where the text of the next request goes: CONTROL_TEXT bytes. Only while not waiting. */
uint8_t *mailbox_text(struct mailbox *m);

/* Publish a request whose text is in place. The caller then wakes the guest. */
void mailbox_post(struct mailbox *m, const struct control_request *r);

/* True when the guest has answered the request that was waited for: `status` and the text,
 * which stays in control memory: the bytes may change while they are copied out, but
 * `len` is within bounds. */
bool mailbox_take(struct mailbox *m, uint32_t *status, const uint8_t **text,
                  size_t *len);

/* Copy out up to `room` bytes of console text. `*lost` is how many bytes the guest says it
 * dropped since the last call. Returns 0 when there is nothing. */
size_t mailbox_console(struct mailbox *m, char *text, size_t room, uint32_t *lost);

/* The guest goes to sleep although a request is there: it was posted after the guest had
 * looked. True once for each request, so that one who sleeps on purpose can. */
bool mailbox_nudge(struct mailbox *m);

/* Whether there is console text to be had. */
bool mailbox_console_waiting(const struct mailbox *m);

/* Whether the guest says that it runs its main loop. */
bool mailbox_ready(const struct mailbox *m);

/* A copy of the crash record with its message terminated and free of control bytes. */
void mailbox_crash(const struct mailbox *m, struct control_crash *crash);

#endif
