// SPDX-License-Identifier: BSD-3-Clause
/*
 * link.h -- a monitor's connection to the daemon
 *
 * Frames in, frames out, nothing ever blocks. The text of a request goes from the socket
 * straight into control memory, the text of a reply from there straight into the socket,
 * so no size of either needs memory here. One request is under way at a time; the next is
 * not read before the answer to it, or the news that it timed out, was sent.
 *
 * A request that times out stays with the guest: until that one answers, further ones
 * are told VMM_BUSY after reading past their text.
 *
 * Without a connection everything that would be sent is dropped but the answer to a
 * request, which is forgotten with the connection that made it.
 */

#ifndef VMM_LINK_H
#define VMM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/mailbox.h"
#include "vmm/wire.h"

enum { LINK_OUT = 8192 };

struct link {
    int fd;                  /* owned; -1: no daemon */
    struct mailbox *mailbox; /* borrowed */

    /* Incoming: a frame's head, then a request's fields, then its text. */
    struct {
        struct wire_head head;
        struct wire_request fields;
    } in;
    uint32_t in_have;  /* bytes of `in` */
    uint32_t text_len; /* of the request being read */
    uint32_t text_have;
    bool discard; /* the mailbox is taken: read past the text */

    bool checkpoint;      /* the request is one: link_answer_state() answers it */
    bool hold;            /* and the guest is to stand still until the next one */
    bool open;            /* request `id` waits for its answer */
    uint32_t id;          /* of the newest request */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; while `open` */

    uint8_t out[LINK_OUT]; /* frames to be sent, before `reply` */
    uint32_t out_at, out_len;
    const uint8_t *reply; /* borrowed from guest memory; NULL: none is being sent */
    size_t reply_left;
    int state;         /* owned: goes with the frame at `state_at`; -1: none */
    uint32_t state_at; /* of `out` */
};

void link_init(struct link *l, struct mailbox *m, int fd);

/* Take a new connection; the old one is closed and its request forgotten. */
void link_replace(struct link *l, int fd);

/* Read what has come; returns true if a request was posted to the mailbox. */
bool link_receive(struct link *l);

/* Look for the guest's answer, and for a time that has run out. */
void link_answer(struct link *l, uint64_t now_ns);

/* Answer the open request, with a descriptor (taken over; -1: none). */
void link_answer_state(struct link *l, uint32_t status, int fd);

/* Queue a small frame. False if there is no room or no daemon: it is dropped. */
bool link_frame(struct link *l, uint32_t type, const void *a, size_t a_len,
                const void *b, size_t b_len);

/* The same with a `tail` of any size, which is borrowed until all of it was sent. */
bool link_frame_long(struct link *l, uint32_t type, const void *a, size_t a_len,
                     const void *tail, size_t tail_len);

/* Bytes that can be queued by link_frame() now. */
size_t link_room(const struct link *l);

/* Send what can be sent. */
void link_send(struct link *l);

/* Whether there is something to be sent. */
bool link_pending(const struct link *l);

/* What to poll() its fd for. */
short link_events(const struct link *l);

/* Send all that is queued, waiting at most `ms`. */
void link_flush(struct link *l, int ms);

#endif
