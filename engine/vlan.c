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

static struct vlan *vlan_of(struct element *e, const struct handler_spec *h)
{
    return (struct vlan *)(void *)((uint8_t *)element_state(e) + h->user);
}

int vlan_read(struct element *e, const struct handler_spec *h, const char *param,
              struct sbuf *out, struct diag *d)
{
    const struct vlan *v = vlan_of(e, h);
    uint16_t tci = be16(v->tci);

    if (strcmp(h->name, "vlan_id") == 0)
        sbuf_printf(out, "%u", tci & 0xfff);
    else if (strcmp(h->name, "vlan_pcp") == 0)
        sbuf_printf(out, "%u", tci >> 13);
    else if (strcmp(h->name, "native_vlan") == 0)
        sbuf_printf(out, "%d", v->native);
    else if (v->use_anno)
        sbuf_puts(out, "ANNO");
    else
        sbuf_printf(out, "%u", tci);
    return 0;
}

int vlan_write(struct element *e, const struct handler_spec *h, const char *value,
               size_t len, struct diag *d)
{
    struct vlan *v = vlan_of(e, h);
    bool id = strcmp(h->name, "vlan_id") == 0, pcp = strcmp(h->name, "vlan_pcp") == 0;
    uint16_t tci = be16(v->tci);
    uint64_t n;
    int64_t native;

    if (strcmp(h->name, "native_vlan") == 0) {
        if (!parse_i64(value, 0, &native) || native < -1 || native > 0xfff)
            return diag_err(d, "NATIVE_VLAN: parse error");
        v->native = (int32_t)native;
        return 0;
    }
    if (!id && !pcp && strcmp(value, "ANNO") == 0) {
        v->use_anno = true;
        return 0;
    }
    if (!parse_u64(value, 0, &n) || n > (id ? 0xfff : pcp ? 7 : 0xffff))
        return diag_err(d, "%s: parse error",
                        id    ? "VLAN_ID"
                        : pcp ? "VLAN_PCP"
                              : "VLAN_TCI");
    if (id)
        tci = (uint16_t)((tci & 0xf000) | n);
    else if (pcp)
        tci = (uint16_t)((tci & 0x1fff) | n << 13);
    else
        tci = (uint16_t)n;
    v->tci = be16(tci);
    v->use_anno = false;
    return 0;
}
