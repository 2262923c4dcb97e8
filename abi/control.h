// SPDX-License-Identifier: BSD-3-Clause
/*
 * control.h -- control memory: what a VM shares with its monitor
 *
 *     0          struct control_head   indices of mailbox and console, crash report
 *     4096       text                  CONTROL_TEXT bytes: of the request, then of its reply
 *     behind it  console ring          CONTROL_CONSOLE bytes of text, guest to monitor
 *
 * The region is sparse: only what is used is ever touched. A short text lies next to the
 * head, so that KVM maps both at one fault.
 *
 * Mailbox. One request at a time. The monitor writes the request's text and fields, then
 * advances `asked` (release) and wakes the guest. The guest carries it out between two
 * rounds of its scheduler, writes reply text and fields, advances `answered` to the same
 * value (release) and rings PORT_CONTROL_DOORBELL. Text is bytes, not NUL-terminated. The
 * reply lies where the request was: the guest has copied that before it writes, and the
 * monitor writes no other before the reply is gone.
 *
 * Console. A byte ring with the guest as its only writer. The guest never waits for the
 * reader: when the ring is full the text is dropped and counted.
 *
 * Trust: the monitor trusts nothing here: it loads once, bounds, and uses the copy. The
 * guest may trust the monitor.
 */

#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_ABI        5u
#define CONTROL_CONSOLE    16384u             /* bytes, a power of two */
#define CONTROL_TEXT       (9u * 1024 * 1024) /* bytes of request and of reply, at most */
#define CONTROL_NAME       64u                /* bytes of a configuration's name */
#define CONTROL_HANDLER    512u               /* bytes of a handler's name */
#define CONTROL_REQUEST_AT 4096u
#define CONTROL_REPLY_AT   CONTROL_REQUEST_AT
#define CONTROL_CONSOLE_AT (CONTROL_REPLY_AT + CONTROL_TEXT)
#define CONTROL_SIZE       (CONTROL_CONSOLE_AT + CONTROL_CONSOLE)

enum control_verb {
    CONTROL_PING = 1,
    CONTROL_INSTALL, /* name; text: the configuration, with base/confhead.h above it or
                      * not. Replaces one of the same name */
    CONTROL_REMOVE,  /* name */
    CONTROL_LIST,    /* reply: one name a line */
    CONTROL_READ,    /* name, handler; text: parameter. Reply: the value */
    CONTROL_WRITE,   /* name, handler; text: the value */
    CONTROL_STATS,   /* reply: "key value" lines about the VM itself */
    CONTROL_CHECK,   /* text: the same, built and thrown away again */
    CONTROL_QUIESCE, /* stop running until CONTROL_RESUME: for snapshots */
    CONTROL_RESUME,
    CONTROL_CHECKPOINT, /* stand still between two rounds while memory is copied; handler
                         * "hold": and after it, until the next request. Reply: struct
                         * control_checkpoint, then struct control_range */
    CONTROL_COMMAND, /* name; text: a command of engine/control_protocol.h. Reply: what
                      * is to be sent to the client */
};

enum control_status {
    CONTROL_OK = 0,
    CONTROL_ERROR,      /* reply: error lines, "file:line:column: text" */
    CONTROL_NO_CONFIG,  /* no configuration of that name */
    CONTROL_NO_HANDLER, /* reply: why */
    CONTROL_NO_MEMORY,
    CONTROL_TOO_LONG, /* the reply did not fit */
    CONTROL_BAD_REQUEST,
};

struct control_request {
    uint32_t verb;
    uint32_t len;                  /* bytes of text at CONTROL_REQUEST_AT */
    char name[CONTROL_NAME];       /* NUL-terminated; "" means the only configuration */
    char handler[CONTROL_HANDLER]; /* NUL-terminated: "fw.count", "list" */
};

struct control_reply {
    uint32_t status;
    uint32_t len; /* bytes of text at CONTROL_REPLY_AT */
};

/* What a guest says about the memory that is about to be copied. */
struct control_checkpoint {
    uint32_t rx_done[16]; /* of each interface: packets it has taken out of the ring */
    uint64_t due_ns;      /* steady time of the next timer; UINT64_MAX: none */
};

/* Bytes that hold nothing: free memory, empty buffers. Guest addresses, in any order. With
 * "hold" the buffers that lie empty in a receive ring are among them. */
struct control_range {
    uint64_t from, size;
};

/* Written by whoever catches a fault: the monitor for a KVM VM, the signal handler in a
 * sandboxed process, the guest itself for a panic. */
enum {
    CONTROL_PANIC = 256,    /* the guest gave up by itself: message */
    CONTROL_SHUTDOWN = 257, /* triple fault; registers may be lost */
    CONTROL_OUTSIDE = 258,  /* address: of memory that is mapped but does not exist */
    CONTROL_PORT = 259,     /* address: a port that is none of the guest's */
    CONTROL_SYSCALL = 260,  /* address: number of a forbidden system call (process) */
    CONTROL_REFUSED = 261,  /* KVM could not go on: message */
};
struct control_crash {
    uint32_t valid;
    uint32_t vector; /* x86 exception number, or one of the above */
    uint64_t error_code, rip, rsp, rbp, address;
    uint64_t rbx, r12, r13, r14, r15; /* with rsp and rbp: for the frames above */
    char message[256];                /* a panic's words, NUL-terminated */
};

struct control_head {
    uint32_t abi; /* monitor, constant */
    uint32_t pad;
    alignas(64) _Atomic uint32_t asked; /* monitor: requests made */
    struct control_request request;
    alignas(64) _Atomic uint32_t answered; /* guest: requests answered */
    struct control_reply reply;
    alignas(64) _Atomic uint32_t console_in;  /* guest: bytes ever written */
    _Atomic uint32_t console_lost;            /* guest: bytes that did not fit */
    _Atomic uint32_t ready;                   /* guest: 1 once it runs its main loop */
    alignas(64) _Atomic uint32_t console_out; /* monitor: bytes ever read */
    alignas(64) struct control_crash crash;
};
_Static_assert(sizeof(struct control_head) <= CONTROL_REQUEST_AT, "control ABI");

#endif
