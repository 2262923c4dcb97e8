// SPDX-License-Identifier: BSD-3-Clause
/*
 * Requests of the API, as the daemon gets them: "METHOD PATH?QUERY\nBODY". Routes, query
 * and every kind of body are parsed; nothing is carried out. And replies, as the command
 * line gets them.
 */

#include "ctl/call.h"
#include "ctl/cli.h"
#include "ctl/details.h"
#include "ctl/portspec.h"
#include "ctl/spec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_query(struct call *c, char *query)
{
    char *save, *pair;

    for (pair = strtok_r(query, "&", &save); pair && !c->answered;
         pair = strtok_r(NULL, "&", &save)) {
        char *value = strchr(pair, '=');

        if (value)
            *value++ = '\0';
        call_add_query(c, pair, value);
    }
}

static void route(char *line)
{
    struct call c = {0};
    char *path = strchr(line, ' '), *query;

    if (!path)
        return;
    *path++ = '\0';
    query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    if (call_route(&c, line, path) == 0 && query)
        add_query(&c, query);
    if (c.answered && !c.answer.len)
        __builtin_trap(); /* every refusal says why */
    call_fini(&c);
}

/* What was read can be sent on, and a refusal has exactly one line. */
static void check(int rc, struct diag *d)
{
    if (rc < 0 && (d->n_errors != 1 || !d->messages[0].text))
        __builtin_trap();
    diag_fini(d);
}

static void read_config(const json_t *o)
{
    struct spec_config config;
    struct diag d = DIAG_INIT;
    size_t len;
    int rc = spec_config_read(&config, (json_t *)(uintptr_t)o, &d);

    check(rc, &d);
    if (rc < 0)
        return;
    free(spec_config_wire(&config, &len, NULL));
    spec_config_fini(&config);
}

static void bodies(const char *text, size_t len)
{
    struct spec_vm vm;
    struct spec_net net;
    struct spec_port port;
    struct diag d = DIAG_INIT;
    int rc;

    check(rc = spec_vm_read(&vm, text, len, &d), &d);
    if (rc == 0) {
        if (vm.n_ifs > NETMEM_MAX_IFS || !*vm.name)
            __builtin_trap();
        if (vm.config)
            read_config(vm.config);
        spec_vm_fini(&vm);
    }
    check(rc = spec_net_read(&net, text, len, &d), &d);
    if (rc == 0)
        spec_net_fini(&net);
    check(rc = spec_port_read(&port, text, len, &d), &d);
    if (rc == 0)
        spec_port_fini(&port);
}

static void replies(const char *text, size_t len)
{
    json_t *details = details_from_text(text, len);
    struct source s = {.file = "f"};
    struct http_reply r = {0};
    struct sbuf out = SBUF_INIT;
    size_t body_at, i;
    long length;
    json_t *d;

    http_parse_head(text, len, &r, &body_at, &length);
    if (body_at > len || json_array_size(details) > DETAILS_MAX + 1)
        __builtin_trap();
    s.text = (char *)(uintptr_t)text;
    s.len = len;
    json_array_foreach(details, i, d)
        caret_line(&out, s.text, s.len, (unsigned)json_num(d, "line"),
                   (unsigned)json_num(d, "column"));
    sbuf_fini(&out);
    json_decref(details);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *body;
    size_t line;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    replies(text, size);
    line = strcspn(text, "\n");
    body = line < size ? text + line + 1 : text + size;
    bodies(body, (size_t)(text + size - body));
    text[line] = '\0';
    route(text);
    free(text);
    return 0;
}
