// SPDX-License-Identifier: BSD-3-Clause
/* Control requests: see abi/control.h. */

#include <stdlib.h>
#include <string.h>

#include "base/confhead.h"
#include "engine/control_protocol.h"
#include "engine/handler.h"
#include "guest/machine.h"

struct reply {
    uint32_t status;
    struct sbuf text;
};

/* The request as a private, terminated copy. */
struct ask {
    uint32_t verb;
    const char *name, *handler;
    char *text; /* owned */
    size_t len;
};

static struct config *find(struct machine *m, const char *name)
{
    struct config *only = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < m->n_configs; i++) {
        struct config *c = &m->configs[i];

        if (!c->router)
            continue;
        if (strcmp(c->name, name) == 0)
            return c;
        only = c;
        n++;
    }
    return !name[0] && n == 1 ? only : NULL;
}

static struct config *place_for(struct machine *m, const char *name)
{
    struct config *c = find(m, name);

    if (c)
        return c;
    for (unsigned i = 0; i < m->n_configs; i++)
        if (!m->configs[i].router)
            return &m->configs[i];
    return m->n_configs < MAX_CONFIGS ? &m->configs[m->n_configs++] : NULL;
}

enum { MAX_DEFINES = 256 };

/* A configuration and what stands above it; all of it points into the request. */
struct wanted {
    const char *text, *file;
    size_t len;
    struct lang_define defines[MAX_DEFINES];
    struct router_options options;
};

/* Take off base/confhead.h. The text is our own copy: items are ended in place. */
static void read_head(struct wanted *w, const struct ask *a)
{
    struct confhead_reader reader;
    struct confhead_item item;

    *w = (struct wanted){.file = a->handler[0] ? a->handler : "config"};
    confhead_open(&reader, a->text, a->len);
    while (confhead_next(&reader, &item)) {
        a->text[item.value + item.value_len - a->text] = '\0';
        if (item.is_file) {
            w->file = item.value;
        } else if (w->options.n_defines < MAX_DEFINES) {
            a->text[item.name + item.name_len - a->text] = '\0';
            w->defines[w->options.n_defines++] = (struct lang_define){item.name,
                                                                      item.value};
        }
    }
    w->options.defines = w->defines;
    w->text = reader.at;
    w->len = (size_t)(reader.end - reader.at);
}

/* Build a configuration. NULL with the errors in the reply; warnings are there in any
 * case. */
static struct router *build(struct machine *m, const struct ask *a, struct reply *r)
{
    struct wanted w;
    struct diag d = DIAG_INIT;
    struct router *router;

    read_head(&w, a);
    /* A VM may boot before it is known which one it will be. */
    for (unsigned i = 0; i < m->n_ifs && !m->n_configs; i++)
        netfront_identify(&m->netfronts[i], &m->netdevs[i]);
    router = router_new(&m->platform, w.text, w.len, w.file, &w.options, &d);
    sbuf_puts(&r->text, diag_text_columns(&d));
    if (!router)
        r->status = d.n_errors ? CONTROL_ERROR : CONTROL_NO_MEMORY;
    diag_fini(&d);
    return router;
}

static void install(struct machine *m, const struct ask *a, struct reply *r)
{
    struct router *router = build(m, a, r);
    struct config *c;

    if (!router)
        return;
    c = place_for(m, a->name);
    if (!c) {
        router_free(router);
        r->status = CONTROL_ERROR;
        sbuf_printf(&r->text, "a VM can run %d configurations at most\n", MAX_CONFIGS);
        return;
    }
    router_activate(router, c->router);
    router_free(c->router);
    c->router = router;
    if (a->name[0])
        strcpy(c->name, a->name);
}

static void check(struct machine *m, const struct ask *a, struct reply *r)
{
    router_free(build(m, a, r));
}

static void list(struct machine *m, struct reply *r)
{
    for (unsigned i = 0; i < m->n_configs; i++)
        if (m->configs[i].router)
            sbuf_printf(&r->text, "%s\n", m->configs[i].name);
}

static void remove_config(struct machine *m, struct config *c)
{
    router_free(c->router);
    *c = (struct config){.router = NULL};
    while (m->n_configs && !m->configs[m->n_configs - 1].router)
        m->n_configs--;
}

static void use_handler(struct config *c, const struct ask *a, struct reply *r)
{
    struct diag d = DIAG_INIT;
    int rc;

    if (a->verb == CONTROL_READ)
        rc = handler_read(c->router, NULL, a->handler, a->len ? a->text : NULL,
                          &r->text, &d);
    else
        rc = handler_write(c->router, NULL, a->handler, a->text, a->len, &d);
    if (rc < 0) {
        r->status = rc == HANDLER_NONE ? CONTROL_NO_HANDLER : CONTROL_ERROR;
        sbuf_reset(&r->text);
        sbuf_puts(&r->text, diag_text(&d));
    }
    diag_fini(&d);
}

static void command(struct config *c, const struct ask *a, struct reply *r)
{
    struct control_target target = {.r = c->router};

    control_run(&control_router_ops, &target, a->text, a->len, &r->text);
}

static void stats(const struct machine *m, struct reply *r)
{
    struct heap_use heap;

    heap_use(&heap);
    sbuf_printf(&r->text,
                "steady_ns %llu\nheap_used %llu\nheap_touched %llu\nheap_size "
                "%llu\nrounds %llu\n"
                "sleeps %llu\npackets_live %zu\n",
                (unsigned long long)guest_now(), (unsigned long long)heap.used,
                (unsigned long long)heap.touched, (unsigned long long)heap.size,
                (unsigned long long)m->rounds, (unsigned long long)m->sleeps,
                pkt_pool_live(m->platform.pool));
    for (unsigned i = 0; i < m->n_ifs; i++) {
        const struct netfront *nf = &m->netfronts[i];

        sbuf_printf(
            &r->text,
            "if%u_rx %llu\nif%u_rx_bytes %llu\nif%u_tx %llu\nif%u_tx_bytes %llu\n"
            "if%u_tx_too_long %llu\nif%u_tx_no_buffer %llu\nif%u_rx_no_memory %llu\n"
            "if%u_doorbells %llu\nif%u_rx_offered %u\n",
            i, (unsigned long long)nf->rx_count, i, (unsigned long long)nf->rx_bytes, i,
            (unsigned long long)nf->tx_count, i, (unsigned long long)nf->tx_bytes, i,
            (unsigned long long)nf->tx_too_long, i,
            (unsigned long long)nf->tx_no_buffer, i,
            (unsigned long long)nf->rx_no_memory, i, (unsigned long long)nf->doorbells,
            i, nf->rx_offered - nf->rx_done);
    }
}

/* Requests that concern one configuration. */
static void with_config(struct machine *m, const struct ask *a, struct reply *r)
{
    struct config *c = find(m, a->name);

    if (!c) {
        r->status = CONTROL_NO_CONFIG;
        sbuf_printf(&r->text,
                    a->name[0] ? "no configuration '%s'\n"
                               : "no configuration, or more than one, is installed%s\n",
                    a->name);
    } else if (a->verb == CONTROL_REMOVE) {
        remove_config(m, c);
    } else if (a->verb == CONTROL_COMMAND) {
        command(c, a, r);
    } else {
        use_handler(c, a, r);
    }
}

static void carry_out(struct machine *m, const struct ask *a, struct reply *r)
{
    switch (a->verb) {
    case CONTROL_PING:
        break;
    case CONTROL_INSTALL:
        install(m, a, r);
        break;
    case CONTROL_CHECK:
        check(m, a, r);
        break;
    case CONTROL_LIST:
        list(m, r);
        break;
    case CONTROL_STATS:
        stats(m, r);
        break;
    case CONTROL_QUIESCE:
    case CONTROL_RESUME:
        m->quiet = a->verb == CONTROL_QUIESCE;
        break;
    case CONTROL_REMOVE:
    case CONTROL_READ:
    case CONTROL_WRITE:
    case CONTROL_COMMAND:
        with_config(m, a, r);
        break;
    default:
        r->status = CONTROL_BAD_REQUEST;
    }
}

static void answer(struct machine *m, struct reply *r)
{
    struct control_head *h = GUEST_CONTROL;

    if (r->text.failed)
        r->status = CONTROL_NO_MEMORY;
    if (r->text.len > CONTROL_TEXT) {
        r->status = CONTROL_TOO_LONG;
        r->text.len = 0;
    }
    if (r->text.len)
        memcpy((uint8_t *)h + CONTROL_REPLY_AT, r->text.data, r->text.len);
    h->reply = (struct control_reply){.status = r->status,
                                      .len = (uint32_t)r->text.len};
    m->answered++;
    atomic_store_explicit(&h->answered, m->answered, memory_order_release);
    guest_ring_control();
}

bool machine_serve(struct machine *m)
{
    const struct control_request *q = &GUEST_CONTROL->request;
    struct reply r = {.status = CONTROL_OK, .text = SBUF_INIT};
    struct ask a;

    if (!machine_asked(m))
        return false;
    if (q->verb == CONTROL_CHECKPOINT) {
        machine_checkpoint(m, strcmp(q->handler, "hold") == 0);
        return true;
    }
    a = (struct ask){
        .verb = q->verb, .name = q->name, .handler = q->handler, .len = q->len};
    a.text = malloc(a.len + 1);
    if (a.text) {
        memcpy(a.text, (const uint8_t *)GUEST_CONTROL + CONTROL_REQUEST_AT, a.len);
        a.text[a.len] = '\0';
        carry_out(m, &a, &r);
    } else {
        r.status = CONTROL_NO_MEMORY;
    }
    answer(m, &r);
    free(a.text);
    sbuf_fini(&r.text);
    return true;
}
