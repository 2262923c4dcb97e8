// SPDX-License-Identifier: BSD-3-Clause
/*
 * filename.h -- names of files that need the operating system to be understood
 *
 * As in a shell, "~/x" and "~user/x" begin with a home directory: args_value() asks the
 * driver for it, for arguments of the kind ARG_KIND_FILENAME.
 */

#ifndef ENGINE_OS_FILENAME_H
#define ENGINE_OS_FILENAME_H

/* The home directory of `user`, NULL meaning whoever runs the program; borrowed until the
 * next call, NULL if there is none. */
const char *filename_home(const char *user);

#endif
