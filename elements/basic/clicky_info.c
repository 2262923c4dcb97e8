// SPDX-License-Identifier: BSD-3-Clause
/*
 * ClickyInfo -- style for a graphical view
 *
 * Usage:    ClickyInfo(...)
 * Ports:    none
 * Args:     any, which are not looked at
 * Counters: none
 * Handlers: none
 * Example:  ClickyInfo(STYLE { Queue { color: blue } });
 * See also: AlignmentInfo
 *
 * Accepted for Clicky, which draws configurations; it means nothing to a running one.
 */

#include "engine/element.h"

ELEMENT(ClickyInfo) = {
    .name = "ClickyInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
};
