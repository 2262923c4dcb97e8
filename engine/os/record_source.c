// SPDX-License-Identifier: BSD-3-Clause
/* record_source.c -- packets from binary records of a file: see record_source.h */

#include "engine/os/record_source.h"

enum { RETRIES = 16 }; /* records that are passed over each time the task runs */

static struct record_source *source_of(const struct element *e)
{
    return element_state(e);
}

int record_source_configure(struct element *e, struct diag *d)
{
    struct record_source *s = source_of(e);

    trace_sample_check(&s->sample, d);
    return trace_window_configure(&s->window, d);
}

/* --- packets ---------------------------------------------------------------------------- */

/* Read the next record; the packet is NULL afterwards if it is not wanted. False: there
 * is none, or no more are wanted. */
static bool read_packet(struct element *e)
{
    struct record_source *s = source_of(e);
    bool was_active = s->window.active;
    int64_t when;

    s->packet_filepos = trace_file_pos(&s->file);
    if (!s->format->head(e, &when))
        return false;
    if (!trace_window_takes(e, &s->window, when)) {
        s->format->pass(e);
        return s->window.active == was_active;
    }
    if (!trace_sample_takes(e, s->sample)) {
        s->format->pass(e);
        return true;
    }
    s->packet = s->format->body(e);
    if (!s->packet)
        return false;
    s->packet->timestamp = when;
    if (s->format->accepts(e, s->packet))
        return true;
    if (e->n_out > 1 && !s->d)
        out_push_one(e, 1, s->packet);
    else
        pkt_free(s->packet);
    s->packet = NULL;
    return true;
}

enum step { STEP_MORE, STEP_LATER, STEP_END };

/* One record on, at most. */
static enum step step(struct element *e, struct batch *b)
{
    struct record_source *s = source_of(e);

    if (!s->window.active)
        return STEP_LATER;
    if (!s->packet && !read_packet(e))
        return s->window.active ? STEP_END : STEP_LATER;
    if (!s->packet)
        return STEP_MORE;
    if (!trace_window_due(e, &s->window, s->packet->timestamp))
        return STEP_LATER;
    batch_add(b, s->packet);
    s->packet = NULL;
    return STEP_MORE;
}

static bool run(struct element *e, struct task *t)
{
    enum step next = STEP_MORE;
    struct batch b;
    bool worked;

    b.n = 0;
    for (uint32_t tries = 0; !b.n && next == STEP_MORE && tries < RETRIES; tries++)
        next = step(e, &b);
    worked = b.n > 0;
    if (next == STEP_MORE)
        task_reschedule(t);
    out_push(e, 0, &b);
    if (next == STEP_END)
        trace_window_end(e, &source_of(e)->window);
    return worked;
}

uint32_t record_source_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    enum step next = STEP_MORE;
    uint32_t before = b->n;

    while (b->n - before < max && next == STEP_MORE)
        next = step(e, b);
    if (next == STEP_END)
        trace_window_end(e, &source_of(e)->window);
    return b->n - before;
}

/* --- life ------------------------------------------------------------------------------- */

int record_source_start(struct element *e, const struct record_format *format,
                        struct diag *d)
{
    struct record_source *s = source_of(e);

    s->format = format;
    if (trace_window_start(e, &s->window, run, d) < 0)
        return -1;
    if (trace_file_open(&s->file, e, s->filename.s, d) < 0)
        return -1;
    s->d = d;
    while (!s->packet && s->window.active && read_packet(e))
        ;
    s->d = NULL;
    if (s->packet)
        trace_window_pace(e, &s->window, s->packet->timestamp);
    return 0;
}

int record_source_seek(struct element *e, int64_t filepos, struct diag *d)
{
    return trace_file_seek(&source_of(e)->file, filepos, d);
}

void record_source_cleanup(struct element *e)
{
    struct record_source *s = source_of(e);

    trace_file_close(&s->file);
    trace_window_fini(&s->window);
    pkt_free(s->packet);
    s->packet = NULL;
}
