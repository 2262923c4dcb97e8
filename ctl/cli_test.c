// SPDX-License-Identifier: BSD-3-Clause
/* The command line's parts: options, tables, carets, HTTP heads, whole verbs. */

#include "ctl/cli.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct cli c;
static struct cli_args a;
static struct diag d;
static char *out, *err;
static size_t out_len, err_len;

SETUP()
{
    c = (struct cli){.out = open_memstream(&out, &out_len),
                     .err = open_memstream(&err, &err_len),
                     .socket_path = "/nonexistent/socket"};
    d = DIAG_INIT;
}

TEARDOWN()
{
    fclose(c.out);
    fclose(c.err);
    free(out);
    free(err);
    cli_args_fini(&a);
    diag_fini(&d);
}

static const struct cli_option options[] = {
    {"net", 0, "NET", "a value"},
    {"follow", 'f', NULL, "a flag"},
    {"tail", 'n', "N", "a number"},
    {.name = NULL},
};

static int parse(int argc, ...)
{
    char *argv[8];
    va_list ap;

    va_start(ap, argc);
    for (int i = 0; i < argc; i++)
        argv[i] = va_arg(ap, char *);
    va_end(ap);
    cli_args_fini(&a);
    return cli_parse(&c, options, argc, argv, &a, &d);
}

static int run(int argc, ...)
{
    char *argv[8];
    va_list ap;
    int status;

    va_start(ap, argc);
    for (int i = 0; i < argc; i++)
        argv[i] = va_arg(ap, char *);
    va_end(ap);
    status = cli_main(&c, argc, argv);
    fflush(c.out);
    fflush(c.err);
    return status;
}

TEST(options_are_taken_in_any_form_and_place)
{
    EXPECT_EQ(parse(6, "vm", "--net", "a", "-fn5", "--net=b", "more"), 0);
    EXPECT_EQ(a.n_words, 2);
    EXPECT_STR(a.words[1], "more");
    EXPECT_STR(cli_value(&a, "net"), "b");
    EXPECT_STR(cli_value(&a, "tail"), "5");
    EXPECT(cli_flag(&a, "follow"));
}

TEST(a_double_dash_ends_options_and_a_single_one_is_a_word)
{
    EXPECT_EQ(parse(4, "-", "--", "-f", "--net"), 0);
    EXPECT_EQ(a.n_words, 3);
    EXPECT_STR(a.words[1], "-f");
    EXPECT(!cli_flag(&a, "follow"));
}

TEST(wrong_options_say_what_is_meant)
{
    EXPECT_EQ(parse(1, "--folow"), -1);
    EXPECT_STR(d.messages[0].text, "unknown option --folow: did you mean --follow?");
    diag_reset(&d);
    EXPECT_EQ(parse(1, "--net"), -1);
    EXPECT_STR(d.messages[0].text, "--net needs a value: --net NET");
    diag_reset(&d);
    EXPECT_EQ(parse(1, "--follow=1"), -1);
    diag_reset(&d);
    EXPECT_EQ(parse(1, "-x"), -1);
}

TEST(a_mistyped_verb_is_a_usage_error_with_a_suggestion)
{
    EXPECT_EQ(run(1, "instal"), EXIT_USAGE);
    EXPECT_STR(err, "clickos: there is no verb 'instal': did you mean 'install'?\n");
}

TEST(every_verb_has_help_with_an_example)
{
    size_t n;
    const struct command **list = cli_commands(&n);

    EXPECT(n > 20);
    for (size_t i = 0; i < n; i++) {
        EXPECT(list[i]->summary && list[i]->example && list[i]->usage && list[i]->run);
        EXPECT(i == 0 || strcmp(list[i - 1]->name, list[i]->name) < 0);
        cli_print_help(c.out, list[i]);
    }
    free(list);
}

static void expect_tidy(const char *text)
{
    EXPECT(!strstr(text, "\n\n\n"));
    EXPECT(!strstr(text, " \n"));
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len > 80)
            EXPECT_STR(text, "lines of 80 columns at most");
        text += len + (text[len] != '\0');
    }
}

TEST(help_is_tidy_and_80_columns_wide)
{
    size_t n;
    const struct command **list = cli_commands(&n);

    for (size_t i = 0; i < n; i++)
        cli_print_help(c.out, list[i]);
    free(list);
    EXPECT_EQ(run(1, "help"), EXIT_OK);
    expect_tidy(out);
}

TEST(the_overview_has_every_verb_under_a_title)
{
    size_t n;
    const struct command **list = cli_commands(&n);
    const char *other;

    EXPECT_EQ(run(1, "--help"), EXIT_OK);
    for (size_t i = 0; i < n; i++) {
        char line[64];

        snprintf(line, sizeof line, "\n  %-13s  %s\n", list[i]->name, list[i]->summary);
        EXPECT(strstr(out, line));
    }
    free(list);
    /* A new verb belongs to a section of its own. */
    other = strstr(out, "\nother:\n  complete ");
    EXPECT(other && strstr(other, "\n  help ") && strstr(other, "\n  version "));
    EXPECT(strstr(out, "\nnetworks:\n  net add "));
}

TEST(the_version_of_this_program_needs_no_daemon)
{
    json_t *o;

    EXPECT_EQ(run(2, "version", "--json"), EXIT_UNREACHABLE);
    o = json_loads(out, 0, NULL);
    EXPECT(o && *json_str(o, "clickos"));
    EXPECT(json_is_null(json_object_get(o, "clickosd")));
    json_decref(o);
}

TEST(help_is_a_verb_too)
{
    EXPECT_EQ(run(3, "help", "net", "add"), EXIT_OK);
    EXPECT(strstr(out, "usage: clickos net add NAME"));
    EXPECT(strstr(out, "example:"));
    EXPECT_EQ(run(2, "help", "port"), EXIT_OK);
    EXPECT(strstr(out, "  clickos port ls\n"));
    EXPECT_STR(err, "");
    EXPECT_EQ(run(2, "help", "rnu"), EXIT_USAGE);
    EXPECT_STR(err, "clickos: there is no verb 'rnu': did you mean 'run'?\n");
}

TEST(a_mistyped_second_word_is_named_before_the_usage)
{
    const char *said = "clickos: there is no verb 'net ad': did you mean 'net add'?\n"
                       "usage:\n  clickos net add ";

    EXPECT_EQ(run(3, "net", "ad", "x"), EXIT_USAGE);
    EXPECT(!strncmp(err, said, strlen(said)));
    EXPECT_STR(out, "");
}

TEST(no_daemon_is_one_line_and_status_3)
{
    EXPECT_EQ(run(1, "ps"), EXIT_UNREACHABLE);
    EXPECT_STR(err,
               "clickos: clickosd is not running (nobody answers on "
               "/nonexistent/socket): start it, or name its socket with --socket\n");
}

TEST(lint_prints_every_error_with_a_caret)
{
    EXPECT_EQ(run(3, "lint", "-e", "Idle -> Quee -> Discrd;"), EXIT_FAILED);
    EXPECT(strstr(err, "expression:1:9:"));
    EXPECT(strstr(err, "    Idle -> Quee -> Discrd;\n            ^\n"));
    EXPECT(strstr(err, "'Queue'"));
    EXPECT(strstr(err, "clickos: 2 errors in expression\n"));
}

TEST(lint_takes_definitions_and_is_silent_when_all_is_well)
{
    EXPECT_EQ(run(4, "lint", "-e", "Idle -> Queue($N) -> Idle;", "N=5"), EXIT_OK);
    EXPECT_EQ(err_len, 0);
    EXPECT_EQ(out_len, 0);
    EXPECT_EQ(run(4, "lint", "-e", "Idle -> Queue($N) -> Idle;", "N=x"), EXIT_FAILED);
}

TEST(an_unknown_element_class_is_status_4)
{
    EXPECT_EQ(run(2, "elements", "Quee"), EXIT_UNKNOWN);
    EXPECT_STR(err,
               "clickos: there is no element class 'Quee': did you mean 'Queue'?\n");
}

TEST(an_element_has_a_manual_and_not_only_tables)
{
    EXPECT_EQ(run(2, "elements", "IPFilter"), EXIT_OK);
    EXPECT(strncmp(out, "IPFilter -- ", 12) == 0);
    EXPECT(strstr(out, "\nExample:  IPFilter(allow icmp"));
    EXPECT(strstr(out, "The first rule whose expression is true"));
    EXPECT_EQ(run(2, "elements", "FromDump"), EXIT_OK);
    EXPECT(strstr(out, "for the click program, not for VMs"));
    EXPECT_EQ(run(1, "elements"), EXIT_OK);
    EXPECT(strstr(out, "let IP packets pass, or not, by rules\n"));
}

/* ---- carets ---------------------------------------------------------------------- */

static const char *caret(const char *text, unsigned line, unsigned column)
{
    static struct sbuf s;

    sbuf_reset(&s);
    caret_line(&s, text, strlen(text), line, column);
    return s.len ? sbuf_text(&s) : "";
}

TEST(the_caret_stands_under_its_column)
{
    EXPECT_STR(caret("ab\ncde\n", 2, 3), "    cde\n      ^\n");
    EXPECT_STR(caret("ab\r\ncde", 1, 1), "    ab\n    ^\n");
}

TEST(tabs_and_utf8_do_not_move_the_caret)
{
    EXPECT_STR(caret("\tx y", 1, 4), "    \tx y\n    \t  ^\n");
    EXPECT_STR(caret("\xc3\xa9\xc3\xa9 x", 1, 6), "    \xc3\xa9\xc3\xa9 x\n       ^\n");
}

TEST(a_place_behind_the_end_is_shown_at_the_end)
{
    EXPECT_STR(caret("ab", 1, 9), "    ab\n      ^\n");
    EXPECT_STR(caret("ab", 3, 1), "");
    EXPECT_STR(caret("ab", 0, 1), "");
    EXPECT_STR(caret("ab", 1, 0), "");
    EXPECT_STR(caret("", 1, 1), "    \n    ^\n");
}

TEST(a_long_line_is_cut_around_the_column)
{
    char line[1001];
    const char *shown;

    memset(line, 'x', 1000);
    line[1000] = '\0';
    line[500] = '!';
    shown = caret(line, 1, 501);
    EXPECT_EQ(strchr(shown, '\n') - shown, 4 + 100);
    EXPECT_EQ(shown[4 + 60], '!');
    EXPECT_EQ(strrchr(shown, '^') - strchr(shown, '\n') - 1, 4 + 60);
}

TEST(escapes_in_a_configuration_do_not_reach_the_terminal)
{
    EXPECT_STR(caret("a\x1b[2J", 1, 1), "    a?[2J\n    ^\n");
}

/* ---- tables ---------------------------------------------------------------------- */

TEST(columns_are_as_wide_as_their_widest_cell)
{
    struct table t;

    table_init(&t, "NAME #N LAST");
    table_cell(&t, "a");
    table_cell(&t, "100");
    table_cell(&t, "x");
    table_cell(&t, "\xc3\xa9-long");
    table_cell(&t, "%d", 5);
    table_cell(&t, "%s", "");
    table_print(&t, c.out);
    fflush(c.out);
    EXPECT_STR(out, "NAME      N  LAST\n"
                    "a       100  x\n"
                    "\xc3\xa9-long    5  -\n");
}

/* ---- HTTP ------------------------------------------------------------------------ */

TEST(a_response_head_is_taken_apart)
{
    const char *text = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n"
                       "content-type: application/json\r\n\r\nabc";
    struct http_reply r = {0};
    size_t body_at;
    long length;

    EXPECT_EQ(http_parse_head(text, strlen(text), &r, &body_at, &length), 0);
    EXPECT_EQ(r.status, 404);
    EXPECT(r.is_json);
    EXPECT_EQ(length, 3);
    EXPECT_STR(text + body_at, "abc");
    for (size_t len = 0; len < body_at; len++) {
        size_t at;

        EXPECT_EQ(http_parse_head(text, len, &r, &at, &length), 0);
        EXPECT_EQ(at, 0);
    }
    EXPECT_EQ(http_parse_head("SSH-2.0-OpenSSH_9", 17, &r, &body_at, &length), -1);
    EXPECT_EQ(http_parse_head("HTTP/1.1 2x0 Y\r\n\r\n", 18, &r, &body_at, &length), -1);
}

TEST(paths_are_encoded)
{
    struct sbuf s = SBUF_INIT;

    http_encode(&s, "a b/c?d%\xc3", "");
    EXPECT_STR(sbuf_text(&s), "a%20b%2Fc%3Fd%25%C3");
    sbuf_fini(&s);
}

TEST(definitions_are_told_from_files)
{
    EXPECT(is_definition("PORT=80"));
    EXPECT(is_definition("a_1="));
    EXPECT(!is_definition("=x"));
    EXPECT(!is_definition("1A=x"));
    EXPECT(!is_definition("fw.click"));
    EXPECT(!is_definition("./a=b"));
}
