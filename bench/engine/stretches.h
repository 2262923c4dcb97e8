// SPDX-License-Identifier: BSD-3-Clause
/*
 * stretches.h -- a run in some hundred short stretches, of which the best count
 *
 * Processor time is what counts, since the machine may be shared; and neighbours (on the other
 * thread of the core, in the cache) slow some stretches down and speed none up.
 */

#ifndef BENCH_ENGINE_STRETCHES_H
#define BENCH_ENGINE_STRETCHES_H

#include <stdint.h>

/* Seconds of processor time of this process. */
double processor_seconds(void);

/* A run of about so many steps begins; 0: it is not to be parted. Returns how many steps
 * make a stretch. */
uint32_t stretches_begin(uint64_t steps);

/* A stretch is over. Where processes are measured in turn some of them make a turn. Returns
 * after how many steps more than one the next one ends. */
uint32_t stretch_end(void);

/* The run is over: what `steps` steps take at the pace of the best tenth of the stretches.
 * Before that, what stretches_begin() made of a turn: stretches in the run. */
double stretches_total(uint64_t steps);
double stretches_in_run(void);

#endif
