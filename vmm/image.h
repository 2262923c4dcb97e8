// SPDX-License-Identifier: BSD-3-Clause
/*
 * image.h -- the guest image, loaded once for all VMs
 *
 * Text and constants go into a sealed memfd whose pages all VMs share; initialised data
 * is kept as bytes to be copied into each VM.
 */

#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct image {
    int fd;             /* sealed: text from 0, constants from text_size on */
    size_t text_size;   /* bytes, whole pages, at LAYOUT_TEXT */
    size_t rodata_size; /* bytes, whole pages, at LAYOUT_RODATA */
    uint8_t *data;      /* owned: goes to LAYOUT_DATA */
    size_t data_size;   /* bytes of `data` */
    size_t data_mem;    /* bytes with .bss, whole pages */
    uint64_t entry;
};

/* Load the ELF file at `path`. On failure nothing is kept. */
int image_open(struct image *im, const char *path, struct diag *d);
void image_close(struct image *im);

#endif
