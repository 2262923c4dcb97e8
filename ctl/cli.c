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

static void print_overview(FILE *out)
{
    size_t n;
    const struct command **list = cli_commands(&n);

    fputs("usage: clickos [--socket PATH] [--json] VERB ...\n"
          "Run Click configurations in virtual machines of their own.\n\n",
          out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "  %-12s  %s\n", list[i]->name, list[i]->summary);
    fputs("\nclickos VERB -h shows a verb's options and an example.\n", out);
    free(list);
}

/* How many words of the command line the verb's name takes; 0: it is another verb. */
static int words_of(const char *name, int argc, char **argv)
{
    size_t len = strlen(argv[0]);

    if (!strcmp(name, argv[0]))
        return 1;
    if (argc > 1 && !strncmp(name, argv[0], len) && name[len] == ' ' &&
        !strcmp(name + len + 1, argv[1]))
        return 2;
    return 0;
}

static const struct command *find(int argc, char **argv, int *n_words)
{
    for (const struct command *const *p = __start_commands; p < __stop_commands; p++)
        if ((*n_words = words_of((*p)->name, argc, argv)))
            return *p;
    return NULL;
}

/* "net" alone, or "net -h": the verbs that begin with it. */
static int group(struct cli *c, const char *word, const char *next)
{
    size_t len = strlen(word), n, found = 0;
    const struct command **list = cli_commands(&n);
    bool help = next && (!strcmp(next, "-h") || !strcmp(next, "--help"));

    for (size_t i = 0; i < n; i++) {
        if (strncmp(list[i]->name, word, len) || list[i]->name[len] != ' ')
            continue;
        if (found++ == 0)
            fprintf(help ? c->out : c->err, "usage:\n");
        fprintf(help ? c->out : c->err, "  clickos %s %s\n", list[i]->name,
                list[i]->usage);
    }
    free(list);
    return !found ? -1 : help ? EXIT_OK : EXIT_USAGE;
}

/* Words of other programs for the same. */
static const char *our_word_for(const char *verb)
{
    static const char *const words[][2] = {
        {"list", "ps"},          {"ls", "ps"},      {"stop", "rm"},
        {"delete", "rm"},        {"kill", "rm"},    {"destroy", "rm"},
        {"start", "run"},        {"create", "run"}, {"update", "install"},
        {"stats", "port stats"}, {"help", "-h"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i][0], verb))
            return words[i][1];
    return NULL;
}

static int no_such_verb(struct cli *c, int argc, char **argv)
{
    const char *ours = our_word_for(argv[0]);
    struct suggest s;
    size_t n;
    const struct command **list;
    int status = group(c, argv[0], argc > 1 ? argv[1] : NULL);

    if (status >= 0)
        return status;
    list = cli_commands(&n);
    suggest_init(&s, argv[0]);
    for (size_t i = 0; i < n; i++)
        suggest_add(&s, list[i]->name);
    if (ours || s.best)
        cli_fail(c, 0, "there is no verb '%s': did you mean '%s'?", argv[0],
                 ours ? ours : s.best);
    else
        cli_fail(c, 0, "there is no verb '%s': see clickos -h", argv[0]);
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
    } else if (a.n_words < cmd->min_words || a.n_words > cmd->max_words)
        status = cli_fail(c, EXIT_USAGE, "usage: clickos %s %s", cmd->name, cmd->usage);
    else
        status = cmd->run(c, &a);
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
    cmd = find(argc, argv, &n_words);
    if (!cmd)
        return no_such_verb(c, argc, argv);
    return run(c, cmd, argc - n_words, argv + n_words);
}
