// SPDX-License-Identifier: BSD-3-Clause
/*
 * out_file.h -- OUTFILE: the file in which an element prints instead of on the console
 *
 * Only the driver has files. In a VM the argument is refused when the element is
 * initialised.
 *
 * Memory: the struct lies in element state; out_file_close() gives everything back.
 */

#ifndef ENGINE_OUT_FILE_H
#define ENGINE_OUT_FILE_H

#include "engine/element.h"

struct out_file {
    struct text name;       /* none: there is no OUTFILE */
    struct host_file *file; /* owned; NULL: not open */
};

/* The table entry for a state's member of type struct out_file. */
#define OUT_FILE_ARG(state, member)                                                    \
    ARG_FILENAME(state, member.name, "OUTFILE", 0, NULL, "print into this file")

/* Begin the file anew, if there is to be one. -1 with a message in `d`. */
int out_file_open(struct out_file *o, struct element *e, struct diag *d);

/* Write a piece; false, and nothing has happened, when there is no OUTFILE. */
bool out_file_write(struct out_file *o, struct element *e, const struct sbuf *text);

/* Accepts one that is not open. Says on the console when not everything was written. */
void out_file_close(struct out_file *o, struct element *e);

#endif
