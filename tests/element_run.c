// SPDX-License-Identifier: BSD-3-Clause
/*
 * element_run.c -- runs .test files: element_run [--backend NAME] [-k TEXT] FILE...
 *
 * The back-ends are engine (the default: in this process), kvm (each case in a VM of its
 * own) and process (in the stand-in for one).
 *
 * Prints "PASS file: title", "FAIL file: title" or "SKIP file: title: why" for each case,
 * and above a FAIL what was expected and what came. -k runs only titles with TEXT in them.
 */

#include "tests/element_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct backend *const backends[] = {&backend_engine, &backend_kvm,
                                                 &backend_process};

struct options {
    const struct backend *backend;
    const char *only;
};

static char *read_file(const char *name)
{
    FILE *f = fopen(name, "r");
    struct sbuf s = SBUF_INIT;
    char buf[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        sbuf_add(&s, buf, n);
    fclose(f);
    return s.len ? sbuf_take(&s) : strdup("");
}

static void print_result(const char *result, const char *file,
                         const struct element_case *c, bool pull, const char *why)
{
    printf("%s %s: %s%s%s%s\n", result, file, c->title, pull ? " (pull)" : "",
           *why ? ": " : "", why);
}

/* Returns whether the case failed. */
static bool run_case(const struct options *o, const char *file,
                     const struct element_case *c, bool pull)
{
    struct case_run run = {.backend = o->backend, .file = file, .pull = pull};
    size_t live;

    run.ctx = o->backend->open();
    if (!run.ctx) {
        print_result("FAIL", file, c, pull, "the back-end does not start");
        return true;
    }
    /* What moves time expects it to stand still in between, so look before the first. */
    for (size_t i = 0; i < c->n_steps && !o->backend->has_clock; i++)
        if (c->steps[i].kind == STEP_TIME)
            run.skipped = "time cannot be moved there";
    for (size_t i = 0; i < c->n_steps && !run.failed && !run.skipped; i++)
        step_run(&run, c, i);
    if (!run.failed && !run.skipped)
        step_check_nothing_left(&run, c);
    live = o->backend->close(run.ctx);
    if (live && !run.failed)
        case_fail(&run, c->line, "live packets: %zu", live);
    fputs(sbuf_text(&run.report), stdout);
    print_result(run.failed    ? "FAIL"
                 : run.skipped ? "SKIP"
                               : "PASS",
                 file, c, pull, run.skipped && !run.failed ? run.skipped : "");
    sbuf_fini(&run.report);
    return run.failed;
}

/* Which ways the case wants its inputs: push, pull or both. */
static const char *modes_of(const struct element_case *c)
{
    for (size_t i = 0; i < c->n_steps; i++)
        if (c->steps[i].kind == STEP_PULL)
            return c->steps[i].text;
    return "no";
}

static int run_file(const struct options *o, const char *file)
{
    struct diag d = DIAG_INIT;
    struct element_cases cases = {0};
    char *text = read_file(file);
    int failures = 0;

    if (!text || element_cases_parse(&cases, text, file, &d) < 0) {
        printf("%sFAIL %s: %s\n", diag_text(&d), file,
               text ? "cannot be understood" : "cannot be read");
        failures = 1;
        element_cases_fini(&cases);
    } else if (!cases.n) {
        printf("FAIL %s: no case in it\n", file);
        failures = 1;
    }
    for (size_t i = 0; i < cases.n; i++) {
        const char *modes = modes_of(&cases.cases[i]);

        if (o->only && !strstr(cases.cases[i].title, o->only))
            continue;
        if (strcmp(modes, "only") != 0)
            failures += run_case(o, file, &cases.cases[i], false);
        if (strcmp(modes, "no") != 0)
            failures += run_case(o, file, &cases.cases[i], true);
    }
    element_cases_fini(&cases);
    diag_fini(&d);
    free(text);
    return failures;
}

static int parse_options(int argc, char **argv, struct options *o)
{
    int i = 1;

    *o = (struct options){.backend = backends[0]};
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "-k") == 0) {
            o->only = argv[i + 1];
        } else if (strcmp(argv[i], "--backend") == 0) {
            o->backend = NULL;
            for (size_t k = 0; k < sizeof backends / sizeof *backends; k++)
                if (strcmp(backends[k]->name, argv[i + 1]) == 0)
                    o->backend = backends[k];
        } else {
            return -1;
        }
    }
    return o->backend && i < argc ? i : -1;
}

/* The build folder is two levels above this program. Says SKIP and returns false where
 * the back-end cannot work. */
static bool start_backend(const struct backend *b, const char *program)
{
    char *dir = strdup(program), *slash;
    const char *why = "out of memory";
    bool started = !b->start;

    for (int i = 0; dir && i < 2; i++)
        if ((slash = strrchr(dir, '/')))
            *slash = 0;
    if (dir && b->start)
        started = b->start(dir, &why);
    if (!started)
        printf("SKIP elements in back-end %s: %s\n", b->name, why);
    free(dir);
    return started;
}

int main(int argc, char **argv)
{
    struct options o;
    int first = parse_options(argc, argv, &o), failures = 0;

    if (first < 0) {
        fprintf(stderr, "usage: element_run [--backend NAME] [-k TEXT] FILE...\n");
        return 2;
    }
    if (!start_backend(o.backend, argv[0]))
        return 0;
    for (int i = first; i < argc; i++) {
        failures += run_file(&o, argv[i]);
        fflush(stdout);
    }
    return failures ? 1 : 0;
}
