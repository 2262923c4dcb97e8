// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_path.h -- where `require(library NAME)` looks
 *
 * Folders are separated by ':'. In each of them NAME is looked for in "conf/click", in
 * "conf" and in the folder itself. An empty one, and no path at all, means the folder of
 * the file that asks. A NAME that starts with '/' is a file as it is.
 */

#ifndef DRIVER_CLICK_PATH_H
#define DRIVER_CLICK_PATH_H

/* Look for `name` as asked for by the file `from`. `path` may be NULL. Returns a heap
 * string that the caller frees, or NULL if there is none. */
char *click_path_find(const char *path, const char *name, const char *from);

#endif
