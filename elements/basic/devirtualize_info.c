// SPDX-License-Identifier: BSD-3-Clause
/*
 * DevirtualizeInfo -- what a tool was told about classes, accepted and not looked at
 *
 * Usage:    DevirtualizeInfo(...)
 * Ports:    none
 * Args:     any, which are not looked at
 * Counters: none
 * Handlers: none
 * Example:  DevirtualizeInfo(q no);
 * See also: AlignmentInfo, ScheduleInfo
 *
 * Calls between elements here are as short as they get, so there is no such tool.
 */

#include "engine/element.h"

ELEMENT(DevirtualizeInfo) = {
    .name = "DevirtualizeInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
};
