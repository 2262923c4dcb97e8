// SPDX-License-Identifier: BSD-3-Clause
/* handler_impl.h -- shared by the handler_*.c files and nobody else */

#ifndef ENGINE_HANDLER_IMPL_H
#define ENGINE_HANDLER_IMPL_H

#include "engine/element.h"

/* handler_value.c: a member of the state by its kind, as text and back. The message of a
 * write that fails is Click's: "expected integer". */
void handler_value_read(const struct handler_spec *h, const void *member,
                        struct sbuf *out);
int handler_value_write(struct element *e, const struct handler_spec *h,
                        const char *value, struct diag *d);

/* handler_common.c: what every element has. */
struct common_handler {
    const char *name;
    const char *marks; /* in the `handlers` list, for reading: "r." */
    void (*read)(const struct element *e, struct sbuf *out);
};
const struct common_handler *handler_common(const char *name);
extern const struct common_handler handler_commons[]; /* in Click's order of listing */

/* handler_router.c: the router's own. */
struct global_handler {
    const char *name;
    uint32_t flags;
    void (*read)(struct router *r, struct sbuf *out);
    int (*write)(struct router *r, const char *value, struct diag *d);
};
const struct global_handler *handler_global(struct router *r, const char *name);

#endif
