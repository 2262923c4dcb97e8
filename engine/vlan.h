// SPDX-License-Identifier: BSD-3-Clause
/* vlan.h -- the VLAN arguments of VLANEncap, EtherVLANEncap and SetVLANAnno */

#ifndef ENGINE_VLAN_H
#define ENGINE_VLAN_H

#include "engine/element.h"
#include "engine/net_headers.h"

struct vlan {
    struct text tci_text;
    int32_t id, pcp, native;
    bool use_anno;
    uint16_t tci; /* network byte order */
};

#define VLAN_BOUNDED(state_, member_, name_, flags_, def_, min_, max_, help_)          \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_I32, .flags = flags_, .def = def_,             \
        .min = min_, .max = max_, .help = help_,                                       \
        .offset = offsetof(struct state_, member_)                                     \
    }

/* VLAN_TCI, VLAN_PCP by position, VLAN_ID by keyword. */
#define VLAN_ARGS(state_, member_)                                                     \
    ARG_WORD(state_, member_.tci_text, "VLAN_TCI", ARG_POS, NULL, "tag, or ANNO"),     \
        VLAN_BOUNDED(state_, member_.pcp, "VLAN_PCP", ARG_POS, "0", 0, 7, "priority"), \
        VLAN_BOUNDED(state_, member_.id, "VLAN_ID", 0, "0", 0, 0xfff, "VLAN")
#define VLAN_NATIVE(state_, member_)                                                   \
    VLAN_BOUNDED(state_, member_.native, "NATIVE_VLAN", 0, "0", -1, 0xfff,             \
                 "VLAN that has no tag; -1: none")

/* From the arguments to the tag. */
int vlan_configure(struct vlan *v, struct diag *d);

/* The tag for a packet, network byte order. */
static inline uint16_t vlan_tci(const struct vlan *v, const struct pkt *p)
{
    return v->use_anno ? p->anno_u16[ANNO_VLAN_TCI / 2] : v->tci;
}

static inline bool vlan_is_native(const struct vlan *v, uint16_t tci)
{
    return (be16(tci) & 0xfff) == v->native;
}

/* The handlers vlan_tci and, written as VLANEncap's arguments, config. `user` is the offset
 * of the struct vlan in the state. */
int vlan_read(struct element *e, const struct handler_spec *h, const char *param,
              struct sbuf *out, struct diag *d);
#define VLAN_READER(state_, member_, name_, help_)                                     \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ,                           \
        .user = offsetof(struct state_, member_), .read = vlan_read                    \
    }
/* vlan_tci, by position or not, vlan_id and vlan_pcp. */
#define VLAN_HANDLERS(state_, member_, tci_argument_)                                  \
    VLAN_READER(state_, member_, "vlan_tci", "the tag"),                               \
        HANDLER_ARGUMENT_WRITER(tci_argument_, "vlan_tci", "the tag"),                 \
        HANDLER_ARGUMENT("VLAN_ID", "vlan_id", "its VLAN"),                            \
        HANDLER_ARGUMENT("VLAN_PCP", "vlan_pcp", "its priority")

#endif
