// SPDX-License-Identifier: BSD-3-Clause
/* spec.c -- VMs, configurations and networks as JSON and as structs: see spec.h */

#include "ctl/spec.h"

#include "base/confhead.h"
#include "base/sbuf.h"
#include "ctl/json_get.h"
#include "ctl/names.h"
#include "ctl/portset.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- configurations -------------------------------------------------------------- */

static bool define_name_ok(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!strchr("_0123456789", *c) && !((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'))
            return false;
    return *name != '\0';
}

static int check_defines(const json_t *defines, struct diag *d)
{
    const char *name;
    json_t *value;

    if (!defines || json_is_null(defines))
        return 0;
    if (!json_is_object(defines))
        return diag_err(d, "'defines' must be an object of strings");
    json_object_foreach((json_t *)(uintptr_t)defines, name, value)
    {
        if (!define_name_ok(name))
            return diag_err(d, "'%.60s' is no name of a variable", name);
        if (!json_is_string(value))
            return diag_err(d, "the value of '%s' must be a string", name);
        if (!confhead_fits(json_string_value(value)) ||
            strlen(json_string_value(value)) != json_string_length(value))
            return diag_err(d, "the value of '%s' must be one line", name);
    }
    return 0;
}

int spec_config_read(struct spec_config *c, json_t *o, struct diag *d)
{
    static const char *const known[] = {"text", "file", "defines"};
    const json_t *text = json_object_get(o, "text");
    const char *file = "config";

    if (!json_is_object(o))
        return diag_err(d, "'config' must be an object");
    if (json_get_only(o, known, COUNT(known), d) < 0 ||
        json_get_string(o, "file", &file, d) < 0 ||
        check_defines(json_object_get(o, "defines"), d) < 0)
        return -1;
    if (!json_is_string(text))
        return diag_err(d, "a configuration needs its 'text', a string");
    if (!confhead_fits(file) || strlen(file) > 255)
        return diag_err(d, "'file' must be one line of at most 255 bytes");
    *c = (struct spec_config){.json = json_incref(o),
                              .text = json_string_value(text),
                              .len = json_string_length(text),
                              .file = file};
    return 0;
}

int spec_config_make(struct spec_config *c, const char *text, size_t len,
                     const char *file, json_t *defines, struct diag *d)
{
    json_t *o = json_object(), *t = json_stringn(text, len);
    int rc = -1;

    if (!t)
        diag_err(d, "the configuration is not valid UTF-8");
    else if (json_object_set_new(o, "text", t) < 0 ||
             (file && json_object_set_new(o, "file", json_string(file)) < 0) ||
             (defines && json_object_set(o, "defines", defines) < 0))
        diag_err(d, "the file's name is not valid UTF-8");
    else
        rc = spec_config_read(c, o, d);
    json_decref(o);
    return rc;
}

void spec_config_fini(struct spec_config *c)
{
    json_decref(c->json);
    *c = (struct spec_config){0};
}

char *spec_config_wire(const struct spec_config *c, size_t *len, struct diag *d)
{
    json_t *defines = json_object_get(c->json, "defines");
    struct sbuf s = SBUF_INIT;
    const char *name;
    json_t *value;

    confhead_start(&s, c->file);
    json_object_foreach(defines, name, value)
        confhead_define(&s, name, json_string_value(value));
    confhead_end(&s);
    sbuf_add(&s, c->text, c->len);
    *len = s.len;
    if (s.len > CONTROL_TEXT)
        diag_err(d, "the configuration is longer than %u MiB", CONTROL_TEXT >> 20);
    else if (!s.failed)
        return sbuf_take(&s);
    else
        diag_err(d, "out of memory");
    sbuf_fini(&s);
    return NULL;
}

/* ---- VMs ------------------------------------------------------------------------- */

static const char *const isolation_names[] = {
    [VMM_AUTO] = "auto", [VMM_KVM] = "kvm", [VMM_PROCESS] = "process"};

const char *spec_isolation_name(enum vmm_isolation isolation)
{
    return isolation_names[isolation];
}

static int read_isolation(const json_t *o, enum vmm_isolation *isolation,
                          struct diag *d)
{
    const char *name = "auto";

    if (json_get_string(o, "isolation", &name, d) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(isolation_names); i++)
        if (!strcmp(name, isolation_names[i])) {
            *isolation = (enum vmm_isolation)i;
            return 0;
        }
    return diag_err(d, "'%.40s' is no isolation: use auto, kvm or process", name);
}

static int read_ips(struct spec_if *i, const json_t *list, struct diag *d)
{
    const json_t *ip;
    size_t n;

    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > PARK_MAX_IPS)
        return diag_err(d, "'ip' must be a list of at most %u addresses", PARK_MAX_IPS);
    json_array_foreach(list, n, ip)
    {
        const char *text = json_string_value(ip);

        if (!text || inet_pton(AF_INET, text, &i->ip4[i->n_ip4++]) != 1)
            return diag_err(d, "'%.40s' is no IPv4 address", text ? text : "");
    }
    return 0;
}

static const char *const restart_names[] = {[RESTART_NO] = "no",
                                            [RESTART_ON_FAILURE] = "on-failure",
                                            [RESTART_ALWAYS] = "always"};

const char *spec_restart_name(enum restart_policy policy)
{
    return restart_names[policy];
}

static int read_restart(const json_t *o, enum restart_policy *policy, struct diag *d)
{
    const char *name = "no";

    if (json_get_string(o, "restart", &name, d) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(restart_names); i++)
        if (!strcmp(name, restart_names[i])) {
            *policy = (enum restart_policy)i;
            return 0;
        }
    return diag_err(d, "'%.40s' is no restart policy: use no, on-failure or always",
                    name);
}

/* What an interface alone has, and the settings of every port. */
static int check_members(const json_t *o, struct diag *d)
{
    enum { ROOM = 32 };
    const char *known[ROOM] = {"network", "mac", "wake", "ip"};
    size_t n = 4;

    for (const struct portset_key *k = portset_keys; k->name && n < ROOM; k++)
        known[n++] = k->name;
    return json_get_only(o, known, n, d);
}

static int read_interface(struct spec_vm *v, const json_t *o, struct diag *d)
{
    struct spec_if *i = &v->ifs[v->n_ifs];
    const char *mac = NULL, *wakes = NULL;
    struct portset set;

    if (!json_is_object(o))
        return diag_err(d, "'interfaces' must be a list of objects");
    if (check_members(o, d) < 0 || json_get_string(o, "network", &i->network, d) < 0 ||
        json_get_string(o, "mac", &mac, d) < 0 ||
        json_get_string(o, "wake", &wakes, d) < 0 ||
        read_ips(i, json_object_get(o, "ip"), d) < 0)
        return -1;
    if (wakes && strcmp(wakes, "any") && strcmp(wakes, "own"))
        return diag_err(d, "'%.40s' is nothing to wake for: use any or own", wakes);
    i->own_only = wakes ? !strcmp(wakes, "own") : i->n_ip4 > 0;
    if (i->network && name_check("network", i->network, false, d) < 0)
        return -1;
    mac_from_name(v->name, v->n_ifs, i->mac);
    if (mac && !mac_parse(mac, i->mac))
        return diag_err(d, "'%.40s' is no MAC address of one host, as %s", mac,
                        "02:00:00:00:00:01");
    i->json = o;
    v->n_ifs++;
    return portset_read(&set, o, i->mac, d);
}

static int read_interfaces(struct spec_vm *v, const json_t *o, struct diag *d)
{
    const json_t *list = json_object_get(o, "interfaces");

    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return diag_err(d, "'interfaces' must be a list");
    if (json_array_size(list) > NETMEM_MAX_IFS)
        return diag_err(d, "a VM has at most %u interfaces", NETMEM_MAX_IFS);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_interface(v, json_array_get(list, i), d) < 0)
            return -1;
    return 0;
}

static int read_vm_members(struct spec_vm *v, json_t *o, struct diag *d)
{
    static const char *const known[] = {"name",
                                        "interfaces",
                                        "isolation",
                                        "memory",
                                        "buffers",
                                        "mtu",
                                        "create_networks",
                                        "config",
                                        "restart",
                                        "park_after",
                                        "lazy",
                                        "cpu",
                                        "memory_max"};

    v->name = "";
    v->park_after = SPEC_PARK_DEFAULT;
    if (json_get_only(o, known, COUNT(known), d) < 0 ||
        json_get_string(o, "name", &v->name, d) < 0 ||
        name_check("VM", v->name, true, d) < 0 ||
        read_isolation(o, &v->isolation, d) < 0 ||
        json_get_u64(o, "memory", VMM_HEAP_MIN, VMM_HEAP_MAX, &v->memory, d) < 0 ||
        json_get_u64(o, "buffers", 16, NETMEM_MAX_BUFFERS, &v->buffers, d) < 0 ||
        json_get_u64(o, "mtu", 68, 1900, &v->mtu, d) < 0 ||
        json_get_bool(o, "create_networks", &v->create_networks, d) < 0 ||
        json_get_bool(o, "lazy", &v->lazy, d) < 0 ||
        json_get_u64(o, "park_after", 0, 1 << 30, &v->park_after, d) < 0 ||
        read_restart(o, &v->restart, d) < 0 ||
        json_get_u64(o, "cpu", 1, 100 * 1024, &v->limits.cpu, d) < 0 ||
        json_get_u64(o, "memory_max", 4 << 20, UINT64_C(1) << 40, &v->limits.memory,
                     d) < 0 ||
        read_interfaces(v, o, d) < 0)
        return -1;
    v->config = json_object_get(o, "config");
    if (json_is_null(v->config))
        v->config = NULL;
    return 0;
}

int spec_vm_take(struct spec_vm *v, json_t *json, struct diag *d)
{
    struct spec_vm new = {.json = json};

    if (!json)
        return -1;
    if (read_vm_members(&new, new.json, d) < 0) {
        json_decref(new.json);
        return -1;
    }
    *v = new;
    return 0;
}

int spec_vm_read(struct spec_vm *v, const char *text, size_t len, struct diag *d)
{
    return spec_vm_take(v, json_get_object(text, len, d), d);
}

void spec_vm_fini(struct spec_vm *v)
{
    json_decref(v->json);
    *v = (struct spec_vm){0};
}

/* ---- networks -------------------------------------------------------------------- */

static int read_mode(const json_t *o, enum network_mode *mode, struct diag *d)
{
    const char *name = "learn";

    if (json_get_string(o, "mode", &name, d) < 0)
        return -1;
    if (strcmp(name, "learn") && strcmp(name, "wire"))
        return diag_err(d, "'%.40s' is no mode of a network: use learn or wire", name);
    *mode = !strcmp(name, "wire") ? NETWORK_WIRE : NETWORK_LEARN;
    return 0;
}

static int read_u32(const json_t *o, const char *key, uint32_t max, uint32_t *out,
                    struct diag *d)
{
    uint64_t n = *out;
    int rc = json_get_count(o, key, max, &n, d);

    *out = (uint32_t)n;
    return rc;
}

static int read_net_members(struct network_config *c, const json_t *o, struct diag *d)
{
    static const char *const known[] = {
        "name",  "mode",      "backpressure",  "max_addresses", "port_limit",
        "age_s", "storm_pps", "broadcast_pps", "multicast_pps", "unknown_pps"};
    uint32_t *storm = c->storm_pps;

    c->name = "";
    if (json_get_only(o, known, COUNT(known), d) < 0 ||
        json_get_string(o, "name", &c->name, d) < 0 ||
        name_check("network", c->name, false, d) < 0 || read_mode(o, &c->mode, d) < 0 ||
        json_get_bool(o, "backpressure", &c->backpressure, d) < 0 ||
        read_u32(o, "max_addresses", 1u << 24, &c->max_addresses, d) < 0 ||
        read_u32(o, "port_limit", 1u << 24, &c->port_limit, d) < 0 ||
        read_u32(o, "age_s", UINT32_MAX, &c->age_s, d) < 0 ||
        read_u32(o, "storm_pps", UINT32_MAX, &storm[STORM_ALL], d) < 0 ||
        read_u32(o, "broadcast_pps", UINT32_MAX, &storm[STORM_BROADCAST], d) < 0 ||
        read_u32(o, "multicast_pps", UINT32_MAX, &storm[STORM_MULTICAST], d) < 0 ||
        read_u32(o, "unknown_pps", UINT32_MAX, &storm[STORM_UNKNOWN], d) < 0)
        return -1;
    return 0;
}

int spec_net_read(struct spec_net *n, const char *text, size_t len, struct diag *d)
{
    struct spec_net new = {.json = json_get_object(text, len, d)};

    if (!new.json)
        return -1;
    if (read_net_members(&new.config, new.json, d) < 0) {
        json_decref(new.json);
        return -1;
    }
    *n = new;
    return 0;
}

void spec_net_fini(struct spec_net *n)
{
    json_decref(n->json);
    *n = (struct spec_net){0};
}
