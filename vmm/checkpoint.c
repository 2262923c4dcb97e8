// SPDX-License-Identifier: BSD-3-Clause
/* Copying a guest out and in; see checkpoint.h. */

#include "vmm/checkpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/layout.h"
#include "base/errtext.h"
#include "vmm/client.h"
#include "vmm/state.h"

enum { SHARED_MIN = 512 << 10 };
enum {
    PAGE = STATE_PAGE,
    PAGES = (LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_MAX) / PAGE
};

static uint32_t number_of(uint64_t address)
{
    return (uint32_t)((address - LAYOUT_BASE) / PAGE);
}

/* ---- what there is to copy ------------------------------------------------------------ */

struct piece {
    uint64_t from, size;
};

/* In ascending order. Of control memory only head and console: requests and replies are
 * on their way to or from us. */
static unsigned pieces_of(const struct vm *vm, struct piece out[6])
{
    const struct piece all[6] = {
        {LAYOUT_WAIT, PAGE},
        {LAYOUT_DATA, vm->host->image.data_mem},
        {LAYOUT_STACK, LAYOUT_STACK_SIZE},
        {LAYOUT_CONTROL, CONTROL_REQUEST_AT},
        {LAYOUT_CONTROL + CONTROL_CONSOLE_AT, CONTROL_CONSOLE},
        {LAYOUT_HEAP, vm->heap_have},
    };

    memcpy(out, all, sizeof all);
    return 6;
}

/* Pages that the guest says hold nothing: one bit each. NULL: out of memory. */
static uint8_t *free_pages(const struct vm *vm, const uint8_t *text, size_t len)
{
    uint8_t *map = calloc(1, PAGES / 8);
    struct control_range r;

    (void)vm;
    for (size_t at = sizeof(struct control_checkpoint); map && at + sizeof r <= len;
         at += sizeof r) {
        uint64_t first, end;

        memcpy(&r, text + at, sizeof r);
        if (r.from < LAYOUT_BASE || r.from > LAYOUT_HEAP + LAYOUT_HEAP_MAX ||
            r.size > LAYOUT_HEAP + LAYOUT_HEAP_MAX - r.from)
            continue;
        first = (r.from - LAYOUT_BASE + PAGE - 1) / PAGE;
        end = (r.from + r.size - LAYOUT_BASE) / PAGE;
        for (; first < end; first++)
            map[first / 8] |= (uint8_t)(1u << first % 8);
    }
    return map;
}

static bool is_zero(const uint8_t *page)
{
    const uint64_t *w = (const uint64_t *)(const void *)page;

    for (unsigned i = 0; i < PAGE / sizeof *w; i += 8)
        if (w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] | w[i + 5] | w[i + 6] |
            w[i + 7])
            return false;
    return true;
}

/* Where a page was never touched, reading it would cost a page table. The kernel does not
 * tell pages in the swap from those, so with one all must be read. */
static bool can_tell_untouched(void)
{
    struct sysinfo s;

    return sysinfo(&s) == 0 && s.totalswap == 0;
}

struct collecting {
    struct vm *vm;
    struct state_writer w;
    const uint8_t *skip;
    bool can_tell;
};

/* `size` bytes that the guest has at `address`, and we at `where`. */
static int collect(struct collecting *c, uint64_t address, uint8_t *where,
                   uint64_t size)
{
    enum { CHUNK = 1024 };
    unsigned char there[CHUNK];
    uint64_t n = (size + PAGE - 1) / PAGE;
    uint32_t first = number_of(address);

    for (uint64_t i = 0; i < n; i++) {
        uint32_t page = first + (uint32_t)i;

        if (i % CHUNK == 0) {
            uint64_t left = n - i < CHUNK ? n - i : CHUNK;

            if (!c->can_tell || mincore(where + i * PAGE, left * PAGE, there) < 0)
                memset(there, 1, sizeof there);
        }
        if (!(there[i % CHUNK] & 1) || c->skip[page / 8] & 1u << page % 8 ||
            is_zero(where + i * PAGE))
            continue;
        if (state_add(&c->w, page, where + i * PAGE) < 0)
            return -1;
    }
    return 0;
}

/* The first part of the heap is elsewhere than the guest sees it. */
static int collect_heap(struct collecting *c, uint64_t size)
{
    uint64_t first = size < LAYOUT_HEAP_FIRST ? size : LAYOUT_HEAP_FIRST;

    if (collect(c, LAYOUT_HEAP, vm_at(c->vm, LAYOUT_HEAP), first) < 0)
        return -1;
    return size == first ? 0
                         : collect(c, LAYOUT_HEAP + first,
                                   vm_at(c->vm, LAYOUT_HEAP + first), size - first);
}

/* The switch goes on filling buffers, and publishes them in the rings: what the copy of
 * the rings says is there must be there, so `rings` were copied first. */
static int collect_packets(struct collecting *c, uint8_t *rings)
{
    const struct vm *vm = c->vm;
    size_t size = netmem_buffers_at(vm->spec.n_ifs);
    bool can_tell = c->can_tell;

    if (!vm->spec.n_ifs)
        return 0;
    c->can_tell = false;
    if (collect(c, LAYOUT_NETMEM, rings, size) < 0)
        return -1;
    c->can_tell = can_tell;
    return collect(c, LAYOUT_NETMEM + size, vm_at(vm, LAYOUT_NETMEM + size),
                   vm->spec.mem_size - size);
}

static int collect_all(struct collecting *c, uint8_t *rings)
{
    struct piece pieces[6];
    unsigned n = pieces_of(c->vm, pieces);

    for (unsigned i = 0; i < n; i++) {
        if (pieces[i].from == LAYOUT_HEAP) {
            if (collect_packets(c, rings) < 0 || collect_heap(c, pieces[i].size) < 0)
                return -1;
        } else if (collect(c, pieces[i].from, vm_at(c->vm, pieces[i].from),
                           pieces[i].size) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- making one ------------------------------------------------------------------------ */

static struct state_head head_of(const struct vm *vm, const uint8_t *text, size_t len)
{
    struct state_head h = {
        .image = vm->host->image.id,
        .heap = vm->spec.heap,
        .heap_have = (vm->heap_have + PAGE - 1) & ~(uint64_t)(PAGE - 1),
        .mem_size = vm->spec.mem_size,
        .n_ifs = vm->spec.n_ifs,
        .n_buffers = vm->n_buffers,
        .guest_ns = clock_guest_ns(&vm->clock),
        .wall_ns = clock_wall_ns(),
        .asked = vm->mailbox.asked,
        .console_out = vm->mailbox.console_out,
        .lost_seen = vm->mailbox.lost_seen,
        .isolation = vm->spec.isolation,
    };
    struct control_checkpoint said;

    if (len >= sizeof said) {
        memcpy(&said, text, sizeof said);
        memcpy(h.rx_done, said.rx_done, sizeof h.rx_done);
        h.due_ns = said.due_ns;
    }
    return h;
}

/* A memfd with the state; -1 with errno. */
static int make(struct vm *vm, const uint8_t *text, size_t len)
{
    struct collecting c = {.vm = vm, .can_tell = can_tell_untouched()};
    uint64_t start = clock_ns();
    struct state_head h = head_of(vm, text, len);
    size_t size = vm->spec.n_ifs ? netmem_buffers_at(vm->spec.n_ifs) : 1;
    uint8_t *skip = free_pages(vm, text, len), *rings = malloc(size);
    int fd = memfd_create("clickos-state", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

    c.skip = skip;
    if (!skip || !rings || fd < 0)
        goto fail;
    if (vm->spec.n_ifs)
        memcpy(rings, vm_at(vm, LAYOUT_NETMEM), size);
    if (collect_all(&c, rings) < 0 || state_write(&c.w, &h, fd) < 0)
        goto fail;
    h.pause_ns = clock_ns() - start;
    if (pwrite(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
        goto fail;
    goto out;
fail:
    error = errno;
    if (fd >= 0)
        close(fd);
    fd = -1;
    errno = error;
out:
    error = errno;
    state_writer_fini(&c.w);
    free(skip);
    free(rings);
    errno = error;
    return fd;
}

static void hold(struct vm *vm)
{
    while (vm->daemon.hold && !vm_serve(vm)) {
        struct pollfd p[2] = {{.fd = vm->listen, .events = POLLIN},
                              {.fd = vm->daemon.fd}};
        struct timespec t;

        p[1].events = link_events(&vm->daemon);
        t = vm_patience(vm, UINT64_MAX);
        if (vm->daemon.hold && ppoll(p, 2, &t, NULL) < 0 && errno != EINTR)
            break;
        if (p[1].revents & (POLLHUP | POLLERR) && !(p[1].events & POLLIN))
            link_replace(&vm->daemon, -1);
    }
    vm->daemon.hold = false;
}

void checkpoint_make(struct vm *vm)
{
    uint32_t status;
    const uint8_t *text;
    size_t len;
    int fd = -1;

    /* Nobody asked, or nobody waits any more. */
    if (!mailbox_take(&vm->mailbox, &status, &text, &len) || !vm->daemon.checkpoint ||
        !vm->daemon.open)
        return;
    if (status == CONTROL_OK) {
        fd = make(vm, text, len);
        if (fd < 0)
            status = errno == ENOMEM ? VMM_NO_MEMORY : VMM_NO_COPY;
    }
    if (status != CONTROL_OK)
        vm->daemon.hold = false;
    link_answer_state(&vm->daemon, status, fd);
    link_send(&vm->daemon);
    hold(vm);
}

/* ---- restoring ------------------------------------------------------------------------- */

/* The state is sealed, so what is much can be shared until it is written to. What is
 * little is copied: first touches of pages would cost far more. */
static int put(void *ctx, uint64_t address, uint64_t bytes, uint64_t at)
{
    struct vm *vm = ctx;

    if (bytes >= SHARED_MIN && vm->spec.isolation == VMM_KVM)
        return mmap(vm_at(vm, address), bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, vm->state.fd,
                    (off_t)at) == MAP_FAILED
                   ? -1
                   : 0;
    return state_read(&vm->state, vm_at(vm, address), bytes, at);
}

static int put_heap(struct vm *vm)
{
    uint64_t first = vm->heap_have < LAYOUT_HEAP_FIRST ? vm->heap_have
                                                       : LAYOUT_HEAP_FIRST;

    if (state_each(&vm->state, LAYOUT_HEAP, first, put, vm) < 0)
        return -1;
    return state_each(&vm->state, LAYOUT_HEAP + first, vm->heap_have - first, put, vm);
}

/* Time has gone on outside while the state lay somewhere; for the guest it never goes
 * back, not even on a machine that was switched on later. */
static void set_clock(struct vm *vm)
{
    const struct state_head *h = &vm->state.head;
    uint64_t wall = clock_wall_ns(), now = h->guest_ns;

    if (vm->spec.elapse && wall > h->wall_ns)
        now += wall - h->wall_ns;
    clock_set(&vm->clock, now);
}

/* Dropping the pages would cost KVM a fault for each. */
static void clear(uint8_t *where, uint64_t size)
{
    enum { CHUNK = 1024 };
    unsigned char there[CHUNK];
    uint64_t n = (size + PAGE - 1) / PAGE;
    bool can_tell = can_tell_untouched();

    for (uint64_t i = 0; i < n; i++) {
        if (i % CHUNK == 0 &&
            (!can_tell || mincore(where + i * PAGE,
                                  (n - i < CHUNK ? n - i : CHUNK) * PAGE, there) < 0))
            memset(there, 1, sizeof there);
        if (there[i % CHUNK] & 1 && !is_zero(where + i * PAGE))
            memset(where + i * PAGE, 0, PAGE);
    }
}

void checkpoint_clear(struct vm *vm)
{
    struct piece pieces[6];
    unsigned n = pieces_of(vm, pieces);

    for (unsigned i = 0; i < n; i++)
        clear(vm_at(vm, pieces[i].from), pieces[i].size);
}

int checkpoint_restore(struct vm *vm, struct diag *d)
{
    const struct state_head *h = &vm->state.head;
    struct boot_wait *w;
    struct piece pieces[6];
    unsigned n = pieces_of(vm, pieces);

    for (unsigned i = 0; i < n; i++)
        if (pieces[i].from == LAYOUT_HEAP
                ? put_heap(vm) < 0
                : state_each(&vm->state, pieces[i].from, pieces[i].size, put, vm) < 0)
            return diag_err(d, "the state cannot be read: %s", errtext(errno));
    set_clock(vm);
    w = vm_at(vm, LAYOUT_WAIT);
    w->done = w->asked;
    w->heap_have = vm->heap_have;
    vm->checkpoints = w->asked;
    mailbox_resume(&vm->mailbox, h->asked, h->console_out, h->lost_seen);
    return 0;
}
