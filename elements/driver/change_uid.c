// SPDX-License-Identifier: BSD-3-Clause
/*
 * ChangeUID -- go on with the rights of another user
 *
 * Usage:    ChangeUID([USER, GROUP])
 * Ports:    none
 * Args:     USER   name or number; default: the real user that started the program
 *           GROUP  name or number; default: that of the user
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(eth0) -> ...; ChangeUID(nobody);
 * See also: KernelTun, FromDevice
 *
 * Happens after all other elements have been initialised, so that they can open devices
 * first. There is no way back; a configuration that is installed later has the new rights.
 */

#include "engine/element.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

struct change_uid {
    struct text user, group;
};

static const struct arg_spec change_uid_args[] = {
    ARG_WORD(change_uid, user, "USER", ARG_POS, NULL, "name or number"),
    ARG_WORD(change_uid, group, "GROUP", ARG_POS, NULL, "name or number"),
    ARG_END,
};

static int change_uid_initialize(struct element *e, struct diag *d)
{
    const struct change_uid *s = element_state(e);
    uid_t uid = getuid();
    gid_t gid = getgid();
    const struct passwd *pw = s->user.len ? getpwnam(s->user.s) : getpwuid(uid);
    const struct group *gr = s->group.len ? getgrnam(s->group.s) : NULL;
    uint64_t number;

    if (s->user.len && !pw && !parse_u64(s->user.s, 10, &number))
        return diag_err(d, "no such user '%s'", s->user.s);
    if (s->user.len)
        uid = pw ? pw->pw_uid : (uid_t)number;
    if (s->user.len && pw)
        gid = pw->pw_gid;
    if (s->group.len && !gr && !parse_u64(s->group.s, 10, &number))
        return diag_err(d, "no such group '%s'", s->group.s);
    if (s->group.len)
        gid = gr ? gr->gr_gid : (gid_t)number;
    /* Groups first: without the user's rights they could no longer be changed. */
    if (geteuid() == 0 && setgroups(0, NULL) < 0)
        return diag_err(d, "setgroups: %s", strerror(errno));
    if (setgid(gid) < 0)
        return diag_err(d, "setgid: %s", strerror(errno));
    if (setuid(uid) < 0)
        return diag_err(d, "setuid: %s", strerror(errno));
    return 0;
}

ELEMENT(ChangeUID) = {
    .name = "ChangeUID",
    .state_size = sizeof(struct change_uid),
    .ports = "0/0",
    .driver_only = true,
    .phase = PHASE_LATE,
    .args = change_uid_args,
    .initialize = change_uid_initialize,
};
