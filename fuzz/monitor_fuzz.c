// SPDX-License-Identifier: BSD-3-Clause
/*
 * A monitor that was taken over by its guest sends the daemon anything at all: the daemon
 * ends that VM at most, and every request is answered once.
 *
 * Input: first byte: bit 0 whether the VM was adopted, bit 1 whether a request is open;
 * then the bytes of the stream.
 */

#include "vmm/client_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned answers, ends;

static void on_reply(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                     size_t len)
{
    answers++;
    if (len && !memchr(text, text[len - 1], len))
        __builtin_trap();
}

static void on_console(struct vmm *vm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    for (size_t i = 0; i < len; i++)
        lost += (unsigned char)text[i]; /* every byte must be there */
}

static void on_crash(struct vmm *vm, void *ctx, const struct control_crash *crash,
                     const struct vmm_stack *stack)
{
    unsigned sum = 0;

    for (size_t i = 0; i < stack->len; i++)
        sum += stack->bytes[i]; /* every byte must be there */
    if (stack->len > WIRE_MAX_STACK || sum > 255 * WIRE_MAX_STACK ||
        strlen(crash->message) >= sizeof crash->message)
        __builtin_trap();
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    ends++;
}

static const struct vmm_events events = {
    .console = on_console, .crash = on_crash, .end = on_end};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmm_host h = {.epoll = -1, .timer = -1, .server = -1};
    struct vmm *vm;
    unsigned asked;
    int pair[2];

    if (size < 1 || size > 60000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 0;
    answers = ends = 0;
    h.epoll = epoll_create1(0);
    vm = vmm_test_attach(&h, pair[0], data[0] & 1 ? 0 : 1, &events);
    asked = data[0] >> 1 & 1;
    if (asked)
        vmm_request(vm, &(struct vmm_request){.verb = CONTROL_PING}, on_reply, NULL,
                    NULL);
    if (write(pair[1], data + 1, size - 1) < 0)
        __builtin_trap();
    close(pair[1]);
    h.dispatching = true;
    vmm_link_drain(vm);
    vmm_link_close(vm);
    vmm_end_if_over(vm);
    h.dispatching = false;
    if (answers != asked || ends != 1)
        __builtin_trap();
    vmm_free(vm);
    close(h.epoll);
    return 0;
}
