// SPDX-License-Identifier: BSD-3-Clause
/* Crash reports in words, with elfutils' libdw; see symbolize.h. */

#include "vmm/symbolize.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "abi/layout.h"

enum { MAX_FRAMES = 32 };

/* DWARF's numbers of registers. */
enum { REG_RBX = 3, REG_RBP = 6, REG_RSP = 7, REG_R12 = 12 };

/* A guest's stack being unwound. */
struct unwinding {
    struct symbolizer *s; /* borrowed */
    const struct control_crash *crash;
    const struct vmm_stack *stack;
    uint64_t pc, sp; /* where to go on; behind it, the last frame's */
    bool first;      /* the frame at `pc` is one that is known already */
    uint64_t frames[MAX_FRAMES];
    unsigned n;
};

struct symbolizer {
    Dwfl *dwfl; /* owned */
    bool attached;
    struct unwinding *now; /* borrowed: what the callbacks of `dwfl` are about */
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

/* ---- the frames above ----------------------------------------------------------------
 *
 * The guest is compiled without frame pointers: its image's unwinding tables, which no guest
 * ever sees, say where a function keeps its return address. The C library has none.
 * Everything on the stack may be a lie, which leads to a wrong report and not further. */

static bool in_text(uint64_t address)
{
    return address >= LAYOUT_TEXT && address < LAYOUT_TEXT + LAYOUT_TEXT_MAX;
}

static bool on_stack(const struct vmm_stack *stack, uint64_t address, uint64_t *value)
{
    uint64_t at = address - stack->at;

    if (address < stack->at || stack->len < sizeof *value ||
        at > stack->len - sizeof *value)
        return false;
    memcpy(value, stack->bytes + at, sizeof *value);
    return true;
}

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **thread)
{
    pid_t only = *thread ? 0 : 1;

    *thread = ctx;
    return only;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *ctx)
{
    const struct symbolizer *s = ctx;
    uint64_t value;

    if (!on_stack(s->now->stack, address, &value))
        return false;
    *result = value;
    return true;
}

static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
    const struct unwinding *u = ((struct symbolizer *)ctx)->now;
    const struct control_crash *c = u->crash;
    const Dwarf_Word rbx = c->rbx, at_rbp[] = {c->rbp, u->sp};
    const Dwarf_Word at_r12[] = {c->r12, c->r13, c->r14, c->r15};

    dwfl_thread_state_register_pc(thread, u->pc);
    return dwfl_thread_state_registers(thread, REG_RBX, 1, &rbx) &&
           dwfl_thread_state_registers(thread, REG_RBP, 2, at_rbp) &&
           dwfl_thread_state_registers(thread, REG_R12, 4, at_r12);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

static bool has_table(const struct symbolizer *s, uint64_t pc)
{
    Dwarf_Addr bias;
    Dwfl_Module *m = dwfl_addrmodule(s->dwfl, pc);
    Dwarf_CFI *cfi = m ? dwfl_module_dwarf_cfi(m, &bias) : NULL;
    Dwarf_Frame *frame;

    if (!cfi || dwarf_cfi_addrframe(cfi, pc - bias, &frame) != 0)
        return false;
    free(frame);
    return true;
}

static bool frame_add(struct unwinding *u, uint64_t address)
{
    if (u->n == MAX_FRAMES)
        return false;
    u->frames[u->n++] = address;
    return true;
}

static int on_unwound(Dwfl_Frame *frame, void *ctx)
{
    struct unwinding *u = ctx;
    Dwarf_Addr pc;
    Dwarf_Word sp;

    if (!dwfl_frame_pc(frame, &pc, NULL) || !in_text(pc) ||
        dwfl_frame_reg(frame, REG_RSP, &sp) != 0)
        return DWARF_CB_ABORT;
    /* A return address is behind the call. */
    if (!u->first && (sp <= u->sp || !frame_add(u, pc--)))
        return DWARF_CB_ABORT;
    u->first = false;
    u->pc = pc;
    u->sp = sp;
    return has_table(u->s, pc) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* In a function without a table: what looks like its return address. */
static bool find_caller(struct unwinding *u)
{
    uint64_t value;

    for (; on_stack(u->stack, u->sp, &value); u->sp += sizeof value)
        if (in_text(value) && has_table(u->s, value - 1)) {
            u->pc = value - 1;
            u->sp += sizeof value;
            return frame_add(u, value);
        }
    return false;
}

static void unwind(struct symbolizer *s, struct unwinding *u)
{
    s->now = u;
    if (!s->attached)
        s->attached = dwfl_attach_state(s->dwfl, NULL, 1, &thread_callbacks, s);
    /* After a jump to nowhere the caller is on the top of the stack. */
    while (s->attached && (has_table(s, u->pc) || find_caller(u))) {
        u->first = true;
        dwfl_getthread_frames(s->dwfl, 1, on_unwound, u);
        if (has_table(s, u->pc))
            break;
    }
    s->now = NULL;
}

/* ---- the report ----------------------------------------------------------------------- */

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
                     const struct vmm_stack *stack, struct sbuf *out)
{
    struct unwinding u = {.s = s, .crash = crash, .stack = stack};

    what_happened(crash, out);
    if (crash->rip) {
        /* It is the monitor that was refused something, wherever the guest was. */
        sbuf_puts(out,
                  crash->vector == CONTROL_REFUSED ? ", with the guest in " : " in ");
        add_place(s, crash->rip, crash->rip, out);
    }
    sbuf_putc(out, '\n');
    u.pc = crash->rip;
    u.sp = crash->rsp;
    if (s && stack->len)
        unwind(s, &u);
    for (unsigned i = 0; i < u.n; i++) {
        sbuf_puts(out, "  called from ");
        /* A return address is behind the call. */
        add_place(s, u.frames[i], u.frames[i] - 1, out);
        sbuf_putc(out, '\n');
    }
}
