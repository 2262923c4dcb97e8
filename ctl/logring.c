// SPDX-License-Identifier: BSD-3-Clause
/* logring.c -- the last lines that a VM said: see logring.h */

#include "ctl/logring.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct logring_line *line_at(const struct logring *r, uint64_t number)
{
    return &r->lines[number % LOGRING_LINES];
}

static void drop_oldest(struct logring *r)
{
    struct logring_line *l = line_at(r, r->first++);

    r->bytes -= l->len;
    free(l->text);
    l->text = NULL;
}

void logring_fini(struct logring *r)
{
    while (r->lines && r->first < r->next)
        drop_oldest(r);
    free(r->lines);
    sbuf_fini(&r->partial);
    *r = LOGRING_INIT;
}

/* Length of the well-formed UTF-8 sequence at `s`, 0 if it is none. Overlong forms and
 * surrogates count as none, as in JSON parsers. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
                             : 4;

    if (n == 0 || n > len || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

void logring_clean(struct sbuf *out, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    while (len) {
        size_t n = utf8_len(s, len);

        if (n == 0 || (s[0] < 0x20 && s[0] != '\t') || s[0] == 0x7f)
            sbuf_putc(out, '?');
        else
            sbuf_add(out, s, n);
        n += n == 0;
        s += n;
        len -= n;
    }
}

static uint64_t wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Move the open line into the ring. Without memory the line is lost, nothing else. */
static void complete(struct logring *r)
{
    struct sbuf clean = SBUF_INIT;
    struct logring_line *l;
    size_t len;

    if (!r->lines)
        r->lines = calloc(LOGRING_LINES, sizeof *r->lines);
    logring_clean(&clean, sbuf_text(&r->partial), r->partial.len);
    sbuf_reset(&r->partial);
    len = clean.len;
    if (!r->lines || clean.failed) {
        sbuf_fini(&clean);
        return;
    }
    while (r->first < r->next &&
           (r->next - r->first == LOGRING_LINES || r->bytes + len > LOGRING_BYTES))
        drop_oldest(r);
    l = line_at(r, r->next++);
    *l = (struct logring_line){
        .text = sbuf_take(&clean), .len = (uint32_t)len, .time_us = wall_us()};
    r->bytes += len;
}

unsigned logring_add(struct logring *r, const char *text, size_t len)
{
    unsigned completed = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && text[i] != '\r')
            sbuf_putc(&r->partial, text[i]);
        if (text[i] == '\n' || r->partial.len >= LOGRING_LINE) {
            complete(r);
            completed++;
        }
    }
    return completed;
}

void logring_flush(struct logring *r)
{
    if (r->partial.len)
        complete(r);
}

const struct logring_line *logring_get(const struct logring *r, uint64_t number)
{
    if (!r->lines || number < r->first || number >= r->next)
        return NULL;
    return line_at(r, number);
}
