// SPDX-License-Identifier: BSD-3-Clause
/* version.h -- what we call ourselves */

#ifndef ENGINE_VERSION_H
#define ENGINE_VERSION_H

/* The Click whose language and handlers these are: the `version` handler, which scripts
 * compare. */
#define CLICK_VERSION "2.1"

/* What programs print: the first line is for scripts that know Click's. */
#define CLICK_VERSION_TEXT "click (Click) " CLICK_VERSION "\nClickOS 0.1"

#endif
