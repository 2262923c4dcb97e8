// SPDX-License-Identifier: BSD-3-Clause
/*
 * Shells: VMs that have booted before anybody asked for them; see vmm_host_keep_shells().
 *
 * What takes long in a start (fork, KVM's objects, the guest's own boot, each with waits
 * inside the kernel that are short only on an idle machine) has happened to them already.
 * They are told apart by their shape alone. One that has been given away is an ordinary VM
 * and never comes back.
 */

#include "vmm/client_private.h"

#include <string.h>
#include <sys/socket.h>

enum {
    FIRST_NS = 3000000, /* the VM that was asked for has the machine first */
    NEXT_NS = 1000000
};
_Static_assert(POOL_MAX == VMM_POOL_MAX, "pool");

static bool same_shape(const struct vmm_shape *a, const struct vmm_shape *b)
{
    return a->n_ifs == b->n_ifs && a->n_buffers == b->n_buffers && a->heap == b->heap &&
           a->isolation == b->isolation;
}

static void unlink_shell(struct vmm *shell)
{
    for (struct vmm **at = &shell->host->pool; *at; at = &(*at)->pool_next)
        if (*at == shell) {
            *at = shell->pool_next;
            shell->host->n_pool--;
            return;
        }
}

/* ---- in ----------------------------------------------------------------------------- */

void vmm_pool_order(struct vmm_host *h, const struct vmm_shape *s)
{
    if (!h->pool_size)
        return;
    if (h->n_orders == h->pool_size)
        memmove(h->orders, h->orders + 1, --h->n_orders * sizeof h->orders[0]);
    h->orders[h->n_orders++] = *s;
    if (!h->refill_ns) {
        h->refill_ns = vmm_now_ns() + FIRST_NS;
        vmm_arm_timer(h);
    }
}

static void make_shell(struct vmm_host *h, const struct vmm_shape *shape)
{
    const struct vmm_spec spec = {.name = "shell",
                                  .isolation = shape->isolation,
                                  .n_ifs = shape->n_ifs,
                                  .n_buffers = shape->n_buffers,
                                  .heap = shape->heap};
    struct vmm **at = &h->pool;
    struct diag d = DIAG_INIT;
    struct vmm *vm = vmm_spawn_new(h, &spec, true, &d);

    diag_fini(&d);
    if (!vm)
        return; /* the next spawn says why, if it still cannot be done */
    vm->shape = *shape;
    while (*at)
        at = &(*at)->pool_next;
    *at = vm;
    h->n_pool++;
}

void vmm_pool_refill(struct vmm_host *h)
{
    struct vmm_shape shape;

    if (!h->refill_ns || vmm_now_ns() < h->refill_ns)
        return;
    h->refill_ns = 0;
    if (!h->n_orders || h->server < 0)
        return;
    shape = h->orders[--h->n_orders];
    make_shell(h, &shape);
    while (h->n_pool > h->pool_size)
        vmm_pool_lost(h->pool);
    if (h->n_orders)
        h->refill_ns = vmm_now_ns() + NEXT_NS;
}

/* ---- out ---------------------------------------------------------------------------- */

/* One that has booted, if there is one; one that is on its way is still the faster. */
struct vmm *vmm_pool_take(struct vmm_host *h, const struct vmm_shape *s, bool booted)
{
    struct vmm *best = NULL;

    for (struct vmm *vm = h->pool; vm; vm = vm->pool_next)
        if (same_shape(&vm->shape, s) && (vm->greeted || !booted) &&
            (!best || (vm->greeted && !best->greeted)))
            best = vm;
    if (best)
        unlink_shell(best);
    return best;
}

bool vmm_pool_give(struct vmm *shell, const struct vmm_spec *s, int listener)
{
    struct wire_give g = {.uid = s->uid,
                          .has_listen = listener >= 0,
                          .has_state = s->state_fd > 0,
                          .elapse = s->elapse,
                          .spawn_ns = shell->timing.spawn,
                          .poll_ns = s->poll_ns ? s->poll_ns : VMM_POLL_DEFAULT};
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    int fds[2];
    size_t n = 0;
    struct iovec iov = {&g, sizeof g};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    memcpy(g.name, shell->name, sizeof g.name);
    if (listener >= 0)
        fds[n++] = listener;
    if (g.has_state)
        fds[n++] = s->state_fd;
    if (n) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.h = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS,
                                     .cmsg_len = CMSG_LEN(n * sizeof(int))};
        memcpy(CMSG_DATA(&control.h), fds, n * sizeof(int));
    }
    if (shell->link < 0 ||
        sendmsg(shell->link, &m, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof g)
        return false;
    shell->shell = false;
    return true;
}

/* A shell ends by itself when its connection does. */
void vmm_pool_lost(struct vmm *shell)
{
    unlink_shell(shell);
    vmm_free(shell);
}

void vmm_pool_drop(struct vmm_host *h)
{
    while (h->pool)
        vmm_pool_lost(h->pool);
}

/* ---- size --------------------------------------------------------------------------- */

void vmm_host_keep_shells(struct vmm_host *h, unsigned n, const struct vmm_spec *first)
{
    struct vmm_shape shape;

    h->pool_size = n < POOL_MAX ? n : POOL_MAX;
    h->n_orders = 0;
    while (h->n_pool > h->pool_size)
        vmm_pool_lost(h->pool);
    if (!first)
        return;
    shape = vmm_shape_of(h, first);
    for (unsigned i = h->n_pool; i < h->pool_size; i++)
        vmm_pool_order(h, &shape);
}

unsigned vmm_host_shells(const struct vmm_host *h)
{
    unsigned n = 0;

    for (const struct vmm *vm = h->pool; vm; vm = vm->pool_next)
        n += vm->greeted;
    return n;
}
