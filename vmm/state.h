// SPDX-License-Identifier: BSD-3-Clause
/*
 * state.h -- what a VM is at a checkpoint: the pages of its memory that say something
 *
 *     0       struct state_head
 *     4096    struct state_run [n_runs]: which pages, in ascending order
 *     ...     the pages, in that order, from the next page boundary
 *
 * Pages are numbered from LAYOUT_BASE as the guest sees them; the heap counts where the
 * guest sees it, not where layout.h keeps its first part. Page tables, boot page, text and
 * constants are not in it: the monitor makes those anew, so nothing in here is ever
 * executed or believed above ring 3. A page that is not in it is zero.
 *
 * A state is a sealed memfd on its way between monitors and the daemon; files that people
 * keep wrap one (ctl/snapshot.h). Text and constants must be the same bytes where it goes
 * on, or its pointers lead nowhere: `image` says which they were.
 *
 * Trust: the contents were written by a monitor that its guest may have taken over, or
 *        come from a file. state_open() accepts only what lies within bounds; what is in
 *        the pages is the guest's affair.
 */

#ifndef VMM_STATE_H
#define VMM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/netmem.h"
#include "base/diag.h"

#define STATE_MAGIC   0x657461746b636c63ull /* any constant */
#define STATE_VERSION 1u
#define STATE_PAGE    4096u

struct state_head {
    uint64_t magic;
    uint32_t version;
    uint32_t abi;                       /* STATE_ABI */
    uint64_t image;                     /* image_id() */
    uint64_t heap, heap_have, mem_size; /* bytes; mem_size: of packet memory; heap_have
                                         * may be more than heap, which it began with */
    uint32_t n_ifs, n_buffers;
    uint64_t guest_ns, wall_ns; /* the guest's steady time, and since 1970 */
    uint64_t pause_ns;          /* how long it took to make */
    uint64_t due_ns;            /* when its next timer is due; UINT64_MAX: none */
    uint32_t asked, console_out, lost_seen; /* of struct mailbox */
    uint32_t n_runs, n_pages;
    uint32_t rx_done[NETMEM_MAX_IFS]; /* struct control_checkpoint */
    uint32_t isolation;               /* enum vmm_isolation it was made under */
};
_Static_assert(sizeof(struct state_head) <= STATE_PAGE, "state");

struct state_run {
    uint32_t page, count;
};

/* What guest, monitor and switch must agree on for pages to make sense elsewhere. */
uint32_t state_abi(void);

struct state {
    int fd; /* borrowed */
    struct state_head head;
    struct state_run *runs; /* owned */
    uint64_t pages_at;      /* bytes from the start */
};

/* Read and check a head and its runs. Returns -1 with a message in `d` when they make no
 * sense, or are of another version; the image is not compared. */
int state_open(struct state *s, int fd, struct diag *d);
void state_close(struct state *s);

/* Call `put` for each piece of a run that lies in [from, from + size) of the guest's
 * addresses: `at` is where it is in the file. -1 as soon as `put` says so. */
int state_each(const struct state *s, uint64_t from, uint64_t size,
               int (*put)(void *ctx, uint64_t address, uint64_t bytes, uint64_t at),
               void *ctx);

/* Read exactly `size` bytes at `at`; -1 with errno when they cannot be had. */
int state_read(const struct state *s, void *to, size_t size, uint64_t at);

/* Bytes of the whole. */
uint64_t state_size(const struct state *s);

/* ---- writing ----------------------------------------------------------------------- */

struct state_writer {
    struct state_run *runs; /* owned */
    const uint8_t **where;  /* owned; the first page of each run */
    size_t n, room;
    uint32_t n_pages;
};

/* Add a page, whose number is above those before it; -1 when memory ran out. The page is
 * read by state_write(). */
int state_add(struct state_writer *w, uint32_t page, const void *where);

/* Write it all to `fd`; fills in the rest of the head. -1 with errno. */
int state_write(const struct state_writer *w, struct state_head *head, int fd);
void state_writer_fini(struct state_writer *w);

#endif
