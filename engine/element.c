// SPDX-License-Identifier: BSD-3-Clause
/* element.c -- what elements ask of their router: see element.h */

#include "engine/element.h"

#include "engine/router_impl.h"

#include <stdio.h>
#include <stdlib.h>

const char *element_class_name(const struct element *e)
{
    return router_graph(e->router)->elements[e->index].class_name;
}

const char *element_declaration(const struct element *e)
{
    const char *class_name = element_class_name(e);
    size_t len = strlen(e->name) + 4 + strlen(class_name) + 1;
    char *text = arena_alloc_aligned(e->router->arena, 1, len, 1);

    if (!text)
        return e->name;
    snprintf(text, len, "%s :: %s", e->name, class_name);
    return text;
}

void *element_alloc(struct element *e, size_t size)
{
    return arena_alloc_aligned(e->router->arena, 1, size, size >= 64 ? 64 : 16);
}

int64_t element_now(const struct element *e)
{
    const struct platform *p = e->router->platform;

    return p->now(p->ctx);
}

int64_t element_wall_now(const struct element *e)
{
    return element_now(e) + e->router->wall_offset_ns;
}

int64_t element_coarse_now(const struct element *e)
{
    return e->router->coarse_ns;
}

int64_t element_coarse_wall_now(const struct element *e)
{
    return e->router->coarse_ns + e->router->wall_offset_ns;
}

void element_not_plain(const struct element *e)
{
    e->router->sched.noted++;
}

#define RANDOM_STEP 0x9e3779b97f4a7c15ull

/* splitmix64 (Steele, Lea and Flood, 2014). */
static inline uint32_t random_next(uint64_t *state)
{
    uint64_t z = *state += RANDOM_STEP;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

/* The next `n`, a multiple of four, which the state does not wait for one another to make. */
static __attribute__((target("avx2"))) void randoms_avx2(uint64_t *state, uint32_t *out,
                                                         uint32_t n)
{
    typedef uint64_t four __attribute__((vector_size(32)));
    typedef uint32_t four_halves
        __attribute__((vector_size(16), aligned(4), may_alias));
    const four first = {RANDOM_STEP, 2 * RANDOM_STEP, 3 * RANDOM_STEP, 4 * RANDOM_STEP};
    four at = first + *state;

    *state += n * RANDOM_STEP;
    for (uint32_t i = 0; i < n; i += 4, at += 4 * RANDOM_STEP) {
        four z = (at ^ at >> 30) * 0xbf58476d1ce4e5b9ull;

        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        *(four_halves *)(void *)(out + i) = __builtin_convertvector((z ^ z >> 31) >> 32,
                                                                    four_halves);
    }
}

uint32_t element_random(struct element *e)
{
    return random_next(&e->router->random);
}

void element_random_seed(struct element *e, uint64_t seed)
{
    e->router->random = seed ? seed : RANDOM_STEP;
}

void element_randoms(struct element *e, uint32_t *out, uint32_t n)
{
    uint64_t *state = &e->router->random;

    if (pkt_pool_wide(element_pool(e))) {
        uint32_t whole = n / 4 * 4;

        randoms_avx2(state, out, whole);
        out += whole;
        n -= whole;
    }
    for (uint32_t i = 0; i < n; i++)
        out[i] = random_next(state);
}

void element_say(struct element *e, const char *fmt, ...)
{
    const struct platform *p = e->router->platform;
    struct sbuf s = SBUF_INIT;
    char line[256];
    va_list ap;
    int n;

    e->router->sched.noted++;
    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof line) {
        p->console(p->ctx, line, (size_t)n);
        return;
    }
    va_start(ap, fmt);
    sbuf_vprintf(&s, fmt, ap);
    va_end(ap);
    p->console(p->ctx, sbuf_text(&s), s.len);
    sbuf_fini(&s);
}

struct pkt_pool *element_pool(const struct element *e)
{
    return e->router->platform->pool;
}

const struct platform *element_platform(const struct element *e)
{
    return e->router->platform;
}

/* Length of the scope that encloses a name: "a/b/c" -> "a/b/", "a/b/" -> "a/". */
static size_t outer_scope(const char *name, size_t len)
{
    while (len > 0 && name[len - 1] != '/')
        len--;
    return len;
}

struct element *element_find(const struct element *e, const char *name, struct diag *d)
{
    const struct strmap *names = &e->router->names;
    size_t scope = outer_scope(e->name, strlen(e->name)), len = strlen(name);
    char *full = malloc(scope + len + 1);
    struct element *found = NULL;

    while (full) {
        memcpy(full, e->name, scope);
        memcpy(full + scope, name, len + 1);
        found = strmap_get(names, full, scope + len);
        if (found || !scope)
            break;
        scope = outer_scope(e->name, scope - 1);
    }
    free(full);
    if (!found)
        diag_err(d, "no element named '%s'", name);
    return found;
}

bool element_input_is_push(const struct element *e, unsigned port)
{
    return port < e->n_in && e->in[port].is_push;
}

bool element_output_is_push(const struct element *e, unsigned port)
{
    return port < e->n_out && e->out[port].is_push;
}

/* Take the packets with verdict `v` out of `s`, in order, and send them on their way. */
static void strays_send(struct element *e, struct strays *s, verdict_t v)
{
    struct batch b;
    uint32_t left = 0;

    b.n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->verdict[i] == v) {
            batch_add(&b, s->p[i]);
        } else {
            s->p[left] = s->p[i];
            s->verdict[left++] = s->verdict[i];
        }
    }
    s->n = left;
    if (v >= 0)
        out_push_or_free(e, (unsigned)v, &b);
    else
        batch_free(&b);
}

void strays_deliver(struct element *e, struct strays *s)
{
    while (s->n)
        strays_send(e, s, s->verdict[0]);
}
