// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetVLANAnno -- set the VLAN annotation
 *
 * Usage:    SetVLANAnno([VLAN_TCI, VLAN_PCP, keyword VLAN_ID])
 * Ports:    1 in, 1 out; push or pull
 * Args:     VLAN_TCI  the tag's 16 bits
 *           VLAN_PCP  priority, 0 to 7
 *           VLAN_ID   VLAN, where VLAN_TCI is not given
 * Handlers: config    (rw) the arguments, by keyword
 *           vlan_tci  (rw) the tag
 *           vlan_id   (rw) the argument VLAN_ID, as it was given
 *           vlan_pcp  (rw) VLAN_PCP, in the same way
 * Example:  ... -> SetVLANAnno(VLAN_ID 7) -> VLANEncap(ANNO) -> ...
 * See also: VLANEncap, VLANDecap
 */

#include "engine/vlan.h"

struct set_vlan_anno {
    struct vlan vlan;
};

static const struct arg_spec set_vlan_anno_args[] = {
    VLAN_ARGS(set_vlan_anno, vlan),
    ARG_END,
};

static int set_vlan_anno_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct set_vlan_anno *s = element_state(e);

    return vlan_configure(&s->vlan, d);
}

static void set_vlan_anno_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_vlan_anno *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        b->p[i]->anno_u16[ANNO_VLAN_TCI / 2] = s->vlan.tci;
}
ELEMENT_BATCH(set_vlan_anno)

static const struct handler_spec set_vlan_anno_handlers[] = {
    VLAN_READER(set_vlan_anno, vlan, "config", "the arguments, by keyword"),
    VLAN_HANDLERS(set_vlan_anno, vlan, "VLAN_TCI"),
    HANDLER_END,
};

ELEMENT(SetVLANAnno) = {
    .name = "SetVLANAnno",
    .state_size = sizeof(struct set_vlan_anno),
    .ports = "1/1",
    .args = set_vlan_anno_args,
    .live = true,
    .handlers = set_vlan_anno_handlers,
    .configure = set_vlan_anno_configure,
    .push = set_vlan_anno_push,
    .pull = set_vlan_anno_pull,
};
ELEMENT_ALIAS(SetVlanAnno, SetVLANAnno);
