// SPDX-License-Identifier: BSD-3-Clause
/* vm_state.c -- VMs as JSON, for the API and for the state folder: see vm.h */

#include "ctl/vm.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {
    [VM_STARTING] = "starting", [VM_ADOPTING] = "adopting", [VM_RUNNING] = "running",
    [VM_CRASHED] = "crashed",   [VM_ENDING] = "ending",     [VM_PARKED] = "parked"};

const char *vm_state_name(enum vm_state state)
{
    return state_names[state];
}

const char *vm_states(void)
{
    return "starting, adopting, running, crashed, ending or parked";
}

bool vm_state_is_known(const char *name)
{
    for (size_t i = 0; i < sizeof state_names / sizeof state_names[0]; i++)
        if (!strcmp(state_names[i], name))
            return true;
    return false;
}

/* ---- as the API shows it --------------------------------------------------------- */

static json_t *describe_ifs(const struct vm *vm)
{
    json_t *list = json_array();
    char mac[MAC_TEXT];

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        const struct vm_if *f = &vm->ifs[i];

        json_array_append_new(list,
                              json_pack("{s:o, s:o?, s:s}", "port",
                                        json_sprintf("%s.%u", vm->name, i), "network",
                                        *f->network ? json_string(f->network) : NULL,
                                        "mac", mac_format(f->mac, mac)));
    }
    return list;
}

static void add_step(json_t *o, const char *name, uint64_t from, uint64_t to)
{
    if (from && to >= from)
        json_object_set_new(o, name, json_integer((json_int_t)((to - from) / 1000)));
}

static json_t *describe_times(const struct vm *vm)
{
    const struct vmm_timing *b = &vm->times.boot;
    json_t *o = json_object();

    add_step(o, "asked_to_spawn_us", vm->times.asked, b->spawn);
    add_step(o, "fork_us", b->spawn, b->forked);
    add_step(o, "create_us", b->forked, b->created);
    add_step(o, "jail_us", b->created, b->jailed);
    add_step(o, "enter_us", b->jailed, b->entered);
    add_step(o, "boot_us", b->entered, b->ready);
    add_step(o, "install_us", b->ready, vm->times.installed);
    add_step(o, "total_us", vm->times.asked,
             vm->times.installed ? vm->times.installed : b->reported);
    /* The daemon's own work while the others do theirs. */
    add_step(o, "attach_us", b->spawn, vm->times.attached);
    return o;
}

static json_t *describe_configs(const struct vm *vm)
{
    json_t *list = json_array();

    for (const struct vm_config *c = vm->configs; c; c = c->next)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", c->name, "file", c->spec.file));
    return list;
}

json_t *vm_describe(const struct vm *vm, bool full)
{
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "name", vm->name, "state",
        vm_state_name(vm->state), "isolation",
        spec_isolation_name(vm->isolation ? vm->isolation : vm->wanted), "pid",
        (json_int_t)(vm->vmm ? vmm_pid(vm->vmm) : 0), "created_us",
        (json_int_t)vm->created_us, "interfaces", describe_ifs(vm), "configs",
        describe_configs(vm));

    if (vm->trouble)
        json_object_set_new(o, "trouble", json_string(vm->trouble));
    if (full && vm->times.boot.ready)
        json_object_set_new(o, "timing", describe_times(vm));
    return o;
}

/* Nearly all text is plain; the library knows what to do with the rest. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text == '"' || *text == '\\' || *text == 0x7f)
            return false;
    return true;
}

static int add_piece(const char *bytes, size_t len, void *out)
{
    sbuf_add(out, bytes, len);
    return 0;
}

/* `before`, and the text in quotes. */
static void put_text(struct sbuf *out, const char *before, const char *text)
{
    json_t *o;

    sbuf_puts(out, before);
    if (is_plain(text)) {
        sbuf_putc(out, '"');
        sbuf_puts(out, text);
        sbuf_putc(out, '"');
        return;
    }
    o = json_string(text);
    if (!o || json_dump_callback(o, add_piece, out, JSON_ENCODE_ANY) < 0)
        sbuf_puts(out, "null");
    json_decref(o);
}

static void write_if(const struct vm *vm, unsigned i, struct sbuf *out)
{
    const struct vm_if *f = &vm->ifs[i];
    char mac[MAC_TEXT], port[BACKPLANE_NAME];

    snprintf(port, sizeof port, "%s.%u", vm->name, i);
    put_text(out, i ? ", {\"port\": " : "{\"port\": ", port);
    if (*f->network)
        put_text(out, ", \"network\": ", f->network);
    put_text(out, ", \"mac\": ", mac_format(f->mac, mac));
    sbuf_putc(out, '}');
}

void vm_write_line(const struct vm *vm, struct sbuf *out)
{
    put_text(out, "{\"name\": ", vm->name);
    put_text(out, ", \"state\": ", vm_state_name(vm->state));
    put_text(out, ", \"isolation\": ",
             spec_isolation_name(vm->isolation ? vm->isolation : vm->wanted));
    sbuf_printf(out, ", \"pid\": %d, \"created_us\": %llu, \"interfaces\": [",
                vm->vmm ? (int)vmm_pid(vm->vmm) : 0,
                (unsigned long long)vm->created_us);
    for (unsigned i = 0; i < vm->n_ifs; i++)
        write_if(vm, i, out);
    sbuf_puts(out, "], \"configs\": [");
    for (const struct vm_config *c = vm->configs; c; c = c->next) {
        put_text(out, c == vm->configs ? "{\"name\": " : ", {\"name\": ", c->name);
        put_text(out, ", \"file\": ", c->spec.file);
        sbuf_putc(out, '}');
    }
    sbuf_putc(out, ']');
    if (vm->trouble)
        put_text(out, ", \"trouble\": ", vm->trouble);
    sbuf_putc(out, '}');
}

/* ---- as the state folder keeps it ------------------------------------------------ */

static json_t *record_ips(const struct vm_if *f)
{
    json_t *list = json_array();
    char text[INET_ADDRSTRLEN];

    for (unsigned i = 0; i < f->n_ip4; i++)
        json_array_append_new(
            list, json_string(inet_ntop(AF_INET, &f->ip4[i], text, sizeof text)));
    return list;
}

static json_t *record_ifs(const struct vm *vm)
{
    json_t *list = json_array();
    char mac[MAC_TEXT];

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        json_t *o = json_pack("{s:s}", "mac", mac_format(vm->ifs[i].mac, mac));

        if (*vm->ifs[i].network)
            json_object_set_new(o, "network", json_string(vm->ifs[i].network));
        if (vm->ifs[i].settings)
            json_object_update(o, vm->ifs[i].settings);
        if (vm->ifs[i].own_only)
            json_object_set_new(o, "wake", json_string("own"));
        if (vm->ifs[i].n_ip4)
            json_object_set_new(o, "ip", record_ips(&vm->ifs[i]));
        json_array_append_new(list, o);
    }
    return list;
}

/* The timer of a parked VM, as a time that another daemon understands. */
static json_int_t due_wall_us(const struct vm *vm)
{
    return (json_int_t)daemon_wall_us() +
           ((json_int_t)vm->due_ns - (json_int_t)loop_now_ns()) / 1000;
}

json_t *vm_record(const struct vm *vm, const char *state)
{
    json_t *configs = json_object(), *spec, *o;

    for (const struct vm_config *c = vm->configs; c; c = c->next)
        json_object_set(configs, c->name, c->spec.json);
    spec = json_pack("{s:s, s:s, s:o}", "name", vm->name, "isolation",
                     spec_isolation_name(vm->wanted), "interfaces", record_ifs(vm));
    if (vm->memory)
        json_object_set_new(spec, "memory", json_integer((json_int_t)vm->memory));
    if (vm->buffers)
        json_object_set_new(spec, "buffers", json_integer((json_int_t)vm->buffers));
    if (vm->mtu)
        json_object_set_new(spec, "mtu", json_integer((json_int_t)vm->mtu));
    if (vm->park_after != SPEC_PARK_DEFAULT)
        json_object_set_new(spec, "park_after",
                            json_integer((json_int_t)vm->park_after));
    if (vm->limits.cpu)
        json_object_set_new(spec, "cpu", json_integer((json_int_t)vm->limits.cpu));
    if (vm->limits.memory)
        json_object_set_new(spec, "memory_max",
                            json_integer((json_int_t)vm->limits.memory));
    if (vm->restart)
        json_object_set_new(spec, "restart",
                            json_string(spec_restart_name(vm->restart)));
    o = json_pack("{s:i, s:s, s:I, s:I, s:I, s:o, s:o}", "version", 1, "state", state,
                  "created_us", (json_int_t)vm->created_us, "pid",
                  (json_int_t)(vm->vmm ? vmm_pid(vm->vmm) : 0), "uid",
                  (json_int_t)vm->uid, "spec", spec, "configs", configs);
    if (vm->trouble)
        json_object_set_new(o, "trouble", json_string(vm->trouble));
    if (!strcmp(state, "parked") && vm->due_ns != UINT64_MAX)
        json_object_set_new(o, "due_us", json_integer(due_wall_us(vm)));
    return o;
}
