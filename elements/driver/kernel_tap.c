// SPDX-License-Identifier: BSD-3-Clause
/*
 * KernelTap -- Ethernet frames to and from the kernel, through an interface of our own
 *
 * Usage:    KernelTap(ADDR/MASK [, GATEWAY, ETHER, MTU 1500, DEVNAME, ...])
 * Ports:    0-1 in, 1-2 out; push or pull in, push out
 * Args:     ADDR       address of the interface and mask of the network behind it
 *           GATEWAY    default gateway that the kernel shall use
 *           ETHER      Ethernet address of the interface; default: the kernel's choice
 *           MTU        longest IP packet, default 1500
 *           DEVNAME    name of the interface; default: what the kernel thinks of
 *           HEADROOM   room before the data of packets, default 28
 *           BURST      packets read at once, default 1
 *           TAP        accepted: it is one
 *           DEV_NAME, IGNORE_QUEUE_OVERFLOWS  for old configurations
 * Counters: packets    packets from the kernel
 *           sent       packets to the kernel
 *           drops      packets that the kernel refused, or would have
 * Handlers: dev_name  (read) name of the interface
 *           selected_calls  (read) times that there was something to read
 *           scheduled, tickets  (rw) the task, with a pull input
 * Example:  k :: KernelTap(10.9.0.1/24, ETHER 2:0:0:0:0:9) -> sw :: EtherSwitch -> k;
 * See also: KernelTun, FromDevice, ToDevice
 *
 * As KernelTun, with Ethernet frames. Frames of less than 14 bytes leave by output 1 if that
 * is connected.
 */

#include "engine/kernel_tun.h"

#include "engine/task_handlers.h"

static const struct arg_spec kernel_tap_args[] = {KERNEL_TUN_ARGS};

static const struct counter_spec kernel_tap_counters[] = {
    KERNEL_TUN_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec kernel_tap_handlers[] = {
    KERNEL_TUN_HANDLERS,
    HANDLER_END,
};

ELEMENT(KernelTap) = {
    .name = "KernelTap",
    .state_size = sizeof(struct kernel_tun),
    .ports = "0-1/1-2",
    .processing = "a/h",
    .flow = "x/y",
    .driver_only = true,
    .args = kernel_tap_args,
    .counters = kernel_tap_counters,
    .handlers = kernel_tap_handlers,
    .configure = kernel_tun_configure,
    .initialize = kernel_tun_initialize,
    .cleanup = kernel_tun_cleanup,
    .push = kernel_tun_push,
};
