// SPDX-License-Identifier: BSD-3-Clause
/*
 * kernel_tun.h -- what KernelTun and KernelTap have in common
 *
 * For the driver only: the functions are in elements/driver/kernel_tun.c.
 */

#ifndef ENGINE_KERNEL_TUN_H
#define ENGINE_KERNEL_TUN_H

#include "engine/element.h"

#include <net/if.h>

enum { KERNEL_TUN_MTU = 1500, KERNEL_TUN_MTU_MAX = 65521 };

struct kernel_tun {
    struct ip_prefix addr;
    uint32_t gateway, mtu, headroom, burst;
    struct ether_addr ether;
    bool have_ether, ignore, said_error;
    struct text name_arg;
    int fd; /* 1 + the descriptor; 0: none */
    bool tap;
    uint64_t selected_calls;
    char name[IFNAMSIZ];
    struct task task;
    struct signal signal;
};

#define KERNEL_TUN_ARGS                                                                \
    {.name = "ADDR",                                                                   \
     .kind = ARG_KIND_CUSTOM,                                                          \
     .flags = ARG_M,                                                                   \
     .offset = offsetof(struct kernel_tun, addr),                                      \
     .help = "address/mask",                                                           \
     .parse = kernel_tun_parse_addr},                                                  \
        ARG_IP(kernel_tun, gateway, "GATEWAY", ARG_POS, "0.0.0.0", "default gateway"), \
        {.name = "MTU",                                                                \
         .kind = ARG_KIND_U32,                                                         \
         .offset = offsetof(struct kernel_tun, mtu),                                   \
         .def = "1500",                                                                \
         .help = "longest IP packet",                                                  \
         .max = KERNEL_TUN_MTU_MAX},                                                   \
        {.name = "ETHER",                                                              \
         .kind = ARG_KIND_ETHER,                                                       \
         .offset = offsetof(struct kernel_tun, ether),                                 \
         .seen = 1 + offsetof(struct kernel_tun, have_ether),                          \
         .help = "Ethernet address"},                                                  \
        ARG_STRING(kernel_tun, name_arg, "DEVNAME", 0, NULL, "name of the interface"), \
        ARG_STRING(kernel_tun, name_arg, "DEV_NAME", ARG_OLD, NULL, "old name"),       \
        ARG_U32(kernel_tun, headroom, "HEADROOM", 0, "28", "room before the data"),    \
        ARG_U32(kernel_tun, burst, "BURST", 0, "1", "packets at once"),                \
        ARG_BOOL(kernel_tun, tap, "TAP", 0, "false", "Ethernet frames"),               \
        ARG_BOOL(kernel_tun, ignore, "IGNORE_QUEUE_OVERFLOWS", ARG_OLD, "false",       \
                 "accepted"),                                                          \
        ARG_END

enum { TUN_RECEIVED, TUN_SENT, TUN_DROPS };
#define KERNEL_TUN_COUNTERS                                                            \
    [TUN_RECEIVED] = {"packets", "packets from the kernel"},                           \
    [TUN_SENT] = {"sent", "packets to the kernel"},                                    \
    [TUN_DROPS] = {"drops", "packets that the kernel refused"}
#define KERNEL_TUN_HANDLERS                                                            \
    HANDLER_READER(kernel_tun_read_name, "dev_name", "name of the interface"),         \
        HANDLER_VALUE(kernel_tun, selected_calls, ARG_KIND_U64, HANDLER_READ,          \
                      "selected_calls", "times that there was something to read"),     \
        TASK_HANDLERS(kernel_tun, task)

/* "10.9.0.1/24", for arg_spec.parse. */
int kernel_tun_parse_addr(struct element *e, const char *text, void *member,
                          struct diag *d);

/* Members of struct element_class; whether it is a TAP follows from the class's name. */
int kernel_tun_configure(struct element *e, struct conf *c, struct diag *d);
int kernel_tun_initialize(struct element *e, struct diag *d);
void kernel_tun_cleanup(struct element *e);
void kernel_tun_push(struct element *e, unsigned port, struct batch *b);

int kernel_tun_read_name(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d);

#endif
