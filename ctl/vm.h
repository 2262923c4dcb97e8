// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm.h -- the life cycle of a VM
 *
 *     vm_create: check -> note in the state folder -> spawn -> join ports -> install
 *
 *     STARTING --installed--> RUNNING --its guest or monitor ended--> CRASHED
 *        |                     |  ^                                     |
 *        |                     |  +--adopted-- ADOPTING (daemon restart) |
 *        v                     v                                        v
 *     ENDING: ports gone, monitor killed; freed when its end was reported
 *
 *     RUNNING --nothing to do for a while--> PARKED --a packet, a request--> STARTING
 *     CRASHED --by its policy, after a while--> STARTING
 *
 * Whatever fails while STARTING undoes everything that was done, and only then is the
 * client told. A crashed VM stays listed with what it said last until somebody removes it.
 *
 * Memory: a struct vm belongs to the daemon's table `vms`; calls that wait for it are
 *         answered before it is freed.
 */

#ifndef CTL_VM_H
#define CTL_VM_H

#include "base/sbuf.h"
#include "ctl/call.h"
#include "ctl/daemon.h"
#include "ctl/logring.h"
#include "ctl/names.h"
#include "ctl/portset.h"
#include "ctl/spec.h"

enum vm_state {
    VM_STARTING,
    VM_ADOPTING,
    VM_RUNNING,
    VM_CRASHED,
    VM_ENDING,
    VM_PARKED,
};

enum { VM_MAX_CONFIGS = 64 };

struct vm_if {
    char network[NAME_ROOM]; /* "": connected to nothing */
    uint8_t mac[6];
    uint32_t port;         /* id in the backplane; 0: none */
    json_t *settings;      /* owned; what ctl/portset.h knows; NULL: nothing */
    struct parked *parked; /* the backplane's; NULL: not parked */
    bool own_only;         /* what wakes it: struct park_config */
    uint32_t n_ip4;
    uint32_t ip4[PARK_MAX_IPS];
};

struct vm_config {
    char name[CONTROL_NAME];
    struct spec_config spec; /* owned */
    struct vm_config *next;
};

/* A client that waits for log lines. */
struct log_wait {
    struct vm *vm;     /* borrowed */
    struct call *call; /* borrowed */
    uint64_t from;     /* first number it has not seen */
    struct loop_timer timer;
    struct log_wait *next;
};

/* What a call is answered with once everything is undone. */
struct failure {
    unsigned status;
    char code[32];
    char *text;      /* owned; NULL: none */
    json_t *details; /* owned or NULL */
};

/* ns of the steady clock; see vmm_timing for what comes between. */
struct vm_times {
    uint64_t asked, attached, installed;
    struct vmm_timing boot;
};

struct vm;

/* Somebody of the daemon's own who waits for a VM to run: told once, with the VM, or with
 * NULL and why there is none. */
struct vm_waiter {
    void (*done)(struct vm_waiter *w, struct vm *vm, const struct failure *f);
};

/* How a VM comes to life. */
struct vm_how {
    int state_fd;   /* borrowed while it is spawned; <= 0: from nothing */
    bool elapse;    /* for a state: its time has gone on */
    bool as_it_was; /* for a state: its configurations need not be installed again */
    bool late;      /* no packets before they are installed */
};

struct vm {
    char name[NAME_ROOM];
    struct daemon_state *s; /* borrowed */
    struct order_node in_order;
    enum vm_state state;
    struct vmm *vmm;                            /* owned; NULL once it has ended */
    struct control_listener *control_listeners; /* owned, as the next: ctl/control.h */
    struct control_client *control_clients;

    enum vmm_isolation wanted;    /* what was asked for */
    enum vmm_isolation isolation; /* what it got; VMM_AUTO: not known yet */
    uint64_t memory, buffers, mtu;
    uint32_t uid; /* user and group of its monitor; 0: the daemon's own */
    unsigned n_ifs;
    struct vm_if ifs[NETMEM_MAX_IFS];
    struct vm_config *configs;         /* owned */
    bool created_nets[NETMEM_MAX_IFS]; /* networks made for it while STARTING */

    bool again;     /* it has run before, or was to: a failed start does not undo it */
    bool has_state; /* PARKED: in a file; else it starts from nothing */
    uint64_t park_after;      /* s; 0: never; SPEC_PARK_DEFAULT */
    uint64_t moved, moved_ns; /* packets seen so far, and when that was noticed */
    uint64_t due_ns;          /* PARKED: wake for a timer then; UINT64_MAX: none */
    bool parking;             /* a checkpoint for that is under way */
    unsigned park_tries;      /* that a packet came in between of */
    struct call *parker;      /* waits for it; borrowed */
    struct call_list *waking; /* owned; calls to be run when it does */
    struct quota_limits limits;
    unsigned long memory_kills; /* quota_kills() when it was looked at last */
    enum restart_policy restart;
    unsigned restarts; /* since it ran well */
    struct loop_timer restart_timer;

    char *trouble; /* owned; why it crashed, one line */
    struct logring log;
    struct log_wait *waits; /* owned */
    uint64_t created_us;    /* wall clock */
    struct vm_times times;

    struct vm_how how;                  /* of the start under way */
    const struct vm_config *to_install; /* next; borrowed from configs */
    struct sbuf notes;                  /* what the installed ones had to say */

    struct call *creator;         /* waits for RUNNING; borrowed */
    struct vm_waiter *waiter;     /* likewise */
    struct call *remover;         /* waits for the end; borrowed */
    struct call *installer;       /* an installation is under way; borrowed */
    struct vm_config *installing; /* owned; what it will have then */
    struct failure failure;       /* for the creator */

    struct vm *awake_prev, *awake_next; /* the daemon's list; borrowed */
    bool awake;                         /* on it */

    struct vm *next_adopt; /* in the daemon's queue; borrowed */
    unsigned adopt_tries;
    bool asked;                 /* connected to, its descriptors are on their way */
    enum vm_state unless_found; /* ADOPTING: what it is if nobody listens any more */
};

/* NULL: there is none. After a restart it may have to be read from the state folder. */
struct vm *vm_find(struct daemon_state *s, const char *name);
const char *vm_state_name(enum vm_state state);
bool vm_state_is_known(const char *name);
const char *vm_states(void); /* their names, for people */

/* Create a VM and answer `c` when it runs or when nothing is left of it. */
void vm_create(struct daemon_state *s, struct call *c, struct spec_vm *spec);

/* End it and forget it; `c` (may be NULL) is answered when that is done. */
void vm_remove(struct vm *vm, struct call *c);

/* Install a configuration under a name; takes over `spec`; `c` is answered. */
void vm_install(struct vm *vm, struct call *c, const char *name,
                struct spec_config *spec);
void vm_remove_config(struct vm *vm, struct call *c, const char *name);
struct vm_config *vm_config(struct vm *vm, const char *name);

/* Answer `c` with lines from number `from` on, at once or within `wait_ms`. */
void vm_logs(struct vm *vm, struct call *c, uint64_t from, uint64_t wait_ms);

/* A line of our own in its log. */
__attribute__((format(printf, 2, 3))) void vm_say(struct vm *vm, const char *fmt, ...);

/* The VM as the API shows it, and as the state folder keeps it. New objects. */
json_t *vm_describe(const struct vm *vm, bool full);

/* The same, but not `full`, as text in one line: for a hundred thousand of them. */
void vm_write_line(const struct vm *vm, struct sbuf *out);

json_t *vm_record(const struct vm *vm, const char *state);

/* Read VMs back from the state folder and connect to those that still run; the second one
 * has the others read, and is called again for what could not be read. */
void vms_load(struct daemon_state *s, struct diag *d);
void vms_load_rest(struct daemon_state *s);

/* Of those that were read some wait for their ports to be parked together: do it now. */
void vms_lay_aside(struct daemon_state *s);

/* Whether that is done. If not, `c` is kept and run anew then. */
bool vms_all_there(struct daemon_state *s, struct call *c);

void vms_free(struct daemon_state *s);

/* ---- parking: vm_park.c ---------------------------------------------------------- */

/* Put a running VM aside: its state goes into a file, its monitor and all that is KVM's
 * ends. `c` (may be NULL) is answered when that is so, or why it is not. */
void vm_park(struct vm *vm, struct call *c);

/* A packet or somebody else wants it. */
void vm_wake(struct vm *vm);

/* True if the VM runs. If it is parked or about to run again, `c` is kept and run anew
 * when it does; if it does not run, `c` is answered. */
bool vm_is_there(struct vm *vm, struct call *c);

/* Once a second: park those that have been idle, wake those whose timer is due. */
void vms_tick(struct daemon_state *s);

/* For that: it runs from now on; it is parked; it will be freed. */
void vm_set_running(struct vm *vm);
void vm_set_parked(struct vm *vm);
void vm_forget_awake(struct vm *vm);

/* Change the settings of interface `i` by `change` (portset_merge()), in the switch and in
 * the state folder; of a VM that runs, is parked or crashed. As port_change(). */
int vm_change_if(struct vm *vm, unsigned i, const json_t *change, struct diag *d);

/* ---- copies: vm_copy.c ---------------------------------------------------------- */

/* Write what the VM is to a file, while it stands still for a moment. */
void vm_snapshot(struct vm *vm, struct call *c, const char *file);

/* A VM from such a file; `name` (NULL: that of the file) as in vm_clone(). */
void vm_restore(struct daemon_state *s, struct call *c, const char *file,
                const char *name, bool create_nets);

/* VMs from one that runs: `clones` is a list of {"name", "defines"?}. Under another name a
 * VM has addresses of its own, and its configurations are installed again, over what it
 * brought along, with their variables changed. All of them, or none. */
void vm_clone(struct vm *vm, struct call *c, const json_t *clones);

/* ---- among vm*.c only ------------------------------------------------------------ */

struct vm *vm_new(struct daemon_state *s, const char *name);
void vm_free(struct vm *vm); /* takes it out of the table */
/* Its processes have ended or are about to: nothing of its control groups is to stay. */
void vm_unlimit(struct vm *vm);
void vm_config_free(struct vm_config *c);
void vm_wake_logs(struct vm *vm, bool over);
void vm_console(struct vm *vm, const char *text, size_t len, uint32_t lost);

int vm_load_record(struct vm *vm, json_t *value, struct diag *d);
void vm_take_if(struct vm_if *f, const struct spec_if *spec);
uint32_t vm_next_uid(struct daemon_state *s);
void vm_kill_and_forget(struct vm *vm);
json_t *vm_add_notes(struct vm *vm, json_t *answer, const char *text, size_t len);
bool vm_name_is_free(struct daemon_state *s, struct call *c, const char *name);
int vm_request_install(struct vm *vm, const struct vm_config *c, vmm_reply_fn *reply,
                       struct diag *d);

/* Have it run, as vm->how says; what waits for it is told. The second one first makes its
 * networks if asked to, and enters it in the state folder. */
void vm_bring_up(struct vm *vm);
void vm_note_and_bring_up(struct vm *vm, bool create_nets);
void vm_tell_failure(struct call *creator, struct vm_waiter *waiter, struct failure *f);

/* Enter it as one that is parked: its interfaces wait for packets. -1: some could not. */
int vm_lay_aside(struct vm *vm, struct diag *d);
void vm_run_waiting(struct vm *vm);  /* calls that waited for it to run */
void vm_fail_waiting(struct vm *vm); /* or have to hear that it does not */
void vm_drop_state(struct vm *vm);   /* it runs: the file is of yesterday */

/* It has ended although nobody wanted it to: what its policy says. */
void vm_restart_later(struct vm *vm, bool daemon_was_down);

/* Join the interfaces to their networks; -1 with all of them loose again. */
int vm_attach(struct vm *vm, struct diag *d);
void vm_detach(struct vm *vm);

/* The callbacks for vmm_spawn() and vmm_adopt(). */
extern const struct vmm_events vm_events;

/* While STARTING: remember why, undo, and answer the creator in the end. */
__attribute__((format(printf, 5, 6))) void vm_fail(struct vm *vm, unsigned status,
                                                   const char *code, json_t *details,
                                                   const char *fmt, ...);
void vm_adopted(struct vm *vm, bool well); /* one less to wait for after a restart */

/* After a restart monitors are connected to a few at a time: each answers with
 * descriptors, and the kernel bounds how many may be on their way. A monitor that met that
 * bound is asked again. */
void vm_adopt_later(struct vm *vm);         /* to the end of the queue */
void vm_adopt_next(struct daemon_state *s); /* connect to as many as may be */
bool vm_adopt_again(struct vm *vm);         /* its connection broke: false: give up */
void vm_adopt_forget(struct vm *vm);        /* out of the queue */
enum { VM_OUT_OF_REACH = -2 };
int vm_adopt_now(struct vm *vm, struct diag *d); /* -1: nobody listens */
void vm_adopt_answered(struct vm *vm); /* it has sent its descriptors, or never will */

/* Answer with what a VM's monitor said instead of a result. */
void vm_fail_status(struct vm *vm, struct call *c, uint32_t status, const char *text,
                    size_t len);

#endif
