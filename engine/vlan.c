// SPDX-License-Identifier: BSD-3-Clause
/* vlan.c -- the VLAN arguments of several elements: see vlan.h */

#include "engine/vlan.h"

int vlan_configure(struct vlan *v, struct diag *d)
{
    uint64_t tci = (uint32_t)v->id;

    v->use_anno = v->tci_text.s && strcmp(v->tci_text.s, "ANNO") == 0;
    if (v->tci_text.s && !v->use_anno) {
        if (!parse_u64(v->tci_text.s, 0, &tci))
            return diag_err(d, "VLAN_TCI: parse error");
        if (tci > 0xffff)
            return diag_err(d, "VLAN_TCI: out of range, bound 65535");
    }
    v->tci = be16((uint16_t)(tci | (uint64_t)v->pcp << 13));
    return 0;
}

int vlan_read(struct element *e, const struct handler_spec *h, const char *param,
              struct sbuf *out, struct diag *d)
{
    const struct vlan *v = (const void *)((uint8_t *)element_state(e) + h->user);
    uint16_t tci = be16(v->tci);

    if (strcmp(h->name, "config") != 0 && v->use_anno) {
        sbuf_puts(out, "ANNO");
    } else if (strcmp(h->name, "config") != 0) {
        sbuf_printf(out, "%u", tci);
    } else {
        if (v->use_anno)
            sbuf_puts(out, "ANNO");
        else
            sbuf_printf(out, "VLAN_ID %u, VLAN_PCP %u", tci & 0xfff, tci >> 13);
        if (v->native)
            sbuf_printf(out, ", NATIVE_VLAN %u", (uint16_t)v->native);
    }
    return 0;
}
