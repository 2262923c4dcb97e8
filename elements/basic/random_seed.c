// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomSeed -- set where the router's random numbers begin
 *
 * Usage:    RandomSeed(SEED)
 * Ports:    none
 * Args:     SEED  a number; without it, as at the start of the router
 * Counters: none
 * Handlers: seed  (rw) the argument SEED
 * Example:  RandomSeed(1);
 * See also: RandomSample, RandomSource, RandomSwitch
 *
 * With the same seed, elements that are configured after this one draw the same random
 * numbers each time. They are not those of Click, which come from the C library.
 */

#include "engine/element.h"
#include "engine/platform.h"

struct random_seed {
    uint32_t seed;
    bool given;
};

static const struct arg_spec random_seed_args[] = {
    {.name = "SEED",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .help = "a number",
     .offset = offsetof(struct random_seed, seed),
     .seen = 1 + offsetof(struct random_seed, given)},
    ARG_END,
};

static int random_seed_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct random_seed *s = element_state(e);

    element_random_seed(e, s->given ? s->seed : element_platform(e)->seed);
    return 0;
}

static const struct handler_spec random_seed_handlers[] = {
    HANDLER_ARGUMENT("0 SEED", "seed", "the argument SEED"),
    HANDLER_END,
};

ELEMENT(RandomSeed) = {
    .name = "RandomSeed",
    .state_size = sizeof(struct random_seed),
    .ports = "0/0",
    .args = random_seed_args,
    .live = true,
    .handlers = random_seed_handlers,
    .configure = random_seed_configure,
};
