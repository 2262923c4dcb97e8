// SPDX-License-Identifier: BSD-3-Clause
/* classes.c -- look-ups in the catalogue of element classes: see catalogue.h */

#include "engine/catalogue.h"
#include "engine/router.h"

size_t router_n_classes(void)
{
    return catalogue_n;
}

const struct element_class *router_class(size_t i)
{
    return i < catalogue_n ? catalogue_classes[i] : NULL;
}

const char *const *router_class_names(size_t *n)
{
    *n = catalogue_n;
    return catalogue_names;
}

const struct element_class *router_class_find(const char *name)
{
    size_t low = 0, high = catalogue_n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(name, catalogue_names[mid]);

        if (order == 0)
            return catalogue_classes[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* What Click's user-level driver provides without a package that was loaded. */
bool router_provides(const char *name)
{
    static const char *const provided[] = {
#include "engine/provides.list"
    };

    for (size_t i = 0; i < sizeof provided / sizeof *provided; i++)
        if (strcmp(provided[i], name) == 0)
            return true;
    return false;
}
