// SPDX-License-Identifier: BSD-3-Clause
/*
 * DriverManager -- a Script that says when the driver stops
 *
 * Usage:    DriverManager(INSTRUCTION, ...)
 * Ports:    none
 * Args:     TYPE  as for Script; DRIVER unless given
 *           instructions are those of Script
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
 * Example:  DriverManager(pause, write q.reset, wait 0.1s, stop)
 * See also: Script
 *
 * Many elements can ask the driver to stop, as a source does at its end with STOP true.
 * With a DriverManager the script makes a step instead, and the driver stops only where
 * the script ends or executes `stop`.
 */

#include "engine/script.h"

static int driver_manager_configure(struct element *e, struct conf *c, struct diag *d)
{
    return script_configure(e, c, SCRIPT_DRIVER, d);
}

ELEMENT(DriverManager) = {
    .name = "DriverManager",
    .state_size = sizeof(struct script),
    .ports = "0/0",
    .args = script_args,
    .any_args = true,
    .handlers = script_handlers,
    .more_handlers = script_more_handlers,
    .configure = driver_manager_configure,
    .initialize = script_initialize,
    .cleanup = script_cleanup,
};
