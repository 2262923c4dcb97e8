// SPDX-License-Identifier: BSD-3-Clause
/*
 * boot_bench.c -- what starting a VM costs when there are many already
 *
 *     boot_bench [--vms N] [--json FILE] [--svg FILE] [--click PROGRAM]
 *
 * Starts N VMs (1,000) of one port one after the other, each with a firewall of its own
 * (bench/boot.h), and keeps them all. For each: how long from vmm_spawn() until the guest
 * runs, until the firewall is installed, and until it has forwarded the first packet of a
 * sender that then knocks 10,000 times a second. Every other VM is made of a shell
 * (vmm_host_keep_shells()); among them lie, every fifth time, the floor (bench/floor.h) and
 * a like configuration in a `click` process that runs one packet through it and ends.
 *
 * At the end all are there: memory a VM, and a ping to each of them.
 *
 * A VM takes some descriptors of whoever keeps it, and how many a process may have only
 * the system's administrator can say. So the VMs are kept by as many processes, groups, as
 * that takes. They start their VMs in turns, and all stay. The floor and `click` are the
 * first process's, which stays small: what a fork costs depends on who forks.
 */

#include "bench/boot.h"
#include "bench/floor.h"
#include "bench/svg.h"
#include "ctl/limits.h"
#include "ctl/memory.h"

#include <err.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVERY = 5, BUCKETS = 20, MAX_GROUPS = 64, SAMPLES = 50, KIB_A_VM = 1200 };

/* The firewall of bench/boot_vm.c and UDP to port 53, as the generator makes it; then the
 * process ends. */
static const char click_config[] =
    "InfiniteSource(DATA \\<ffffffffffff 020000000000 0800 4500003200000000401166b9"
    "0a0000010a000002 04000035001e0000 00000000000000000000000000000000000000000000>,"
    " LIMIT 1, STOP true)\n"
    "-> c :: Classifier(12/0806 20/0001, 12/0800, -);\n"
    "c[0] -> ARPResponder(10.1.0.1 02:00:01:00:00:01) -> out :: Discard;\n"
    "c[1] -> CheckIPHeader(14)\n"
    "     -> f :: IPFilter(0 icmp type echo and dst host 10.1.0.1, 1 tcp port 80,\n"
    "                      1 udp port 53, 1 src host 10.2.0.1, 2 all);\n"
    "f[0] -> ICMPPingResponder -> EtherMirror -> out;\n"
    "f[1] -> n :: Counter -> EtherMirror -> out; f[2] -> Discard; c[2] -> Discard;\n";

struct group {
    pid_t pid;
    int link; /* to its process */
};

/* What all processes write into. */
struct shared {
    unsigned answered;
    struct boot_result results[BOOT_MAX];
};

struct bench {
    unsigned n_vms, n_groups, n_floor;
    unsigned long files; /* a process may have */
    struct group groups[MAX_GROUPS];
    struct shared *shared; /* owned; mapped by all groups */
    uint64_t floor_ns[BOOT_MAX / EVERY + 1], click_ns[BOOT_MAX / EVERY + 1];
    const char *json, *svg, *click;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- what it is compared with ----------------------------------------------------------- */

extern char **environ;

static uint64_t click_ns(const struct bench *b)
{
    char *argv[] = {"click", "-e", strdup(click_config), NULL};
    uint64_t start = now_ns();
    int status = 1;
    pid_t pid;

    if (!argv[2] || posix_spawn(&pid, b->click, NULL, NULL, argv, environ) != 0)
        err(1, "%s", b->click);
    if (waitpid(pid, &status, 0) < 0 || status != 0)
        errx(1, "%s does not run the configuration", b->click);
    free(argv[2]);
    return now_ns() - start;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

struct summary {
    double median_us, p99_us;
};

static struct summary summarise(const uint64_t *ns, unsigned n)
{
    uint64_t *sorted = malloc((n ? n : 1) * sizeof *sorted);
    struct summary s = {0, 0};

    if (!sorted)
        err(1, "memory");
    memcpy(sorted, ns, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    if (n)
        s = (struct summary){(double)sorted[n / 2] / 1e3,
                             (double)sorted[n * 99 / 100] / 1e3};
    free(sorted);
    return s;
}

/* Of the VMs of kind `k` from `from` up to `to`. */
static struct summary of_step(const struct bench *b, enum boot_kind k,
                              enum boot_step step, unsigned from, unsigned to)
{
    uint64_t *ns = malloc((to - from + 1) * sizeof *ns);
    struct summary s;
    unsigned n = 0;

    if (!ns)
        err(1, "memory");
    for (unsigned i = from; i < to; i++)
        if (boot_kind(i) == k)
            ns[n++] = b->shared->results[i].ns[step];
    s = summarise(ns, n);
    free(ns);
    return s;
}

static struct summary of_others(const struct bench *b, const uint64_t *ns,
                                unsigned from, unsigned to)
{
    unsigned first = (from + EVERY - 1) / EVERY, last = (to + EVERY - 1) / EVERY;

    last = last < b->n_floor ? last : b->n_floor;
    return summarise(ns + first, last > first ? last - first : 0);
}

static long available_kib(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

/* ---- memory ----------------------------------------------------------------------------- */

static const char *const parts[] = {"guest", "heap", "packets", "monitor", "tables"};
enum { N_PARTS = sizeof parts / sizeof parts[0] };

struct memory {
    double a_vm;           /* KiB of the machine's that are gone, shared out */
    double parts[N_PARTS]; /* of a VM's own, as the kernel accounts for its process */
    double image;          /* resident in each, but shared */
    double kernel;         /* the rest */
};

static struct memory memory_now(const struct bench *b, long before)
{
    struct memory m = {.a_vm = (double)(before - available_kib()) / b->n_vms};
    unsigned seen = 0;

    for (unsigned i = 0; i < SAMPLES; i++) {
        unsigned vm = (unsigned)((uint64_t)b->n_vms * i / SAMPLES);
        json_t *o = memory_of(b->shared->results[vm].pid);

        if (!o)
            continue;
        for (int p = 0; p < N_PARTS; p++)
            m.parts[p] += (double)json_integer_value(json_object_get(o, parts[p]));
        m.image += (double)json_integer_value(json_object_get(o, "image"));
        json_decref(o);
        seen++;
    }
    m.kernel = m.a_vm;
    for (int p = 0; p < N_PARTS && seen; p++)
        m.kernel -= m.parts[p] /= seen;
    m.image /= seen ? seen : 1;
    return m;
}

static void print_memory(const struct bench *b, const struct memory *m)
{
    printf("memory: %.0f KiB a VM, %.2f GiB in all; a VM:", m->a_vm,
           m->a_vm * b->n_vms / (1 << 20));
    for (int p = 0; p < N_PARTS; p++)
        printf(" %s %.0f,", parts[p], m->parts[p]);
    printf(" kernel %.0f KiB; image %.0f KiB, once for all\n", m->kernel, m->image);
}

/* ---- reports ---------------------------------------------------------------------------- */

static const char *const kinds[BOOT_KINDS] = {"VM", "VM from a shell"};
static const char *const steps[BOOT_STEPS] = {"guest runs", "installed", "first packet",
                                              "ping, later"};

static void print_range(const struct bench *b, unsigned from, unsigned to)
{
    struct summary floor = of_others(b, b->floor_ns, from, to),
                   click = of_others(b, b->click_ns, from, to);

    printf("VM %u to %u, us from create: median (p99)\n", from + 1, to);
    printf("  %-34s %7.0f (%.0f)\n", "floor (fork, VM, vCPU, first exit)",
           floor.median_us, floor.p99_us);
    for (int k = 0; k < BOOT_KINDS; k++)
        for (int s = 0; s < BOOT_STEPS; s++) {
            struct summary x = of_step(b, k, s, from, to);

            printf("  %-16s %-17s %7.0f (%.0f)", s ? "" : kinds[k], steps[s],
                   x.median_us, x.p99_us);
            if (s == BOOT_FIRST)
                printf("  %.2f x floor", x.median_us / floor.median_us);
            putchar('\n');
        }
    printf("  %-34s %7.0f (%.0f)\n", "click, same configuration, process",
           click.median_us, click.p99_us);
}

static void print_growth(const struct bench *b, unsigned n)
{
    for (int k = 0; k < BOOT_KINDS; k++)
        printf("%s: the last %u take %.2f x the time of the first %u to their first "
               "packet\n",
               kinds[k], n,
               of_step(b, k, BOOT_FIRST, b->n_vms - n, b->n_vms).median_us /
                   of_step(b, k, BOOT_FIRST, 0, n).median_us,
               n);
}

static void write_list(FILE *f, const char *name, const uint64_t *ns, unsigned n)
{
    fprintf(f, "\"%s\": [", name);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%s%.0f", i ? ", " : "", (double)ns[i] / 1e3);
    fprintf(f, "],\n");
}

static void write_json(const struct bench *b, const struct memory *m)
{
    FILE *f = fopen(b->json, "w");

    if (!f)
        err(1, "%s", b->json);
    fprintf(f,
            "{\"vms\": %u, \"processes\": %u, \"answered\": %u,\n\"kib_a_vm\": "
            "{\"all\": %.0f, "
            "\"image\": %.0f, \"kernel\": %.0f",
            b->n_vms, b->n_groups, b->shared->answered, m->a_vm, m->image, m->kernel);
    for (int p = 0; p < N_PARTS; p++)
        fprintf(f, ", \"%s\": %.0f", parts[p], m->parts[p]);
    fprintf(f, "},\n");
    write_list(f, "floor_us", b->floor_ns, b->n_floor);
    write_list(f, "click_us", b->click_ns, b->n_floor);
    fprintf(f, "\"starts_us\": [");
    for (unsigned i = 0; i < b->n_vms; i++) {
        const uint64_t *ns = b->shared->results[i].ns;

        fprintf(f,
                "%s\n{\"vm\": %u, \"shell\": %s, \"ready\": %.0f, \"installed\": %.0f, "
                "\"first_packet\": %.0f, \"ping\": %.0f}",
                i ? "," : "", i + 1, boot_kind(i) == BOOT_SHELL ? "true" : "false",
                (double)ns[BOOT_READY] / 1e3, (double)ns[BOOT_INSTALLED] / 1e3,
                (double)ns[BOOT_FIRST] / 1e3, (double)ns[BOOT_PING] / 1e3);
    }
    fprintf(f, "]}\n");
    if (fclose(f) != 0)
        err(1, "%s", b->json);
}

static void draw(const struct bench *b)
{
    static struct svg_chart charts[2] = {
        {.title = "Create to first packet forwarded, median",
         .x_label = "VMs that run",
         .y_label = "us"},
        {.title = "Create to configuration installed, median",
         .x_label = "VMs that run",
         .y_label = "us"}};
    unsigned buckets = b->n_vms / EVERY < BUCKETS ? b->n_vms / EVERY : BUCKETS;

    for (unsigned i = 0; i < buckets; i++) {
        unsigned from = b->n_vms * i / buckets, to = b->n_vms * (i + 1) / buckets;

        for (int k = 0; k < BOOT_KINDS; k++) {
            svg_point(&charts[0], kinds[k], to,
                      of_step(b, k, BOOT_FIRST, from, to).median_us);
            svg_point(&charts[1], kinds[k], to,
                      of_step(b, k, BOOT_INSTALLED, from, to).median_us);
        }
        for (int c = 0; c < 2; c++) {
            svg_point(&charts[c], "floor", to,
                      of_others(b, b->floor_ns, from, to).median_us);
            svg_point(&charts[c], "click process", to,
                      of_others(b, b->click_ns, from, to).median_us);
        }
    }
    if (svg_write(b->svg, "Starting virtual machines", charts, 2) < 0)
        err(1, "%s", b->svg);
}

/* ---- groups ----------------------------------------------------------------------------- */

/* What a group and the first process say to each other, a byte each. */
enum word { MEASURE = 'm', ALL_RUN = 'r', PING = 'p', DONE = 'd' };

static bool say(int link, enum word w)
{
    char byte = (char)w;

    return send(link, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* 0: the other end is gone. */
static enum word hear(int link)
{
    char byte = 0;

    return read(link, &byte, 1) == 1 ? (enum word)byte : 0;
}

static unsigned first_of(const struct bench *b, unsigned group)
{
    return (unsigned)((uint64_t)b->n_vms * group / b->n_groups);
}

/* The life of a group's process: its VMs stay until the first process hangs up. */
static void be_group(struct bench *b, unsigned group, int link)
{
    unsigned from = first_of(b, group), to = first_of(b, group + 1), answered;
    struct boot_group *g = boot_open(from, to, b->shared->results);

    for (unsigned i = from; i < to; i++) {
        if (i % EVERY == 0 && (!say(link, MEASURE) || hear(link) != DONE))
            goto out;
        boot_start(g, i);
    }
    if (say(link, ALL_RUN) && hear(link) == PING) {
        answered = boot_ping(g);
        b->shared->answered += answered;
        if (say(link, DONE))
            hear(link);
    }
out:
    boot_close(g);
}

static void lost(const struct bench *b, unsigned group)
{
    int status = 0;

    waitpid(b->groups[group].pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        exit(77);
    errx(1, "the process with VMs %u to %u has failed", first_of(b, group) + 1,
         first_of(b, group + 1));
}

static void start_group(struct bench *b, unsigned group)
{
    struct group *g = &b->groups[group];
    int pair[2];
    enum word w = DONE;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        err(1, "socketpair");
    g->pid = fork();
    if (g->pid == 0) {
        for (unsigned i = 0; i < group; i++)
            close(b->groups[i].link); /* the first process's alone */
        close(pair[0]);
        be_group(b, group, pair[1]);
        exit(0);
    }
    close(pair[1]);
    g->link = pair[0];
    while (g->pid > 0 && (w = hear(g->link)) == MEASURE) {
        b->floor_ns[b->n_floor] = floor_boot_ns();
        b->click_ns[b->n_floor++] = click_ns(b);
        say(g->link, DONE);
    }
    if (w != ALL_RUN)
        lost(b, group);
    fprintf(stderr, "%u VMs run, %ld MiB of memory are left\n", first_of(b, group + 1),
            available_kib() / 1024);
}

static void ping_all(struct bench *b)
{
    for (unsigned i = 0; i < b->n_groups; i++)
        if (!say(b->groups[i].link, PING) || hear(b->groups[i].link) != DONE)
            lost(b, i);
}

/* Together: a process that ends takes long over each VM, mostly waiting. */
static void end_groups(struct bench *b)
{
    for (unsigned i = 0; i < b->n_groups; i++)
        close(b->groups[i].link);
    for (unsigned i = 0; i < b->n_groups; i++)
        waitpid(b->groups[i].pid, NULL, 0);
}

/* ---- main ------------------------------------------------------------------------------- */

static void parse_options(struct bench *b, int argc, char **argv)
{
    b->n_vms = 1000;
    b->json = b->svg = "/dev/null";
    b->click = "click";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--vms"))
            b->n_vms = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--json"))
            b->json = argv[i + 1];
        else if (!strcmp(argv[i], "--svg"))
            b->svg = argv[i + 1];
        else if (!strcmp(argv[i], "--click"))
            b->click = argv[i + 1];
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (b->n_vms < 2 * EVERY || b->n_vms > BOOT_MAX)
        errx(2, "--vms must be %d to %d", 2 * EVERY, BOOT_MAX);
}

/* Whether so many VMs can be, in how many processes. */
static void plan(struct bench *b)
{
    struct diag d = DIAG_INIT;
    unsigned long most, left = (unsigned long)available_kib();

    b->files = limits_raise(0, b->n_vms, &d);
    if (d.n_messages)
        errx(1, "%s", diag_text(&d));
    most = b->files > BOOT_FILES_MORE ? (b->files - BOOT_FILES_MORE) / BOOT_FILES : 0;
    b->n_groups = most ? (unsigned)((b->n_vms + most - 1) / most) : MAX_GROUPS + 1;
    if (b->n_groups > MAX_GROUPS)
        errx(1, "%lu open files a process are too few: raise RLIMIT_NOFILE", b->files);
    if (left < (unsigned long)b->n_vms * KIB_A_VM)
        errx(1, "%u VMs need %lu MiB of memory, and %lu are left", b->n_vms,
             (unsigned long)b->n_vms * KIB_A_VM / 1024, left / 1024);
    if (b->n_groups > 1)
        fprintf(stderr,
                "%u processes with %u VMs each: one may have %lu open files "
                "(RLIMIT_NOFILE) and needs %d a VM\n",
                b->n_groups, b->n_vms / b->n_groups, b->files, BOOT_FILES);
    diag_fini(&d);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct memory m;
    long before;
    unsigned ends;

    parse_options(&b, argc, argv);
    plan(&b);
    b.shared = mmap(NULL, sizeof *b.shared, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b.shared == MAP_FAILED)
        err(1, "memory");
    before = available_kib();
    for (unsigned i = 0; i < b.n_groups; i++)
        start_group(&b, i);
    m = memory_now(&b, before);
    ping_all(&b);
    end_groups(&b);
    ends = b.n_vms / 10 < 100 ? b.n_vms / 10 : 100;
    print_range(&b, 0, ends);
    print_range(&b, b.n_vms - ends, b.n_vms);
    print_growth(&b, ends);
    print_memory(&b, &m);
    printf("%u of %u VMs, all at once, answer ARP and ping\n", b.shared->answered,
           b.n_vms);
    write_json(&b, &m);
    draw(&b);
    return b.shared->answered != b.n_vms;
}
