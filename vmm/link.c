// SPDX-License-Identifier: BSD-3-Clause
/* A monitor's connection to the daemon; see link.h. */

#include "vmm/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/client.h"
#include "vmm/clock.h"

enum { FIELDS = sizeof(struct wire_head) + sizeof(struct wire_request) };

void link_init(struct link *l, struct mailbox *m, int fd)
{
    memset(l, 0, offsetof(struct link, out));
    l->fd = fd;
    l->mailbox = m;
    l->out_at = l->out_len = 0;
    l->reply = NULL;
    l->reply_left = 0;
    l->state = -1;
}

void link_replace(struct link *l, int fd)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->state >= 0)
        close(l->state);
    link_init(l, l->mailbox, fd);
}

/* Read into `to`; 0 when there is nothing now or the connection is gone. */
static size_t receive(struct link *l, void *to, size_t room)
{
    ssize_t n;

    if (l->fd < 0)
        return 0;
    n = recv(l->fd, to, room, MSG_DONTWAIT);
    if (n > 0)
        return (size_t)n;
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        link_replace(l, -1);
    return 0;
}

static void reply(struct link *l, uint32_t status)
{
    const struct wire_reply r = {.id = l->id, .status = status};

    link_frame(l, WIRE_REPLY, &r, sizeof r, NULL, 0);
    l->open = false;
}

/* All of a request is here. */
static bool post(struct link *l)
{
    const struct wire_request *f = &l->in.fields;
    struct control_request r = {.verb = f->verb, .len = l->text_len};

    l->in_have = 0;
    l->id = f->id;
    if (l->discard) {
        reply(l, VMM_BUSY);
        return false;
    }
    memcpy(r.name, f->name, sizeof r.name - 1);
    memcpy(r.handler, f->handler, sizeof r.handler - 1);
    l->open = true;
    l->checkpoint = f->verb == CONTROL_CHECKPOINT;
    l->hold = l->checkpoint && strcmp(r.handler, "hold") == 0;
    l->deadline_ns = clock_ns() + f->timeout_ms * UINT64_C(1000000);
    mailbox_post(l->mailbox, &r);
    return true;
}

/* A head and a request's fields are here: where does its text go? */
static bool begin(struct link *l)
{
    uint32_t len = l->in.head.len;

    if (l->in.head.type != WIRE_REQUEST || len < sizeof(struct wire_request) ||
        len - sizeof(struct wire_request) > CONTROL_TEXT) {
        link_replace(l, -1);
        return false;
    }
    l->text_len = len - (uint32_t)sizeof(struct wire_request);
    l->text_have = 0;
    l->discard = l->mailbox->waiting;
    return true;
}

bool link_receive(struct link *l)
{
    uint8_t scrap[1024];
    bool posted = false;

    /* Nothing more is read while an answer is due, which makes the daemon wait. */
    while (l->fd >= 0 && link_events(l) & POLLIN) {
        size_t n;

        if (l->in_have < FIELDS) {
            n = receive(l, (uint8_t *)&l->in + l->in_have, FIELDS - l->in_have);
            if (!n)
                break;
            l->in_have += (uint32_t)n;
            if (l->in_have < FIELDS || !begin(l))
                continue;
        }
        if (l->text_have < l->text_len) {
            size_t left = l->text_len - l->text_have;

            if (l->discard)
                n = receive(l, scrap, left < sizeof scrap ? left : sizeof scrap);
            else
                n = receive(l, mailbox_text(l->mailbox) + l->text_have, left);
            if (!n)
                break;
            l->text_have += (uint32_t)n;
        }
        if (l->text_have == l->text_len && post(l))
            posted = true;
    }
    return posted;
}

void link_answer(struct link *l, uint64_t now_ns)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;

    /* The guest has answered before it stands still. */
    if (l->open && l->checkpoint) {
        if (now_ns >= l->deadline_ns)
            reply(l, VMM_TIMEOUT);
    } else if (mailbox_take(l->mailbox, &status, &text, &len) && l->open) {
        const struct wire_head h = {WIRE_REPLY,
                                    (uint32_t)(sizeof(struct wire_reply) + len)};
        const struct wire_reply r = {.id = l->id, .status = status};

        /* link_receive() kept room for these before it posted the request. */
        memcpy(l->out + l->out_len, &h, sizeof h);
        memcpy(l->out + l->out_len + sizeof h, &r, sizeof r);
        l->out_len += sizeof h + sizeof r;
        l->reply = text;
        l->reply_left = len;
        l->open = false;
    } else if (l->open && now_ns >= l->deadline_ns) {
        reply(l, VMM_TIMEOUT);
    }
}

void link_answer_state(struct link *l, uint32_t status, int fd)
{
    const struct wire_head h = {WIRE_REPLY, sizeof(struct wire_reply)};
    const struct wire_reply r = {.id = l->id, .status = status};

    /* There is room: link_receive() kept it. */
    l->state = fd;
    l->state_at = l->out_len;
    memcpy(l->out + l->out_len, &h, sizeof h);
    memcpy(l->out + l->out_len + sizeof h, &r, sizeof r);
    l->out_len += sizeof h + sizeof r;
    l->open = false;
}

size_t link_room(const struct link *l)
{
    /* The last bytes are kept for the head of a reply. */
    const size_t kept = sizeof(struct wire_head) + sizeof(struct wire_reply);

    return l->reply || LINK_OUT - l->out_len < 2 * kept
               ? 0
               : LINK_OUT - l->out_len - 2 * kept;
}

bool link_frame(struct link *l, uint32_t type, const void *a, size_t a_len,
                const void *b, size_t b_len)
{
    const struct wire_head h = {type, (uint32_t)(a_len + b_len)};
    uint8_t *to = l->out + l->out_len;
    size_t kept = type == WIRE_REPLY ? sizeof h + sizeof(struct wire_reply) : 0;

    if (l->fd < 0 || l->reply || link_room(l) + kept < sizeof h + a_len + b_len)
        return false;
    memcpy(to, &h, sizeof h);
    memcpy(to + sizeof h, a, a_len);
    if (b_len)
        memcpy(to + sizeof h + a_len, b, b_len);
    l->out_len += (uint32_t)(sizeof h + a_len + b_len);
    return true;
}

bool link_frame_long(struct link *l, uint32_t type, const void *a, size_t a_len,
                     const void *tail, size_t tail_len)
{
    const struct wire_head h = {type, (uint32_t)(a_len + tail_len)};

    if (l->fd < 0 || link_room(l) < sizeof h + a_len)
        return false;
    memcpy(l->out + l->out_len, &h, sizeof h);
    memcpy(l->out + l->out_len + sizeof h, a, a_len);
    l->out_len += (uint32_t)(sizeof h + a_len);
    l->reply = tail;
    l->reply_left = tail_len;
    return true;
}

static size_t send_some(struct link *l, const void *from, size_t len)
{
    ssize_t n = send(l->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0)
        return (size_t)n;
    if (errno != EAGAIN && errno != EINTR)
        link_replace(l, -1);
    return 0;
}

/* The first byte of its frame takes the descriptor along. */
static size_t send_state(struct link *l)
{
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.h = {.cmsg_level = SOL_SOCKET,
                       .cmsg_type = SCM_RIGHTS,
                       .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec iov = {l->out + l->out_at, l->out_len - l->out_at};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n;

    memcpy(CMSG_DATA(&control.h), &l->state, sizeof l->state);
    n = sendmsg(l->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        close(l->state);
        l->state = -1;
        return (size_t)n;
    }
    if (errno != EAGAIN && errno != EINTR)
        link_replace(l, -1);
    return 0;
}

static size_t send_frames(struct link *l)
{
    uint32_t end = l->out_len;

    if (l->state >= 0 && l->out_at == l->state_at)
        return send_state(l);
    if (l->state >= 0)
        end = l->state_at;
    return send_some(l, l->out + l->out_at, end - l->out_at);
}

void link_send(struct link *l)
{
    while (link_pending(l)) {
        size_t n;

        if (l->out_at < l->out_len) {
            n = send_frames(l);
            l->out_at += (uint32_t)n;
        } else {
            n = send_some(l, l->reply, l->reply_left);
            l->reply += n;
            l->reply_left -= n;
        }
        if (!n)
            break;
    }
    if (l->out_at == l->out_len) {
        l->out_at = l->out_len = 0;
        if (!l->reply_left)
            l->reply = NULL;
    }
}

bool link_pending(const struct link *l)
{
    return l->fd >= 0 && (l->out_at < l->out_len || l->reply_left);
}

short link_events(const struct link *l)
{
    bool reading = !l->open && !l->reply && link_room(l) >= 256;

    return (short)((reading ? POLLIN : 0) | (link_pending(l) ? POLLOUT : 0));
}

void link_flush(struct link *l, int ms)
{
    uint64_t end = clock_ns() + (uint64_t)ms * 1000000u;

    for (link_send(l); link_pending(l); link_send(l)) {
        struct pollfd p = {.fd = l->fd, .events = POLLOUT};
        uint64_t now = clock_ns();

        if (now >= end)
            break;
        poll(&p, 1, (int)((end - now) / 1000000u) + 1);
    }
}
