// SPDX-License-Identifier: BSD-3-Clause
/*
 * symbolize.h -- what a guest's last words mean: function, file and line
 *
 * For the daemon and for tools; the monitor, in its jail, has neither the file nor the
 * library for it, and sends registers and stack. Who called whom follows from the unwinding
 * tables of the image's debug information, since the guest, which never sees those, keeps no
 * frame pointers. The image is opened once and serves all VMs that run it.
 *
 * Threads: one at a time for each symbolizer.
 */

#ifndef VMM_SYMBOLIZE_H
#define VMM_SYMBOLIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/control.h"
#include "base/diag.h"
#include "base/sbuf.h"
#include "vmm/client.h"

struct symbolizer;

/* NULL with a message in `d` if `image` cannot be read. An image without debug information
 * is good for the names of functions. */
struct symbolizer *symbolizer_open(const char *image, struct diag *d);
void symbolizer_close(struct symbolizer *s); /* accepts NULL */

/* Where an address of the guest's text lies. The strings are borrowed until the close;
 * `file` NULL, line 0: not known. */
struct symbol_place {
    const char *function;
    const char *file; /* as in the source tree: "elements/basic/queue.c" */
    int line;
};

bool symbolizer_find(struct symbolizer *s, uint64_t address,
                     struct symbol_place *place);

/* Append the report, lines that end with newlines:
 *
 *     page fault reading 0x0 in foo_one at elements/x/foo.c:42
 *       called from foo_push at elements/x/foo.c:60
 *
 * Works with `s` NULL as well: then there is only an address. */
void symbolize_crash(struct symbolizer *s, const struct control_crash *crash,
                     const struct vmm_stack *stack, struct sbuf *out);

#endif
