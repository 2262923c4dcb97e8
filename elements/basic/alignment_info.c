// SPDX-License-Identifier: BSD-3-Clause
/*
 * AlignmentInfo -- what a tool found out about alignment
 *
 * Usage:    AlignmentInfo(...)
 * Ports:    none
 * Args:     any, which are not looked at
 * Counters: none
 * Handlers: none
 * Example:  AlignmentInfo(q 4 2);
 * See also: Align
 *
 * Accepted so that configurations that click-align has written can be used. Elements here
 * read unaligned headers as they are.
 */

#include "engine/element.h"

ELEMENT(AlignmentInfo) = {
    .name = "AlignmentInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
};
