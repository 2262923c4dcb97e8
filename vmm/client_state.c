// SPDX-License-Identifier: BSD-3-Clause
/* The daemon's side of checkpoints: judging a state, and what of it is not the monitor's to
 * restore; see client.h and state.h. */

#include "base/errtext.h"
#include "vmm/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/layout.h"
#include "vmm/state.h"

/* A monitor that its guest has taken over may still write to it, until it is sealed. */
int vmm_take_state(struct vmm *vm)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    int fd = vm->state_fd;

    vm->state_fd = -1;
    if (fd >= 0 && fcntl(fd, F_ADD_SEALS, seals) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int vmm_state_shape(const struct vmm_host *h, int fd, struct vmm_spec *spec,
                    struct diag *d)
{
    struct state s;
    int rc = 0;

    if (state_open(&s, fd, d) < 0)
        return -1;
    if (s.head.image != h->image_id)
        rc = diag_err(d, "the state is of another guest image than this daemon's");
    spec->n_ifs = s.head.n_ifs;
    spec->n_buffers = s.head.n_buffers;
    spec->heap = s.head.heap;
    state_close(&s);
    return rc;
}

int vmm_state_info(int fd, struct vmm_state_info *info)
{
    const struct state_head *h;
    struct state s;

    if (state_open(&s, fd, NULL) < 0)
        return -1;
    h = &s.head;
    *info = (struct vmm_state_info){.pause_ns = h->pause_ns, .size = state_size(&s)};
    info->timer_ns = h->due_ns == UINT64_MAX   ? UINT64_MAX
                     : h->due_ns > h->guest_ns ? h->due_ns - h->guest_ns
                                               : 0;
    state_close(&s);
    return 0;
}

struct filling {
    const struct state *s;
    int to;
    uint64_t size; /* of packet memory, which may end inside a page */
};

static int fill(void *ctx, uint64_t address, uint64_t bytes, uint64_t at)
{
    const struct filling *f = ctx;
    uint8_t page[STATE_PAGE];

    for (uint64_t done = 0; done < bytes; done += sizeof page) {
        uint64_t to = address - LAYOUT_NETMEM + done;
        size_t n = f->size - to < sizeof page ? f->size - to : sizeof page;

        if (state_read(f->s, page, n, at + done) < 0 ||
            pwrite(f->to, page, n, (off_t)to) != (ssize_t)n)
            return -1;
    }
    return 0;
}

/* A shell has the memory that a VM begins with. */
bool vmm_state_fits_shell(int fd)
{
    struct state s;

    if (state_open(&s, fd, NULL) < 0)
        return false;
    state_close(&s);
    return s.head.heap_have <= LAYOUT_HEAP_FIRST;
}

/* Zero what was touched; the pages stay, mapped where they are. */
int vmm_clear_net(const struct vmm_net *net)
{
    static const uint8_t zeros[STATE_PAGE];
    off_t at = 0, end;

    while ((at = lseek(net->mem_fd, at, SEEK_DATA)) >= 0) {
        end = lseek(net->mem_fd, at, SEEK_HOLE);
        for (; at < end; at += STATE_PAGE) {
            size_t n = end - at < STATE_PAGE ? (size_t)(end - at) : STATE_PAGE;

            if (pwrite(net->mem_fd, zeros, n, at) != (ssize_t)n)
                return -1;
        }
    }
    return errno == ENXIO ? 0 : -1;
}

/* What was on its way out when the copy was made is the original's to send. */
static int forget_sent(const struct vmm_net *net)
{
    uint32_t offered;

    for (unsigned i = 0; i < net->n_ifs; i++) {
        off_t tx = (off_t)(NETMEM_IFS_AT + i * sizeof(struct netmem_if) +
                           offsetof(struct netmem_if, tx));

        if (pread(net->mem_fd, &offered, sizeof offered,
                  tx + (off_t)offsetof(struct netmem_ring, offered)) !=
                (ssize_t)sizeof offered ||
            pwrite(net->mem_fd, &offered, sizeof offered,
                   tx + (off_t)offsetof(struct netmem_ring, done)) !=
                (ssize_t)sizeof offered)
            return -1;
    }
    return 0;
}

/* Before the switch looks at the rings, and so not by the monitor. Heads and addresses are
 * written again afterwards. */
int vmm_state_fill_net(const struct vmm_spec *spec, const struct vmm_net *net,
                       struct diag *d)
{
    struct filling f = {.to = net->mem_fd, .size = net->mem_size};
    struct state s;
    int rc;

    if (state_open(&s, spec->state_fd, d) < 0)
        return -1;
    f.s = &s;
    if (s.head.mem_size != net->mem_size)
        rc = diag_err(d, "the state is that of another kind of VM");
    else if ((rc = state_each(&s, LAYOUT_NETMEM, net->mem_size, fill, &f)) < 0 ||
             (rc = forget_sent(net)) < 0)
        diag_err(d, "packet memory: %s", errtext(errno));
    state_close(&s);
    return rc;
}

bool vmm_state_is_current(int fd, const struct vmm_net *net)
{
    uint8_t *base;
    struct state s;
    bool same = true;

    if (!net->n_ifs)
        return true;
    if (state_open(&s, fd, NULL) < 0)
        return false;
    base = mmap(NULL, net->mem_size, PROT_READ, MAP_SHARED, net->mem_fd, 0);
    if (base == MAP_FAILED || s.head.n_ifs != net->n_ifs) {
        same = false;
    } else {
        for (unsigned i = 0; i < net->n_ifs && same; i++) {
            struct netmem_if *nif = netmem_if(base, i);

            same = atomic_load(&nif->rx.done) == s.head.rx_done[i] &&
                   atomic_load(&nif->tx.done) == atomic_load(&nif->tx.offered);
        }
    }
    if (base != MAP_FAILED)
        munmap(base, net->mem_size);
    state_close(&s);
    return same;
}
