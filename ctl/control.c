// SPDX-License-Identifier: BSD-3-Clause
/* control.c -- Click's control protocol for every VM: see control.h */

#include "ctl/control.h"

#include "ctl/server.h"
#include "ctl/vm.h"
#include "engine/control_protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    MAX_CLIENTS = 64, /* of one VM */
    IDLE_NS = 2000000000,
    MAX_STEPS = 16,      /* commands in a row */
    MAX_WAITING = 65536, /* bytes that a client has not read: then its commands wait */
    READ_SIZE = 16384,
    ACCEPT_PAUSE_MS = 200, /* when there are no descriptors */
};

/* Click's numbers, for what the protocol's own code does not say. */
enum { UNIMPLEMENTED = 501, TOO_BIG = 521, UNSPECIFIED = 590 };

static const char suffix[] = ".control";

struct control_client {
    struct vm *vm;             /* borrowed */
    char config[CONTROL_NAME]; /* whose handlers are meant; "": the default one */
    int fd;                    /* -1: the client is gone */
    uid_t user;                /* whose it is */
    uint64_t heard_ns;         /* when it said something last */
    uint32_t events;           /* that the loop watches for */
    struct loop_watch watch;
    struct control control;
    bool asked;             /* a request is with the VM */
    struct call *call;      /* owned: an installation is under way, or was answered */
    struct loop_timer done; /* the call was answered */
    struct control_client *next;
};

struct control_listener {
    struct vm *vm;             /* borrowed */
    char config[CONTROL_NAME]; /* "": the default one */
    char *path;                /* owned */
    int fd;
    struct loop_watch watch;
    struct loop_timer pause;
    bool wanted;
    struct control_listener *next;
};

/* --- clients -------------------------------------------------------------------------------- */

static void serve(struct control_client *c);
static void client_ready(void *ctx, uint32_t events);

static void client_disconnect(struct control_client *c)
{
    if (c->fd < 0)
        return;
    loop_remove(c->vm->s->loop, &c->watch);
    close(c->fd);
    c->fd = -1;
}

static void client_free(struct control_client *c)
{
    struct control_client **at = &c->vm->control_clients;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    client_disconnect(c);
    loop_timer_cancel(c->vm->s->loop, &c->done);
    if (c->call)
        call_fini(c->call);
    free(c->call);
    control_fini(&c->control);
    free(c);
}

/* The client goes, but not what others still hold of it. */
static void client_leave(struct control_client *c)
{
    client_disconnect(c);
    if (!c->asked && !c->call)
        client_free(c);
}

/* The name by which the daemon knows the configuration. */
static const char *config_name(const struct control_client *c)
{
    if (*c->config)
        return c->config;
    return c->vm->configs && !c->vm->configs->next ? c->vm->configs->name : SPEC_MAIN;
}

/* --- commands that the VM carries out ----------------------------------------------------------- */

static void answered(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                     size_t len)
{
    struct control_client *c = ctx;

    (void)vmm;
    c->asked = false;
    if (status == CONTROL_OK)
        control_reply(&c->control, text, len);
    else if (status == CONTROL_TOO_LONG)
        control_refuse(&c->control, TOO_BIG, "Data too large");
    else if (status == CONTROL_BAD_REQUEST) /* a VM of an earlier version */
        control_refuse(&c->control, UNIMPLEMENTED,
                       "Command unimplemented: start the VM anew");
    else
        control_refuse(&c->control, UNSPECIFIED, vmm_status_text(status));
    if (c->fd < 0)
        client_leave(c);
    else
        serve(c);
}

static void forward(void *ctx, const char *command, size_t len)
{
    struct control_client *c = ctx;
    struct vmm_request r = {.verb = CONTROL_COMMAND, .text = command, .len = len};
    struct diag d = DIAG_INIT;

    r.name = *c->config                               ? c->config
             : c->vm->configs && c->vm->configs->next ? SPEC_MAIN
                                                      : NULL;
    if (c->vm->vmm && vmm_request(c->vm->vmm, &r, answered, c, &d) == 0)
        c->asked = true;
    else
        control_refuse(&c->control, UNSPECIFIED,
                       c->vm->vmm ? diag_first(&d) : vmm_status_text(VMM_GONE));
    diag_fini(&d);
}

/* --- hotconfig ------------------------------------------------------------------------------------ */

/* What the API says about an installation, as messages of a handler. */
static void take_details(const struct call *call, struct diag *d)
{
    json_t *o = json_loadb(call->answer.data ? call->answer.data : "", call->answer.len,
                           0, NULL);
    json_t *details = json_object_get(o, "details"), *detail;
    bool failed = call->status != HTTP_OK;
    size_t i;

    json_array_foreach(details, i, detail)
    {
        const char *file = json_string_value(json_object_get(detail, "file"));
        const char *text = json_string_value(json_object_get(detail, "message"));
        const char *level = json_string_value(json_object_get(detail, "level"));
        struct place at = {file, 0, 0};

        at.line = (uint32_t)json_integer_value(json_object_get(detail, "line"));
        if (failed && (!level || strcmp(level, "error") == 0))
            diag_err_at(d, at, "%s", text ? text : "");
        else
            diag_warn_at(d, at, "%s", text ? text : "");
    }
    if (failed && !d->n_errors) {
        const char *error = json_string_value(json_object_get(o, "error"));

        diag_err(d, "%s", error ? error : "the configuration was refused");
    }
    json_decref(o);
}

static void installation_done(void *ctx)
{
    struct control_client *c = ctx;
    struct diag d = DIAG_INIT;

    take_details(c->call, &d);
    call_fini(c->call);
    free(c->call);
    c->call = NULL;
    control_written(&c->control, 0, &d);
    diag_fini(&d);
    if (c->fd < 0)
        client_leave(c);
    else
        serve(c);
}

/* Whoever answers a call still looks at it: go on from the loop. */
static void call_answered(struct call *call)
{
    struct control_client *c = call->transport;

    loop_timer_set(c->vm->s->loop, &c->done, 0);
}

/* The new text takes the old one's name, file and definitions over. */
static int write_handler(void *ctx, const char *name, const char *value, size_t len,
                         struct diag *d)
{
    struct control_client *c = ctx;
    const struct vm_config *old = vm_config(c->vm, config_name(c));
    struct spec_config spec;

    (void)name;
    if (!old)
        return diag_err(d, "no configuration is installed");
    if (spec_config_make(&spec, value, len, old->spec.file,
                         json_object_get(old->spec.json, "defines"), d) < 0)
        return -1;
    c->call = calloc(1, sizeof *c->call);
    if (!c->call) {
        spec_config_fini(&spec);
        return diag_err(d, "out of memory");
    }
    c->call->wake = call_answered;
    c->call->transport = c;
    vm_install(c->vm, c->call, config_name(c), &spec);
    return CONTROL_LATER;
}

static int check_handler(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "hotconfig") == 0 ? CONTROL_CAN_WRITE : CONTROL_ELSEWHERE;
}

static int read_handler(void *ctx, const char *name, const char *param,
                        struct sbuf *out, struct diag *d)
{
    (void)ctx, (void)name, (void)param, (void)out;
    return diag_err(d, "not readable");
}

static const struct control_ops ops = {.check = check_handler,
                                       .read = read_handler,
                                       .write = write_handler,
                                       .forward = forward};

/* --- bytes ---------------------------------------------------------------------------------------- */

static void watch_for(struct control_client *c, uint32_t events)
{
    struct loop *l = c->vm->s->loop;

    if (!events)
        loop_remove(l, &c->watch);
    else if (!c->watch.live)
        loop_add(l, &c->watch, c->fd, events);
    else if (events != c->events)
        loop_change(l, &c->watch, events);
    c->events = events;
}

/* Send what the client takes. False: it is gone. */
static bool send_waiting(struct control_client *c)
{
    const char *text;
    size_t len;
    ssize_t n;

    while ((text = control_output(&c->control, &len)), len > 0) {
        n = send(c->fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        control_sent(&c->control, (size_t)n);
    }
    return true;
}

/* Go on with what was read, and say when to be called again. While the VM works, the
 * client is not even watched for its end: it would wake us for ever. */
static void serve(struct control_client *c)
{
    unsigned steps = 0;
    size_t waiting;
    bool more;

    while (steps < MAX_STEPS && control_step(&c->control))
        steps++;
    more = steps == MAX_STEPS;
    if (!send_waiting(c) || control_finished(&c->control)) {
        client_leave(c);
        return;
    }
    control_output(&c->control, &waiting);
    if (waiting || more || (c->control.in_closed && !c->control.busy))
        watch_for(c, EPOLLOUT);
    else
        watch_for(c, c->control.busy ? 0 : EPOLLIN);
}

static void client_ready(void *ctx, uint32_t events)
{
    struct control_client *c = ctx;
    char bytes[READ_SIZE];
    ssize_t n;

    (void)events;
    if (c->events & EPOLLIN) {
        n = recv(c->fd, bytes, sizeof bytes, 0);
        if (n > 0)
            c->heard_ns = loop_now_ns();
        if (n > 0)
            control_feed(&c->control, bytes, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            control_close_input(&c->control);
    }
    serve(c);
}

/* --- places --------------------------------------------------------------------------------------- */

/* All there are; those whose client has gone, but not their request, among them. */
static unsigned count_clients(const struct vm *vm, bool connected)
{
    unsigned n = 0;

    for (const struct control_client *c = vm->control_clients; c; c = c->next)
        n += !connected || c->fd >= 0;
    return n;
}

static unsigned places_of(const struct vm *vm, uid_t user)
{
    unsigned n = 0;

    for (const struct control_client *c = vm->control_clients; c; c = c->next)
        n += c->fd >= 0 && c->user == user;
    return n;
}

/* Of the user who has most places, the client that was silent for longest. */
static struct control_client *least_wanted(const struct vm *vm)
{
    struct control_client *worst = NULL;
    unsigned most = 0;

    for (struct control_client *c = vm->control_clients; c; c = c->next) {
        unsigned n = c->fd >= 0 ? places_of(vm, c->user) : 0;

        if (n > most || (n && n == most && c->heard_ns < worst->heard_ns)) {
            worst = c;
            most = n;
        }
    }
    return worst;
}

/* Nobody keeps others out by holding all places: who has most of them loses one to
 * another user, and one who is silent to anybody. False: there is none to be had. */
static bool make_room(struct vm *vm, uid_t user)
{
    struct control_client *c;

    if (count_clients(vm, true) < MAX_CLIENTS)
        return true;
    c = least_wanted(vm);
    if (count_clients(vm, false) >= 2 * MAX_CLIENTS ||
        (c->user == user && loop_now_ns() - c->heard_ns < IDLE_NS))
        return false;
    client_leave(c);
    return true;
}

static uid_t user_of(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;

    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    return peer.uid;
}

static void client_add(struct control_listener *l, int fd)
{
    uid_t user = user_of(fd);
    struct control_client *c = make_room(l->vm, user) ? calloc(1, sizeof *c) : NULL;

    if (!c) {
        close(fd);
        return;
    }
    c->vm = l->vm;
    memcpy(c->config, l->config, sizeof c->config);
    c->fd = fd;
    c->user = user;
    c->heard_ns = loop_now_ns();
    c->watch = (struct loop_watch){.ready = client_ready, .ctx = c};
    c->done = (struct loop_timer){.expired = installation_done, .ctx = c};
    control_init(&c->control, &ops, c, false);
    c->control.max_input = CONTROL_TEXT;
    c->control.max_output = MAX_WAITING;
    c->next = l->vm->control_clients;
    l->vm->control_clients = c;
    serve(c);
}

/* --- sockets -------------------------------------------------------------------------------------- */

static void pause_over(void *ctx)
{
    struct control_listener *l = ctx;

    loop_change(l->vm->s->loop, &l->watch, EPOLLIN);
}

static void listener_ready(void *ctx, uint32_t events)
{
    struct control_listener *l = ctx;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd >= 0) {
        client_add(l, fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        loop_change(l->vm->s->loop, &l->watch, 0);
        loop_timer_set(l->vm->s->loop, &l->pause, ACCEPT_PAUSE_MS);
    }
}

static void listener_free(struct control_listener *l)
{
    struct control_listener **at = &l->vm->control_listeners;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    loop_remove(l->vm->s->loop, &l->watch);
    loop_timer_cancel(l->vm->s->loop, &l->pause);
    close(l->fd);
    unlink(l->path);
    free(l->path);
    free(l);
}

static void listener_add(struct vm *vm, const char *config)
{
    struct control_listener *l = calloc(1, sizeof *l);
    struct sbuf path = SBUF_INIT;
    struct diag d = DIAG_INIT;

    sbuf_printf(&path, "%s/%s%s%s%s", vm->s->control_dir, vm->name, *config ? "@" : "",
                config, suffix);
    if (!l || !(l->path = sbuf_take(&path)))
        goto fail;
    l->fd = server_listen(l->path, vm->s->control_group, &d);
    if (l->fd < 0)
        goto fail;
    l->vm = vm;
    snprintf(l->config, sizeof l->config, "%s", config);
    l->watch = (struct loop_watch){.ready = listener_ready, .ctx = l};
    l->pause = (struct loop_timer){.expired = pause_over, .ctx = l};
    l->wanted = true;
    l->next = vm->control_listeners;
    vm->control_listeners = l;
    if (loop_add(vm->s->loop, &l->watch, l->fd, EPOLLIN) == 0)
        return;
    listener_free(l);
    l = NULL;
    diag_err(&d, "too many descriptors are open");
fail:
    daemon_log(vm->s, "VM %s has no control socket: %s", vm->name,
               d.n_errors ? diag_first(&d) : "out of memory");
    if (l)
        free(l->path);
    free(l);
    sbuf_fini(&path);
    diag_fini(&d);
}

static void want(struct vm *vm, const char *config)
{
    for (struct control_listener *l = vm->control_listeners; l; l = l->next)
        if (strcmp(l->config, config) == 0) {
            l->wanted = true;
            return;
        }
    listener_add(vm, config);
}

void vm_control_update(struct vm *vm)
{
    bool runs = vm->state == VM_RUNNING && vm->s->control_dir;

    for (struct control_listener *l = vm->control_listeners; l; l = l->next)
        l->wanted = false;
    if (runs)
        want(vm, "");
    for (const struct vm_config *c = vm->configs; runs && c; c = c->next)
        if (strcmp(c->name, SPEC_MAIN) != 0)
            want(vm, c->name);
    for (struct control_listener *l = vm->control_listeners, *next; l; l = next) {
        next = l->next;
        if (l->wanted)
            continue;
        for (struct control_client *c = vm->control_clients, *after; c; c = after) {
            after = c->next;
            if (strcmp(c->config, l->config) == 0)
                client_leave(c);
        }
        listener_free(l);
    }
}

void vm_control_free(struct vm *vm)
{
    while (vm->control_clients)
        client_free(vm->control_clients);
    while (vm->control_listeners)
        listener_free(vm->control_listeners);
}

/* --- the folder ----------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    size_t len = strlen(name), n = sizeof suffix - 1;

    return len > n && strcmp(name + len - n, suffix) == 0;
}

/* A daemon that ended left it. Another one may share the folder. */
static bool is_stale(const char *dir, const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, n = snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", dir, name);
    bool refused;

    if (n < 0 || (size_t)n >= sizeof a.sun_path)
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    refused = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) < 0 &&
              errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

static void remove_stale(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    struct stat st;

    while (d && (e = readdir(d)))
        if (is_ours(e->d_name) &&
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISSOCK(st.st_mode) && is_stale(dir, e->d_name))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

void control_open(struct daemon_state *s, const char *dir, const char *group)
{
    if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
        daemon_log(s, "VMs have no control sockets: cannot make %s: %s", dir,
                   strerror(errno));
        return;
    }
    remove_stale(dir);
    s->control_group = group;
    s->control_dir = strdup(dir);
}

void control_close(struct daemon_state *s)
{
    free(s->control_dir);
    s->control_dir = NULL;
}
