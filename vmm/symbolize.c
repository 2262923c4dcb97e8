// SPDX-License-Identifier: BSD-3-Clause
/* Crash reports in words, with elfutils' libdw; see symbolize.h. */

#include "vmm/symbolize.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "abi/layout.h"

struct symbolizer {
    Dwfl *dwfl; /* owned */
};

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address};

struct symbolizer *symbolizer_open(const char *image, struct diag *d)
{
    struct symbolizer *s = calloc(1, sizeof *s);

    if (!s) {
        diag_err(d, "out of memory");
        return NULL;
    }
    s->dwfl = dwfl_begin(&callbacks);
    if (!s->dwfl || !dwfl_report_offline(s->dwfl, image, image, -1)) {
        diag_err(d, "%s: %s", image, dwfl_errmsg(-1));
        symbolizer_close(s);
        return NULL;
    }
    dwfl_report_end(s->dwfl, NULL, NULL);
    return s;
}

void symbolizer_close(struct symbolizer *s)
{
    if (!s)
        return;
    if (s->dwfl)
        dwfl_end(s->dwfl);
    free(s);
}

/* The innermost function, inlined ones included: an element's code for one packet is
 * always inlined into the loop around it. */
static const char *innermost(Dwfl_Module *m, uint64_t address)
{
    Dwarf_Addr bias;
    Dwarf_Die *cu = dwfl_module_addrdie(m, address, &bias), *scopes = NULL;
    const char *name = NULL;
    int n = cu ? dwarf_getscopes(cu, address - bias, &scopes) : 0;

    for (int i = 0; i < n && !name; i++) {
        int tag = dwarf_tag(&scopes[i]);

        if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram)
            name = dwarf_diename(&scopes[i]);
    }
    free(scopes);
    return name;
}

/* The compiler was started at the top of the tree. */
static const char *in_tree(const char *file)
{
    return strncmp(file, "./", 2) == 0 ? file + 2 : file;
}

bool symbolizer_find(struct symbolizer *s, uint64_t address, struct symbol_place *place)
{
    Dwfl_Module *m = s ? dwfl_addrmodule(s->dwfl, address) : NULL;
    Dwfl_Line *line;

    *place = (struct symbol_place){.function = NULL};
    if (!m)
        return false;
    place->function = innermost(m, address);
    if (!place->function)
        place->function = dwfl_module_addrname(m, address);
    line = dwfl_module_getsrc(m, address);
    if (line)
        place->file = dwfl_lineinfo(line, NULL, &place->line, NULL, NULL, NULL);
    if (place->file)
        place->file = in_tree(place->file);
    return place->function != NULL;
}

static void add_place(struct symbolizer *s, uint64_t address, uint64_t look_up,
                      struct sbuf *out)
{
    struct symbol_place p;

    if (!symbolizer_find(s, look_up, &p)) {
        sbuf_printf(out, "0x%llx", (unsigned long long)address);
        return;
    }
    sbuf_printf(out, "%s", p.function);
    if (p.file && p.line)
        sbuf_printf(out, " at %s:%d", p.file, p.line);
}

static void page_fault(const struct control_crash *c, struct sbuf *out)
{
    const uint64_t guard = LAYOUT_STACK - 65536;
    const char *how = c->error_code & 16  ? "executing"
                      : c->error_code & 2 ? "writing"
                                          : "reading";

    if (c->address >= guard && c->address < LAYOUT_STACK)
        sbuf_puts(out, "stack overflow");
    else
        sbuf_printf(out, "page fault %s 0x%llx", how, (unsigned long long)c->address);
}

static void what_happened(const struct control_crash *c, struct sbuf *out)
{
    const unsigned long long address = c->address;

    switch (c->vector) {
    case 0:
        sbuf_puts(out, "division by zero");
        break;
    case 6:
        sbuf_puts(out, "invalid instruction");
        break;
    case 13:
        sbuf_puts(out, "forbidden instruction or impossible address");
        break;
    case 14:
        page_fault(c, out);
        break;
    case CONTROL_PANIC:
        sbuf_printf(out, "panic: %s", c->message);
        break;
    case CONTROL_SHUTDOWN:
        sbuf_puts(out, "shutdown after a triple fault");
        break;
    case CONTROL_OUTSIDE:
        sbuf_printf(out, "access to memory that does not exist, 0x%llx", address);
        break;
    case CONTROL_PORT:
        sbuf_printf(out, "forbidden port 0x%llx", address);
        break;
    case CONTROL_SYSCALL:
        sbuf_printf(out, "forbidden system call %llu", address);
        break;
    case CONTROL_REFUSED:
        sbuf_printf(out, "%s", c->message);
        break;
    default:
        sbuf_printf(out, "exception %u", c->vector);
    }
}

void symbolize_crash(struct symbolizer *s, const struct control_crash *crash,
                     const uint64_t *frames, unsigned n_frames, struct sbuf *out)
{
    what_happened(crash, out);
    if (crash->rip) {
        /* It is the monitor that was refused something, wherever the guest was. */
        sbuf_puts(out,
                  crash->vector == CONTROL_REFUSED ? ", with the guest in " : " in ");
        add_place(s, crash->rip, crash->rip, out);
    }
    sbuf_putc(out, '\n');
    for (unsigned i = 0; i < n_frames; i++) {
        sbuf_puts(out, "  called from ");
        /* A return address is behind the call. */
        add_place(s, frames[i], frames[i] - 1, out);
        sbuf_putc(out, '\n');
    }
}
