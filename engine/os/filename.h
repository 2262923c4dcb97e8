// SPDX-License-Identifier: BSD-3-Clause
/*
 * filename.h -- arguments that name a file
 *
 * As in a shell, "~/x" and "~user/x" begin with a home directory; slashes next to each other
 * count as one.
 */

#ifndef ENGINE_OS_FILENAME_H
#define ENGINE_OS_FILENAME_H

#include "engine/element.h"

/* A struct text member. */
#define ARG_FILENAME(state_, member_, name_, flags_, help_)                            \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_CUSTOM, .flags = flags_, .help = help_,        \
        .offset = offsetof(struct state_, member_), .parse = filename_parse,           \
    }

/* arg_spec.parse: what is empty, or not one word or string, is no name. */
int filename_parse(struct element *e, const char *text, void *member, struct diag *d);

#endif
