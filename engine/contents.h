// SPDX-License-Identifier: BSD-3-Clause
/* contents.h -- CONTENTS: how Print and IPPrint show the bytes of a packet */

#ifndef ENGINE_CONTENTS_H
#define ENGINE_CONTENTS_H

#include "engine/element.h"

enum contents { CONTENTS_NONE, CONTENTS_HEX, CONTENTS_ASCII };

/* Put a word into capitals. */
void contents_upper(struct text *t);

/* NONE, HEX, ASCII or a boolean, as enum contents; -1 with Click's message. What is no
 * boolean is in capitals afterwards. */
int contents_parse(struct text *t, struct diag *d);

#endif
