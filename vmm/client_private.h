// SPDX-License-Identifier: BSD-3-Clause
/* What the files of the client library share; see client.h for what it does. */

#ifndef VMM_CLIENT_PRIVATE_H
#define VMM_CLIENT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/client.h"
#include "vmm/wire.h"

struct asked {
    struct asked *next;
    uint8_t *bytes; /* owned: the whole frame */
    size_t len, sent;
    uint32_t id;
    unsigned timeout_ms;
    bool checkpoint; /* its answer may bring a descriptor */
    vmm_reply_fn *reply;
    void *ctx;
};

/* What a VM cannot change once it has booted: a shell serves a VM of the same shape. */
struct vmm_shape {
    uint32_t n_ifs, n_buffers;
    uint64_t heap;
    enum vmm_isolation isolation; /* not VMM_AUTO */
};

enum { POOL_MAX = 256 };

struct vmm {
    struct vmm_host *host;           /* borrowed; NULL once it is gone */
    struct vmm *prev, *next;         /* all VMs of the host */
    const struct vmm_events *events; /* borrowed */
    void *ctx;
    bool adopted; /* it is to send us its fds */
    bool dead;    /* vmm_free() was called: only waits for the end of dispatch */

    bool shell;             /* nobody's yet: in the pool */
    struct vmm_shape shape; /* of a shell */
    struct vmm *pool_next;  /* the next younger one */

    uint32_t id; /* of the fork server's; 0: that one is gone */
    pid_t pid;
    int pidfd; /* without a fork server only */
    enum vmm_isolation isolation;
    char name[64];
    char *socket_path; /* owned; NULL: none */
    bool net_valid;
    struct vmm_net net; /* owned fds */

    int state_fd;    /* owned; -1: none: vmm_take_state() */
    int link;        /* -1: gone */
    bool link_write; /* EPOLLOUT is asked for */
    struct wire_head head;
    uint32_t head_have, body_have;
    uint8_t *body;         /* owned; head.len bytes */
    int fds[WIRE_MAX_FDS]; /* owned; that came with the hello */
    unsigned n_fds;
    bool cut_off; /* there was no room for descriptors that it sent */

    struct asked *first, **last; /* requests; the first one is under way */
    struct vmm *asking_prev, *asking_next;
    bool asking;          /* on the host's list of those with a request under way */
    uint64_t deadline_ns; /* of that request, should the monitor itself be silent */
    uint32_t next_request;

    struct vmm_timing timing;
    bool greeted, was_ready, killed, crashed, protocol, exited, ended;
    int status;
    char why[WIRE_WHY];
};

struct vmm_host {
    int epoll, timer, server; /* owned; server -1: it has died */
    pid_t server_pid;
    char *monitor, *image; /* owned paths */
    bool has_kvm;
    uint64_t image_id;
    char why[WIRE_WHY];
    uint32_t next_id;
    struct vmm *vms;                      /* all that are not ended and freed */
    struct vmm *asking;                   /* those with a request under way */
    unsigned pool_size, n_pool, n_orders; /* orders: shells still to be made */
    struct vmm *pool;                     /* oldest first */
    struct vmm_shape orders[POOL_MAX];    /* the most urgent one last */
    uint64_t refill_ns;                   /* when to make the next one; 0: never */
    bool dispatching;
    struct vmm *graveyard; /* freed inside dispatch; by `next` */
};

/* client_server.c: the fork server */
/* `settle`: and wait until it is there. */
int vmm_server_start(struct vmm_host *h, bool settle, struct diag *d);
int vmm_server_settle(struct vmm_host *h, struct diag *d);
void vmm_server_stop(struct vmm_host *h);
void vmm_server_finish(struct vmm_host *h); /* let it do first what it was told */
void vmm_server_dispatch(struct vmm_host *h);
int vmm_server_send(struct vmm_host *h, const void *msg, size_t len, const int *fds,
                    unsigned n_fds, struct diag *d);

/* client_state.c: what the daemon restores of a state */
bool vmm_state_fits_shell(int fd);
int vmm_clear_net(const struct vmm_net *net);
int vmm_state_fill_net(const struct vmm_spec *spec, const struct vmm_net *net,
                       struct diag *d);

/* client_link.c: the connection to a monitor */
void vmm_link_dispatch(struct vmm *vm, uint32_t events);
void vmm_link_close(struct vmm *vm);
void vmm_link_next(struct vmm *vm);        /* begin with the next request */
void vmm_link_overdue(struct vmm_host *h); /* requests nobody answers */
void vmm_link_answer(struct vmm *vm, uint32_t status, const char *text, size_t len);
void vmm_link_drain(struct vmm *vm); /* read all there is */

/* client_pool.c: shells */
/* `booted`: only one that stands still already. */
struct vmm *vmm_pool_take(struct vmm_host *h, const struct vmm_shape *s, bool booted);
void vmm_pool_order(struct vmm_host *h, const struct vmm_shape *s);
void vmm_pool_lost(struct vmm *shell); /* it has ended, or is to end */
void vmm_pool_refill(struct vmm_host *h);
void vmm_pool_drop(struct vmm_host *h);
/* Make the VM that `s` describes of a shell. False if the shell has died. */
bool vmm_pool_give(struct vmm *shell, const struct vmm_spec *s, int listener);

/* client.c */
struct vmm *vmm_spawn_new(struct vmm_host *h, const struct vmm_spec *s, bool shell,
                          struct diag *d);
struct vmm_shape vmm_shape_of(const struct vmm_host *h, const struct vmm_spec *s);
int vmm_write_identity(const struct vmm *vm, const struct vmm_spec *s);
int vmm_watch(struct vmm_host *h, int fd, void *what, uint32_t events);
void vmm_end_if_over(struct vmm *vm);
void vmm_arm_timer(struct vmm_host *h);
uint64_t vmm_now_ns(void);

/* A VM whose monitor is whoever has the other end of `link`; for tests. NULL when memory
 * ran out. */
struct vmm *vmm_test_attach(struct vmm_host *h, int link, uint32_t id,
                            const struct vmm_events *events);

#endif
