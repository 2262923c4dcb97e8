// SPDX-License-Identifier: BSD-3-Clause
/*
 * errtext.h -- what an errno means, and what to raise when the machine has run out
 *
 * For programs on an operating system; a guest has no errno.
 */

#ifndef BASE_ERRTEXT_H
#define BASE_ERRTEXT_H

/* strerror(), and behind it what an operator can do about a shortage: "Too many open
 * files: raise RLIMIT_NOFILE (LimitNOFILE=)". Valid until the next call. */
const char *errtext(int error);

/* The same for what makes processes or threads, where EAGAIN means that no more of them
 * may be made. */
const char *errtext_fork(int error);

#endif
