// SPDX-License-Identifier: BSD-3-Clause
/* Loading the guest image; see image.h. The file is ours, not a guest's, but a wrong path
 * or a stale build must end in a clear message and not in a strange VM. */

#include "vmm/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/layout.h"
#include "base/errtext.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };

static size_t whole(size_t n, size_t page)
{
    return (n + page - 1) & ~(page - 1);
}

struct file {
    const char *path;
    uint8_t *bytes;
    size_t size;
};

static int file_map(struct file *f, struct diag *d)
{
    struct stat st;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC), rc = -1;

    if (fd < 0 || fstat(fd, &st) < 0) {
        diag_err(d, "%s: %s", f->path, strerror(errno));
        goto out;
    }
    f->size = (size_t)st.st_size;
    f->bytes = mmap(NULL, f->size ? f->size : 1, PROT_READ, MAP_PRIVATE, fd, 0);
    if (f->bytes == MAP_FAILED) {
        diag_err(d, "%s: %s", f->path, strerror(errno));
        goto out;
    }
    rc = 0;
out:
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool is_image(const struct file *f)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)f->bytes;

    return f->size >= sizeof *eh && memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0 &&
           eh->e_ident[EI_CLASS] == ELFCLASS64 && eh->e_machine == EM_X86_64 &&
           eh->e_type == ET_EXEC && eh->e_phentsize == sizeof(Elf64_Phdr) &&
           eh->e_phoff <= f->size &&
           eh->e_phnum <= (f->size - eh->e_phoff) / sizeof(Elf64_Phdr);
}

static bool fits(const Elf64_Phdr *ph, uint64_t start, uint64_t max)
{
    return ph->p_vaddr >= start && ph->p_vaddr - start <= max &&
           ph->p_memsz <= max - (ph->p_vaddr - start);
}

/* Segments are told apart by where they are linked. */
static int take_segment(struct image *im, const struct file *f, const Elf64_Phdr *ph,
                        struct diag *d)
{
    const uint8_t *bytes = f->bytes + ph->p_offset;

    if (ph->p_filesz > ph->p_memsz || ph->p_offset > f->size ||
        ph->p_filesz > f->size - ph->p_offset)
        return diag_err(d, "%s: damaged: a segment lies outside the file", f->path);
    if (ph->p_vaddr == LAYOUT_TEXT && fits(ph, LAYOUT_TEXT, LAYOUT_TEXT_MAX)) {
        im->text_size = whole(ph->p_memsz, HUGE_PAGE);
    } else if (ph->p_vaddr == LAYOUT_RODATA &&
               fits(ph, LAYOUT_RODATA, LAYOUT_RODATA_MAX)) {
        im->rodata_size = whole(ph->p_memsz, HUGE_PAGE);
    } else if (ph->p_vaddr == LAYOUT_DATA && fits(ph, LAYOUT_DATA, LAYOUT_DATA_MAX)) {
        im->data_size = ph->p_filesz;
        im->data_mem = whole(ph->p_memsz, PAGE);
        im->data = malloc(ph->p_filesz ? ph->p_filesz : 1);
        if (!im->data)
            return diag_err(d, "out of memory");
        memcpy(im->data, bytes, ph->p_filesz);
    } else {
        return diag_err(d, "%s: not a guest image of this build: segment at 0x%llx",
                        f->path, (unsigned long long)ph->p_vaddr);
    }
    return 0;
}

/* FNV-1a over words: images of different builds differ in many places. */
static uint64_t id_of(const struct file *f)
{
    uint64_t id = 0xcbf29ce484222325u, word;

    for (size_t i = 0; i + sizeof word <= f->size; i += sizeof word) {
        memcpy(&word, f->bytes + i, sizeof word);
        id = (id ^ word) * 0x100000001b3u;
        id ^= id >> 29;
    }
    return id ^ f->size;
}

/* Text and constants at their places, never to be changed again: on two huge pages where
 * the system has them, each of which a guest gets at one fault. Gathered once they are
 * filled, and not asked for beforehand, since that would make the kernel look for more of
 * them in every VM for as long as it lives. */
static int place(uint64_t where, size_t size, const struct file *f,
                 const Elf64_Phdr *ph, unsigned n, struct diag *d)
{
    void *p = mmap((void *)where, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (p == MAP_FAILED)
        return diag_err(d, "memory for the guest image: %s", errtext(errno));
    for (unsigned i = 0; i < n; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr == where)
            memcpy(p, f->bytes + ph[i].p_offset, ph[i].p_filesz);
    madvise(p, size, MADV_COLLAPSE);
    if (mprotect(p, size, PROT_READ) < 0)
        return diag_err(d, "protecting the guest image: %s", strerror(errno));
    return 0;
}

int image_open(struct image *im, const char *path, struct diag *d)
{
    struct file f = {.path = path};
    struct image fresh = {.entry = 0};
    const Elf64_Ehdr *eh;
    const Elf64_Phdr *ph;
    int rc = -1;

    if (file_map(&f, d) < 0)
        return -1;
    if (!is_image(&f)) {
        diag_err(d, "%s: not a guest image", path);
        goto out;
    }
    eh = (const Elf64_Ehdr *)f.bytes;
    ph = (const Elf64_Phdr *)(f.bytes + eh->e_phoff);
    fresh.entry = eh->e_entry;
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_memsz &&
            take_segment(&fresh, &f, &ph[i], d) < 0)
            goto out;
    if (!fresh.text_size || fresh.entry < LAYOUT_TEXT ||
        fresh.entry >= LAYOUT_TEXT + fresh.text_size) {
        diag_err(d, "%s: not a guest image: no text", path);
        goto out;
    }
    if (place(LAYOUT_TEXT, fresh.text_size, &f, ph, eh->e_phnum, d) < 0 ||
        (fresh.rodata_size &&
         place(LAYOUT_RODATA, fresh.rodata_size, &f, ph, eh->e_phnum, d) < 0))
        goto out;
    fresh.id = id_of(&f);
    *im = fresh;
    rc = 0;
out:
    if (rc < 0)
        image_close(&fresh);
    munmap(f.bytes, f.size);
    return rc;
}

void image_close(struct image *im)
{
    if (im->text_size)
        munmap((void *)LAYOUT_TEXT, im->text_size);
    if (im->rodata_size)
        munmap((void *)LAYOUT_RODATA, im->rodata_size);
    free(im->data);
    *im = (struct image){.entry = 0};
}
