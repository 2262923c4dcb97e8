// SPDX-License-Identifier: BSD-3-Clause
/*
 * control.h -- Click's control protocol for every VM
 *
 * Each VM that runs has a Unix socket on which clients of Click's ControlSocket find what
 * they know: VM.control for its configuration ("main" if there are several), and
 * VM@NAME.control for each one by name. The protocol is engine/control_protocol.h. What it
 * says about handlers is said by the guest: a command goes there whole, and the answer comes
 * back as it is to be sent. Only "hotconfig" is ours, since the daemon must know what is
 * installed.
 *
 *     client --bytes--> struct control --command--> mailbox of the VM
 *            <--bytes--                <--answer---
 *
 * Nothing here waits: a client whose command is with its VM is not read from, and one that
 * does not read its answers gets no more. Others go on.
 *
 * Memory: what belongs to a VM hangs on it and goes with it. A client that leaves while its
 *         command is under way is kept until the answer comes.
 * Trust:  clients are bounded in number, and each in what it can make us keep. When all
 *         places are taken, who comes gets that of a silent client, or one of another
 *         user's if that has most of them.
 */

#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

struct daemon_state;
struct vm;

/* Make the folder for the sockets and clear it of those an earlier daemon left. Without it
 * there are no sockets; that is only logged. */
void control_open(struct daemon_state *s, const char *dir, const char *group);
void control_close(struct daemon_state *s);

/* After any change of a VM: it has the sockets that it should have. */
void vm_control_update(struct vm *vm);

/* The VM is about to be freed. */
void vm_control_free(struct vm *vm);

#endif
