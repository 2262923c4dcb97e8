// SPDX-License-Identifier: BSD-3-Clause
/*
 * image.h -- the guest image, loaded once for all VMs
 *
 * Text and constants lie in anonymous memory of the fork server, at the addresses that they
 * have in the guest. Every VM's process inherits them by fork, page tables included, so all
 * share them and the host takes no fault for them; one that wrote to its own would get a
 * copy. Initialised data is kept as bytes to be copied into each VM.
 */

#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct image {
    size_t text_size;   /* bytes, in whole 2 MiB of address space, at LAYOUT_TEXT */
    size_t rodata_size; /* bytes, in whole 2 MiB as well, at LAYOUT_RODATA */
    uint8_t *data;      /* owned: goes to LAYOUT_DATA */
    size_t data_size;   /* bytes of `data` */
    size_t data_mem;    /* bytes with .bss, whole pages */
    uint64_t entry;
    uint64_t id; /* tells images apart: their pointers do not mean the same */
};

/* Load the ELF file at `path`; one at a time in a process. On failure nothing is kept. */
int image_open(struct image *im, const char *path, struct diag *d);
void image_close(struct image *im);

#endif
