// SPDX-License-Identifier: BSD-3-Clause
/* cli.c -- the command line: finding the verb, errors, overview; see cli.h */

#include "ctl/cli.h"

#include "base/suggest.h"
#include "ctl/version.h"

#include <stdlib.h>
#include <string.h>

extern const struct command *const __start_commands[] __attribute__((weak));
extern const struct command *const __stop_commands[] __attribute__((weak));

int cli_fail(struct cli *c, int status, const char *fmt, ...)
{
    va_list ap;

    fputs("clickos: ", c->err);
    va_start(ap, fmt);
    vfprintf(c->err, fmt, ap);
    va_end(ap);
    fputc('\n', c->err);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp((*(const struct command *const *)a)->name,
                  (*(const struct command *const *)b)->name);
}

const struct command **cli_commands(size_t *n)
{
    const struct command **list;

    *n = (size_t)(__stop_commands - __start_commands);
    list = malloc((*n + 1) * sizeof *list);
    if (!list) {
        *n = 0;
        return NULL;
    }
    memcpy(list, __start_commands, *n * sizeof *list);
    qsort(list, *n, sizeof *list, compare);
    return list;
}

/* The overview's sections, as in clickos(1); what is in none of them comes last. */
enum { SECTION_SIZE = 16 };
static const struct section {
    const char *title;
    const char *verbs[SECTION_SIZE];
} sections[] = {
    {"virtual machines",
     {"run", "ps", "logs", "wait", "rm", "park", "wake", "snapshot", "restore",
      "clone"}},
    {"configurations", {"lint", "install", "show", "remove", "elements", "graph"}},
    {"handlers", {"read", "write"}},
    {"networks", {"net add", "net ls", "net addresses", "net rm"}},
    {"ports",
     {"port add", "port set", "port ls", "port show", "port stats", "port reset",
      "port rm", "top", "capture"}},
};
enum { N_SECTIONS = sizeof sections / sizeof sections[0] };

/* Where a verb stands in the overview: its section and its place there. */
static size_t place_of(const char *name)
{
    for (size_t s = 0; s < N_SECTIONS; s++)
        for (size_t i = 0; i < SECTION_SIZE && sections[s].verbs[i]; i++)
            if (!strcmp(sections[s].verbs[i], name))
                return s * SECTION_SIZE + i;
    return N_SECTIONS * SECTION_SIZE;
}

static const char *title_of(const char *name)
{
    size_t s = place_of(name) / SECTION_SIZE;

    return s < N_SECTIONS ? sections[s].title : "other";
}

static int compare_places(const void *a, const void *b)
{
    size_t x = place_of((*(const struct command *const *)a)->name);
    size_t y = place_of((*(const struct command *const *)b)->name);

    return x != y ? (x > y) - (x < y) : compare(a, b);
}

static void print_overview(FILE *out)
{
    size_t n;
    const struct command **list = cli_commands(&n);
    const char *title = "";

    fputs("usage: clickos [--socket PATH] [--json] VERB ...\n"
          "Run Click configurations in virtual machines of their own.\n",
          out);
    if (n)
        qsort(list, n, sizeof *list, compare_places);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(title, title_of(list[i]->name)))
            fprintf(out, "\n%s:\n", title_of(list[i]->name));
        title = title_of(list[i]->name);
        fprintf(out, "  %-13s  %s\n", list[i]->name, list[i]->summary);
    }
    fputs("\nclickos VERB -h shows a verb's options and an example.\n", out);
    free(list);
}

/* How many words of the command line the verb's name takes; 0: it is another verb. */
static int words_of(const char *name, const char *first, const char *second)
{
    size_t len = strlen(first);

    if (!strcmp(name, first))
        return 1;
    if (second && !strncmp(name, first, len) && name[len] == ' ' &&
        !strcmp(name + len + 1, second))
        return 2;
    return 0;
}

/* The verb that `first`, or `first` and `second` (may be NULL), name. */
static const struct command *find(const char *first, const char *second, int *n_words)
{
    for (const struct command *const *p = __start_commands; p < __stop_commands; p++)
        if ((*n_words = words_of((*p)->name, first, second)))
            return *p;
    return NULL;
}

/* The verbs of two words that begin with `word`; returns how many there are. `out` may be
 * NULL. */
static size_t print_group(FILE *out, const char *word)
{
    size_t len = strlen(word), n, found = 0;
    const struct command **list = cli_commands(&n);

    for (size_t i = 0; i < n; i++) {
        if (strncmp(list[i]->name, word, len) || list[i]->name[len] != ' ')
            continue;
        if (found++ == 0 && out)
            fprintf(out, "usage:\n");
        if (out)
            cli_print_usage(out, "  ", list[i]);
    }
    free(list);
    return found;
}

/* The verb that "net ad" was to be. */
static void no_such_second_word(struct cli *c, const char *word, const char *next)
{
    size_t len = strlen(word), n;
    const struct command **list = cli_commands(&n);
    struct suggest s;

    suggest_init(&s, next);
    for (size_t i = 0; i < n; i++)
        if (!strncmp(list[i]->name, word, len) && list[i]->name[len] == ' ')
            suggest_add(&s, list[i]->name + len + 1);
    if (s.best)
        cli_fail(c, 0, "there is no verb '%s %s': did you mean '%s %s'?", word, next,
                 word, s.best);
    else
        cli_fail(c, 0, "there is no verb '%s %s': see clickos %s -h", word, next, word);
    free(list);
}

/* "net" alone, "net -h", or "net" and something that it has not; -1: no such group. */
static int group(struct cli *c, const char *word, const char *next)
{
    bool help = next && (!strcmp(next, "-h") || !strcmp(next, "--help"));

    if (!print_group(NULL, word))
        return -1;
    if (next && !help)
        no_such_second_word(c, word, next);
    print_group(help ? c->out : c->err, word);
    return help ? EXIT_OK : EXIT_USAGE;
}

/* Words of other programs for the same. */
static const char *our_word_for(const char *verb)
{
    static const char *const words[][2] = {
        {"list", "ps"},         {"ls", "ps"},      {"stop", "rm"},
        {"delete", "rm"},       {"kill", "rm"},    {"destroy", "rm"},
        {"start", "run"},       {"create", "run"}, {"update", "install"},
        {"stats", "port stats"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i][0], verb))
            return words[i][1];
    return NULL;
}

static int no_such_verb(struct cli *c, const char *first, const char *second)
{
    const char *ours = our_word_for(first);
    struct suggest s;
    size_t n;
    const struct command **list;
    int status = group(c, first, second);

    if (status >= 0)
        return status;
    list = cli_commands(&n);
    suggest_init(&s, first);
    for (size_t i = 0; i < n; i++)
        suggest_add(&s, list[i]->name);
    if (ours || s.best)
        cli_fail(c, 0, "there is no verb '%s': did you mean '%s'?", first,
                 ours ? ours : s.best);
    else
        cli_fail(c, 0, "there is no verb '%s': see clickos -h", first);
    free(list);
    return EXIT_USAGE;
}

static int run(struct cli *c, const struct command *cmd, int argc, char **argv)
{
    struct cli_args a;
    struct diag d = DIAG_INIT;
    int status;

    if (cli_parse(c, cmd->options, argc, argv, &a, &d) < 0)
        status = cli_fail(c, EXIT_USAGE, "%s (see clickos %s -h)", d.messages[0].text,
                          cmd->name);
    else if (a.help) {
        cli_print_help(c->out, cmd);
        status = EXIT_OK;
    } else if (a.n_words < cmd->min_words || a.n_words > cmd->max_words) {
        cli_print_usage(c->err, "clickos: usage: ", cmd);
        status = EXIT_USAGE;
    } else {
        status = cmd->run(c, &a);
    }
    diag_fini(&d);
    cli_args_fini(&a);
    return status;
}

/* Options in front of the verb: --socket X, --json, -h, --version. Returns how many words
 * they take, or -1 with the status set. */
static int leading_options(struct cli *c, int argc, char **argv, int *status)
{
    int at = 0;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (!strcmp(argv[at], "--json"))
            c->json = true;
        else if (!strncmp(argv[at], "--socket=", 9))
            c->socket_path = argv[at] + 9;
        else if (!strcmp(argv[at], "--socket") && at + 1 < argc)
            c->socket_path = argv[++at];
        else if (!strcmp(argv[at], "-h") || !strcmp(argv[at], "--help")) {
            print_overview(c->out);
            *status = EXIT_OK;
            return -1;
        } else if (!strcmp(argv[at], "--version")) {
            fprintf(c->out, "clickos %s\n", CLICKOS_VERSION);
            *status = EXIT_OK;
            return -1;
        } else {
            *status = cli_fail(c, EXIT_USAGE, "unknown option %s: see clickos -h",
                               argv[at]);
            return -1;
        }
    }
    return at;
}

/* "help", "help run", "help net add" */
static int help(struct cli *c, const struct cli_args *a)
{
    const char *second = a->n_words > 1 ? a->words[1] : NULL;
    const struct command *cmd;
    int n_words;

    if (a->n_words == 0) {
        print_overview(c->out);
        return EXIT_OK;
    }
    cmd = find(a->words[0], second, &n_words);
    if (cmd) {
        cli_print_help(c->out, cmd);
        return EXIT_OK;
    }
    if (!second && print_group(c->out, a->words[0]))
        return EXIT_OK;
    return no_such_verb(c, a->words[0], second);
}

COMMAND(help) = {
    .name = "help",
    .usage = "[VERB]",
    .summary = "list verbs, or show a verb's options and an example",
    .example = "  clickos help port add",
    .max_words = 2,
    .run = help,
};

int cli_main(struct cli *c, int argc, char **argv)
{
    const struct command *cmd;
    int n_words, status = EXIT_USAGE, at = leading_options(c, argc, argv, &status);

    if (at < 0)
        return status;
    argc -= at;
    argv += at;
    if (argc == 0) {
        print_overview(c->err);
        return EXIT_USAGE;
    }
    cmd = find(argv[0], argc > 1 ? argv[1] : NULL, &n_words);
    if (!cmd)
        return no_such_verb(c, argv[0], argc > 1 ? argv[1] : NULL);
    return run(c, cmd, argc - n_words, argv + n_words);
}
