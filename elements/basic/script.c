// SPDX-License-Identifier: BSD-3-Clause
/*
 * Script -- control a router by a list of instructions
 *
 * Usage:    Script(INSTRUCTION, ... [, TYPE t])
 * Ports:    none; TYPE PACKET: 1 or more in, any out; push or pull
 * Args:     TYPE  when the script runs:
 *                   ACTIVE          from the start of the router (the default)
 *                   DRIVER          the same, and it is stepped when something asks the
 *                                   driver to stop, which stops only where the script ends
 *                   PASSIVE         when its run handler is called
 *                   PROXY           when a handler is called that Script does not have
 *                   PACKET          when a packet comes (the default with ports)
 *                   SIGNAL name...  when the program gets a signal; not in a VM
 *           set VAR TEXT       give $VAR a value; setq also takes off a layer of quotes
 *           init VAR TEXT      the same, once, before the router starts; initq
 *           export VAR TEXT    the same, and a read handler VAR has the value; exportq
 *           print [>FILE] TEXT|HANDLER  print a text and a newline; printn: no newline;
 *                              printq, printnq: take quotes off the handler's argument
 *           save HANDLER FILE  write a handler's value to a file; append; not in a VM
 *           read HANDLER       print a handler's name and value on the console; readq
 *           write HANDLER TEXT call a write handler; $? has its result; writeq
 *           pause [N]          wait for N calls of step
 *           wait TIME          wait for a time, or for a step
 *           label L            a place for goto
 *           goto L [COND]      go on there, if COND is true; begin, end, exit, stop, error
 *                              are labels that every script has
 *           loop               go on at the beginning
 *           return [VALUE]     end; VALUE is what run returns, or the packet's output
 *           end                end; a packet leaves by output 0, signals are taken again
 *           exit               end; a packet is dropped
 *           stop               end, and ask the driver to stop
 *           error [TEXT]       end with an error; errorq
 * Handlers: step  written: go on behind the instruction that blocks, or so many
 *           goto  written: go on at this label
 *           run   run from the beginning with $args; read: gives what it returns
 *           get, set, shift  variables: read, written, the first word taken off
 *           add, sub, mul, div, idiv, mod, rem, neg, abs, min, max  arithmetic
 *           eq, ne, lt, le, gt, ge  comparison of numbers, or else of texts
 *           not, and, or, nand, nor, if, in  truth values and choices
 *           first, length, unquote, sprintf, random, now  texts and numbers
 *           readable, writable  whether handlers exist
 *           htons, htonl, ntohs, ntohl  byte order
 *           cat, catq, kill  files and signals, for scripts only
 * Example:  Script(set i 0, label again, print $i, set i $(add $i 1),
 *                  goto again $(lt $i 5), stop)
 * See also: DriverManager, Message
 *
 * $VAR and ${VAR} are replaced by values, $(HANDLER ARGS) by what a read handler gives;
 * the script's own handlers need no element name. $args are the arguments of run, $1 its
 * first word and so on, $# how many there are, $0 the handler that was called, $write
 * whether it was written, $input the port a packet came from, $$ the process.
 *
 * A script that jumps 1000 times without blocking is given up.
 */

#include "engine/script.h"

static int script_element_configure(struct element *e, struct conf *c, struct diag *d)
{
    return script_configure(e, c, SCRIPT_ACTIVE, d);
}

static void script_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        int output = script_packet(e, port);

        if (output < 0)
            pkt_free(b->p[i]);
        else
            out_push_one(e, (unsigned)output, b->p[i]);
    }
}

static uint32_t script_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    uint32_t got = 0;

    (void)port;
    for (uint32_t tries = 0; tries < max; tries++) {
        struct pkt *p = in_pull_one(e, 0);
        int output = p ? script_packet(e, 0) : 0;

        if (!p)
            break;
        if (output == 0) {
            batch_add(b, p);
            got++;
        } else if (output > 0) {
            out_push_one(e, (unsigned)output, p);
        } else {
            pkt_free(p);
        }
    }
    return got;
}

ELEMENT(Script) = {
    .name = "Script",
    .talks = true,
    .state_size = sizeof(struct script),
    .ports = "-/-",
    .processing = "ah/ah",
    .args = script_args,
    .any_args = true,
    .handlers = script_handlers,
    .more_handlers = script_more_handlers,
    .configure = script_element_configure,
    .initialize = script_initialize,
    .cleanup = script_cleanup,
    .push = script_push,
    .pull = script_pull,
};
