// SPDX-License-Identifier: BSD-3-Clause
/* cli_vm.c -- clickos run, ps, rm, wait */

#include "ctl/cli.h"

#include "ctl/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- run ------------------------------------------------------------------------- */

static const struct cli_option run_options[] = {
    {"net", 0, "NETWORK,...", "join interface 0, 1, ... to these; '-' to none"},
    {"if", 0, "NETWORK[,KEY=VALUE ...]", "one more interface: see below"},
    {"create-net", 0, NULL, "create networks that do not exist"},
    {"isolation", 0, "KIND", "kvm, process or auto (the default)"},
    {"memory", 0, "SIZE", "for the configuration and its state, as 64M"},
    {"buffers", 0, "N", "packet buffers of 2 KiB"},
    {"mtu", 0, "BYTES", "of the interfaces"},
    {"cpu", 0, "PERCENT", "of one processor it may use"},
    {"memory-max", 0, "SIZE", "of the machine's memory it may use in all"},
    {"lazy", 0, NULL, "start it when its first packet comes"},
    {"park-after", 0, "SECONDS",
     "put it aside after so long without packets; 0: never"},
    {"restart", 0, "POLICY", "when it has ended: no (default), on-failure, always"},
    {"e", 'e', "TEXT", "the configuration itself instead of a file"},
    {"timing", 0, NULL, "show how long each step took"},
    {.name = NULL},
};

static json_t *interface_json(const char *network, size_t len)
{
    json_t *o = json_object();

    if (len && !(len == 1 && *network == '-'))
        json_object_set_new(o, "network", json_stringn(network, len));
    return o;
}

static void add_nets(json_t *list, const char *nets)
{
    for (;;) {
        size_t len = strcspn(nets, ",");

        json_array_append_new(list, interface_json(nets, len));
        if (!nets[len])
            return;
        nets += len + 1;
    }
}

/* Those that may be given more than once. */
static bool is_list(const char *key)
{
    return !strcmp(key, "ip") || !strcmp(key, "allow_ip") ||
           !strcmp(key, "allow_mac") || !strcmp(key, "static_mac");
}

/* What the keys mean is the daemon's business, but for a list of them in an error. */
static int add_key(struct cli *c, json_t *o, const char *text, size_t len)
{
    const char *sep = memchr(text, '=', len);
    size_t n = sep ? (size_t)(sep - text) : 0;
    char key[32];
    json_t *value;

    if (!sep || n == 0 || n >= sizeof key)
        return cli_fail(c, EXIT_USAGE,
                        "'%.*s': KEY=VALUE follows the network: mac=, ip=, wake= and "
                        "those of clickos port set -h",
                        (int)len, text);
    memcpy(key, text, n);
    key[n] = '\0';
    value = json_stringn(sep + 1, len - n - 1);
    if (!is_list(key))
        return json_object_set_new(o, key, value) < 0
                   ? cli_fail(c, EXIT_USAGE, "'%.*s' is not valid UTF-8", (int)len,
                              text)
                   : 0;
    if (!json_object_get(o, key))
        json_object_set_new(o, key, json_array());
    json_array_append_new(json_object_get(o, key), value);
    return 0;
}

/* "left,mac=02:00:00:00:00:01,ip=10.0.0.1" */
static int add_if(struct cli *c, json_t *list, const char *text)
{
    size_t len = strcspn(text, ",");
    json_t *o = interface_json(text, len);
    const char *more = text[len] ? text + len + 1 : "";

    json_array_append_new(list, o);
    while (*more) {
        size_t n = strcspn(more, ",");
        int status = add_key(c, o, more, n);

        if (status)
            return status;
        more += n + (more[n] == ',');
    }
    return 0;
}

static int read_ifs(struct cli *c, const struct cli_args *a, json_t *list)
{
    for (unsigned i = 0; i < a->n_options; i++) {
        const struct cli_given *g = &a->options[i];
        int status = 0;

        if (!strcmp(g->option->name, "net"))
            add_nets(list, g->value);
        else if (!strcmp(g->option->name, "if"))
            status = add_if(c, list, g->value);
        if (status)
            return status;
    }
    return 0;
}

/* "/etc/fw.click" -> "fw" */
static char *name_of_file(const char *file)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    size_t len = strlen(base);

    if (len > 6 && !strcmp(base + len - 6, ".click"))
        len -= 6;
    return strndup(base, len);
}

static void set_text(json_t *o, const char *key, const char *value)
{
    if (value)
        json_object_set_new(o, key, json_string(value));
}

static int make_spec(struct cli *c, const struct cli_args *a, const char *name,
                     struct source *s, json_t **spec)
{
    json_t *ifs = json_array(), *config;
    int status = read_ifs(c, a, ifs);

    *spec = NULL;
    if (status || !(config = source_json(c, s))) {
        json_decref(ifs);
        return status ? status : EXIT_FAILED;
    }
    *spec = json_pack("{s:s, s:o, s:o}", "name", name, "interfaces", ifs, "config",
                      config);
    if (!*spec)
        return cli_fail(c, EXIT_USAGE, "the name is not valid UTF-8");
    set_text(*spec, "isolation", cli_value(a, "isolation"));
    set_text(*spec, "memory", cli_value(a, "memory"));
    set_text(*spec, "buffers", cli_value(a, "buffers"));
    set_text(*spec, "mtu", cli_value(a, "mtu"));
    set_text(*spec, "cpu", cli_value(a, "cpu"));
    set_text(*spec, "memory_max", cli_value(a, "memory-max"));
    set_text(*spec, "park_after", cli_value(a, "park-after"));
    set_text(*spec, "restart", cli_value(a, "restart"));
    if (cli_flag(a, "lazy"))
        json_object_set_new(*spec, "lazy", json_true());
    if (cli_flag(a, "create-net"))
        json_object_set_new(*spec, "create_networks", json_true());
    return 0;
}

/* The steps add up to their total; what is behind it went on beside them. */
static void print_timing(FILE *out, const json_t *vm)
{
    const char *key, *beside = "";
    json_t *value;
    json_t *timing = json_object_get(vm, "timing");

    json_object_foreach(timing, key, value)
    {
        size_t len = strlen(key);

        fprintf(out, "  %-16.*s %8" JSON_INTEGER_FORMAT " us%s\n",
                (int)(len > 3 ? len - 3 : len), key, json_integer_value(value), beside);
        if (!strcmp(key, "total_us"))
            beside = "  (meanwhile)";
    }
}

static int started(struct cli *c, const struct cli_args *a, const struct http_reply *r,
                   const struct source *s)
{
    json_t *vm = json_loadb(sbuf_text(&r->body), r->body.len, 0, NULL);

    if (!vm)
        return cli_fail(c, EXIT_FAILED, "clickosd answered with no JSON");
    caret_print(c->err, json_object_get(vm, "details"), s);
    if (c->json)
        return cli_print_json(c, vm);
    if (!strcmp(json_str(vm, "state"), "parked")) {
        fprintf(c->out, "%s: parked until its first packet\n", json_str(vm, "name"));
        json_decref(vm);
        return EXIT_OK;
    }
    fprintf(c->out, "%s: running (%s), %.2f ms\n", json_str(vm, "name"),
            json_str(vm, "isolation"),
            (double)json_num(json_object_get(vm, "timing"), "total_us") / 1000);
    if (cli_flag(a, "timing"))
        print_timing(c->out, vm);
    json_decref(vm);
    return EXIT_OK;
}

static int send_spec(struct cli *c, const struct cli_args *a, json_t *spec,
                     const struct source *s)
{
    char *text = json_dumps(spec, 0);
    struct http_reply r;
    int status = http_call(c, "POST", "/v1/vms", "application/json", text,
                           text ? strlen(text) : 0, &r);

    free(text);
    if (status)
        return status;
    status = r.status < 300 ? started(c, a, &r, s) : api_fail(c, &r, s);
    http_reply_fini(&r);
    return status;
}

/* Words are [NAME] FILE [VAR=VALUE ...], or [NAME] with -e. */
static int run_vm(struct cli *c, const struct cli_args *a)
{
    const char *expression = cli_value(a, "e"), *file = NULL, *name = NULL;
    unsigned n = 0, used = 0;
    struct source s;
    json_t *spec = NULL;
    char *derived = NULL;
    int status;

    while (n < a->n_words && !is_definition(a->words[n]))
        n++;
    if (n > (expression ? 1u : 2u) || (n == 0 && !expression))
        return cli_fail(c, EXIT_USAGE,
                        "run wants [NAME] FILE [VAR=VALUE ...]: see clickos run -h");
    if (n == 2 || (expression && n == 1))
        name = a->words[used++];
    if (!expression)
        file = a->words[used++];
    status = source_read(c, &s, file, expression);
    if (status == 0)
        status = source_define(c, &s, a->words + n, a->n_words - n);
    if (status == 0 && !name)
        name = derived = expression ? strdup("vm") : name_of_file(s.file);
    if (status == 0)
        status = make_spec(c, a, name ? name : "vm", &s, &spec);
    if (status == 0)
        status = send_spec(c, a, spec, &s);
    json_decref(spec);
    free(derived);
    source_fini(&s);
    return status;
}

COMMAND(run) = {
    .name = "run",
    .usage = "[NAME] FILE [VAR=VALUE ...] [options]",
    .summary = "start a VM with a configuration",
    .more =
        "Without a NAME the file's name is taken, 'vm' with -e. Interface 0 joins the\n"
        "first network given, interface 1 the second, and so on. If anything fails,\n"
        "nothing stays.\n"
        "\n"
        "--if NETWORK[,KEY=VALUE ...] takes mac=, ip= (several), wake=own or any, and\n"
        "what 'clickos port set -h' lists: limits, allowed source addresses.",
    .example = "  clickos run fw firewall.click --net left,right PORT=80\n"
               "  clickos run web web.click --if left,pps=10k,allow_mac=own",
    .options = run_options,
    .max_words = CLI_MAX_WORDS,
    .run = run_vm,
};

/* ---- ps -------------------------------------------------------------------------- */

static void age(char *out, size_t room, json_int_t since_us)
{
    long long s = (long long)time(NULL) - (long long)(since_us / 1000000);

    if (s < 0)
        s = 0;
    if (s < 120)
        snprintf(out, room, "%llds", s);
    else if (s < 7200)
        snprintf(out, room, "%lldm", s / 60);
    else if (s < 172800)
        snprintf(out, room, "%lldh", s / 3600);
    else
        snprintf(out, room, "%lldd", s / 86400);
}

static void join(struct sbuf *out, const json_t *list, const char *key)
{
    size_t i;
    const json_t *o;

    json_array_foreach(list, i, o)
    {
        const char *text = json_str(o, key);

        sbuf_printf(out, "%s%s", i ? "," : "", *text ? text : "-");
    }
}

/* Of several, all but the main one by name. */
static void join_configs(struct sbuf *out, const json_t *list)
{
    size_t i;
    const json_t *o;

    json_array_foreach(list, i, o)
    {
        const char *name = json_str(o, "name"), *file = json_str(o, "file");

        sbuf_printf(out, "%s%s%s%s", i ? "," : "", strcmp(name, "main") ? name : "",
                    strcmp(name, "main") ? ":" : "", *file ? file : "-");
    }
}

static void ps_row(struct table *t, const json_t *vm)
{
    struct sbuf nets = SBUF_INIT, files = SBUF_INIT;
    char since[32];

    join(&nets, json_object_get(vm, "interfaces"), "network");
    join_configs(&files, json_object_get(vm, "configs"));
    age(since, sizeof since, json_num(vm, "created_us"));
    table_cell(t, "%s", json_str(vm, "name"));
    table_cell(t, "%s", json_str(vm, "state"));
    table_cell(t, "%s", json_str(vm, "isolation"));
    if (json_num(vm, "pid"))
        table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(vm, "pid"));
    else
        table_cell(t, "-");
    table_cell(t, "%s", since);
    table_cell(t, "%s", sbuf_text(&nets));
    table_cell(t, "%s", sbuf_text(&files));
    table_cell(t, "%s", json_str(vm, "trouble"));
    sbuf_fini(&nets);
    sbuf_fini(&files);
}

static int ps_print(struct cli *c, json_t *vms)
{
    struct table t;
    size_t i;
    const json_t *vm;

    if (c->json)
        return cli_print_json(c, json_pack("{s:o}", "vms", vms));
    table_init(&t, "NAME STATE ISOLATION #PID #AGE NETWORKS CONFIG TROUBLE");
    json_array_foreach(vms, i, vm) ps_row(&t, vm);
    table_print(&t, c->out);
    json_decref(vms);
    return EXIT_OK;
}

/* Only those that run have any; one may end while we ask. */
static int ps_memory(struct cli *c, json_t *vms)
{
    static const char *const keys[] = {"own",     "guest",  "heap", "packets",
                                       "monitor", "tables", "image"};
    json_t *all = json_array(), *o;
    struct table t;
    size_t i;
    const json_t *vm;

    json_array_foreach(vms, i, vm)
    {
        if (!json_num(vm, "pid") ||
            api(c, "GET", NULL, &o, "/v1/vms/%s/memory", json_str(vm, "name")))
            continue;
        json_object_set(o, "name", json_object_get(vm, "name"));
        json_array_append_new(all, o);
    }
    json_decref(vms);
    if (c->json)
        return cli_print_json(c, json_pack("{s:o}", "vms", all));
    table_init(&t, "NAME #OWN #GUEST #HEAP #PACKETS #MONITOR #TABLES #IMAGE");
    json_array_foreach(all, i, vm)
    {
        table_cell(&t, "%s", json_str(vm, "name"));
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            table_cell(&t, "%" JSON_INTEGER_FORMAT "K", json_num(vm, keys[k]));
    }
    table_print(&t, c->out);
    json_decref(all);
    return EXIT_OK;
}

/* Those of all VMs that the options ask for. */
static int get_list(struct cli *c, const struct cli_args *a, json_t **vms)
{
    const char *state = cli_value(a, "state"), *limit = cli_value(a, "limit"),
               *after = cli_value(a, "after");
    json_t *o = NULL;
    int status;

    after = after ? after : "";
    limit = limit ? limit : "4294967295";
    status = state ? api(c, "GET", NULL, &o, "/v1/vms?after=%s&limit=%s&state=%s",
                         after, limit, state)
                   : api(c, "GET", NULL, &o, "/v1/vms?after=%s&limit=%s", after, limit);
    *vms = json_incref(json_object_get(o, "vms"));
    json_decref(o);
    return status;
}

static int ps(struct cli *c, const struct cli_args *a)
{
    int (*print)(struct cli *, json_t *) = cli_flag(a, "memory") ? ps_memory : ps_print;
    json_t *vms = json_array(), *o = NULL;
    int status = 0;

    if (a->n_words == 0) {
        json_decref(vms);
        status = get_list(c, a, &vms);
        return status ? status : print(c, vms);
    }
    if (cli_value(a, "state") || cli_value(a, "limit") || cli_value(a, "after")) {
        json_decref(vms);
        return cli_fail(c, EXIT_USAGE, "--state, --limit and --after are for the list");
    }
    for (unsigned i = 0; i < a->n_words; i++) {
        status = api(c, "GET", NULL, &o, "/v1/vms/%s", a->words[i]);
        if (status)
            break;
        json_array_append_new(vms, o);
    }
    if (status == 0)
        return print(c, vms);
    json_decref(vms);
    return status;
}

static const struct cli_option ps_options[] = {
    {"memory", 0, NULL, "what each takes of the machine's memory, for what"},
    {"state", 0, "STATE", "only those in it: running, parked, crashed, ..."},
    {"limit", 0, "N", "no more than N, the first ones by name"},
    {"after", 0, "NAME", "only those behind this name"},
    {.name = NULL},
};

COMMAND(ps) = {
    .name = "ps",
    .usage = "[NAME ...] [options]",
    .summary = "list VMs",
    .options = ps_options,
    .example = "  clickos ps\n"
               "  clickos ps --state crashed\n"
               "  clickos ps fw nat --memory",
    .max_words = CLI_MAX_WORDS,
    .run = ps,
};

/* ---- rm -------------------------------------------------------------------------- */

static const struct cli_option rm_options[] = {
    {"all", 0, NULL, "all VMs"},
    {.name = NULL},
};

static int rm_all(struct cli *c)
{
    json_t *o = NULL;
    size_t i;
    const json_t *vm;
    int status = api(c, "GET", NULL, &o, "/v1/vms"), one;

    json_array_foreach(json_object_get(o, "vms"), i, vm)
    {
        one = api(c, "DELETE", NULL, NULL, "/v1/vms/%s", json_str(vm, "name"));
        status = status ? status : one;
    }
    json_decref(o);
    return status;
}

static int rm(struct cli *c, const struct cli_args *a)
{
    if (cli_flag(a, "all") && a->n_words == 0)
        return rm_all(c);
    if (a->n_words == 0 || cli_flag(a, "all"))
        return cli_fail(c, EXIT_USAGE, "usage: clickos rm NAME ... | --all");
    return api_remove_each(c, a, "vms");
}

COMMAND(rm) = {
    .name = "rm",
    .usage = "NAME ... | --all",
    .summary = "stop VMs and forget them",
    .example = "  clickos rm fw",
    .options = rm_options,
    .max_words = CLI_MAX_WORDS,
    .run = rm,
};

/* ---- wait ------------------------------------------------------------------------ */

static const struct cli_option wait_options[] = {
    {"timeout", 0, "SECONDS", "give up after this long (30)"},
    {.name = NULL},
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* 0 when it runs, -1 to ask again, or an exit status. */
static int ask_vm(struct cli *c, const char *name)
{
    json_t *vm = NULL;
    const char *state;
    int status = api(c, "GET", NULL, &vm, "/v1/vms/%s", name);

    if (status)
        return status;
    state = json_str(vm, "state");
    if (!strcmp(state, "running"))
        status = 0;
    else if (!strcmp(state, "crashed"))
        status = cli_fail(c, EXIT_FAILED, "VM '%s' has crashed: %s", name,
                          json_str(vm, "trouble"));
    else
        status = -1;
    json_decref(vm);
    return status;
}

static int wait_for(struct cli *c, const struct cli_args *a)
{
    const char *timeout = cli_value(a, "timeout");
    uint64_t ms = 30000, until;
    int status, error;

    if (timeout && !seconds_parse(timeout, &ms))
        return cli_fail(c, EXIT_USAGE, "'%s' is no time in seconds", timeout);
    until = now_ms() + ms;
    while ((error = http_probe(c->socket_path)) && now_ms() < until) {
        if (error == 13) /* permission: waiting does not help */
            break;
        pause_ms(10);
    }
    status = a->n_words ? -1 : api(c, "GET", NULL, NULL, "/v1/version");
    while (status == -1 && (status = ask_vm(c, a->words[0])) == -1) {
        if (now_ms() >= until)
            return cli_fail(c, EXIT_FAILED, "VM '%s' still does not run", a->words[0]);
        pause_ms(20);
    }
    return status;
}

COMMAND(wait) = {
    .name = "wait",
    .usage = "[NAME] [--timeout SECONDS]",
    .summary = "wait until the daemon answers, or until a VM runs",
    .example = "  clickosd && clickos wait",
    .options = wait_options,
    .max_words = 1,
    .run = wait_for,
};
