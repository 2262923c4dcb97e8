// SPDX-License-Identifier: BSD-3-Clause
/* errtext.c -- see errtext.h */

#include "base/errtext.h"

#include <errno.h>
#include <string.h>

const char *errtext(int error)
{
    switch (error) {
    case EMFILE:
    case ETOOMANYREFS: /* descriptors on their way through sockets */
        return "Too many open files: raise RLIMIT_NOFILE (LimitNOFILE=)";
    case ENFILE:
        return "Too many open files in system: raise fs.file-max";
    case ENOMEM:
        return "Cannot allocate memory: free some, or raise what limits it "
               "(MemoryMax=, "
               "RLIMIT_AS, vm.max_map_count)";
    case ENOSPC:
        return "No space left on device: make room";
    case EDQUOT:
        return "Disk quota exceeded: make room";
    default:
        return strerror(error);
    }
}

const char *errtext_fork(int error)
{
    return error == EAGAIN ? "no more processes may be started: raise pids.max "
                             "(TasksMax=), RLIMIT_NPROC or kernel.pid_max"
                           : errtext(error);
}
