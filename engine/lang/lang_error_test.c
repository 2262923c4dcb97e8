// SPDX-License-Identifier: BSD-3-Clause
/* What is wrong with a configuration, and texts that are meant to do harm. */

#include "base/sbuf.h"
#include "engine/lang/flatten.h"
#include "engine/lang/lang.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const classes[] = {"A",       "B",    "Classifier", "Counter",
                                      "Discard", "Idle", "Queue"};

static struct arena *a;
static struct diag d;
static struct lang_graph g;
static struct lang_options options;

SETUP()
{
    a = arena_new(0);
    d = DIAG_INIT;
    options = (struct lang_options){.classes = classes,
                                    .n_classes = sizeof classes / sizeof classes[0]};
}

TEARDOWN()
{
    diag_fini(&d);
    arena_free(a);
}

static int load_n(const char *text, size_t len)
{
    diag_reset(&d);
    return lang_load(&g, a, text, len, "x", &options, &d);
}

static int load(const char *text)
{
    return load_n(text, strlen(text));
}

#define EXPECT_ERRORS(text, want)                                                      \
    do {                                                                               \
        EXPECT_EQ(load(text), -1);                                                     \
        EXPECT_STR(diag_text(&d), want);                                               \
    } while (0)

/* --- names --- */

TEST(an_unknown_class_is_reported_once_with_the_nearest_known)
{
    EXPECT_EQ(load("q :: Quueue(3);\n  c :: Quueue"), -1);
    EXPECT_STR(diag_text_columns(&d), "x:1:6: unknown element class 'Quueue'\n"
                                      "    did you mean 'Queue'?\n");
}

TEST(an_undeclared_element_is_reported_with_the_nearest_known)
{
    EXPECT_EQ(load("filter :: A;\nIdle -> fliter -> Counnter"), -1);
    EXPECT_STR(diag_text_columns(&d), "x:2:9: undeclared element 'fliter'\n"
                                      "    did you mean 'filter'?\n"
                                      "x:2:19: undeclared element 'Counnter'\n"
                                      "    did you mean 'Counter'?\n");
}

TEST(without_a_list_of_classes_every_class_exists)
{
    options.classes = NULL;
    EXPECT_EQ(load("x :: Anything; Something -> x -> { -> Other -> } -> Last"), 0);
    EXPECT_EQ(g.n_elements, 4);
    EXPECT_STR(g.elements[3].name, "@3/Other@1");
    EXPECT_STR(g.elements[3].class_name, "Other");
}

TEST(an_element_is_declared_once)
{
    EXPECT_ERRORS("a :: A;\na :: B;", "x:2: redeclaration of element 'a'\n"
                                      "x:1: element 'a' previously declared here\n");
    EXPECT_ERRORS("a/x :: A; a :: { x :: B }", "x:1: redeclaration of element 'a/x'\n"
                                               "x:1: 'a/x' previously declared here\n");
}

TEST(a_class_is_no_name_for_an_element)
{
    EXPECT_ERRORS("Queue :: A", "x:1: class 'Queue' used as element name\n");
    EXPECT_ERRORS("elementclass a/b A; a :: { b :: A }",
                  "x:1: 'a/b' is an element class\n");
}

TEST(numbers_are_no_names)
{
    EXPECT_ERRORS("1 :: A", "x:1: element name '1' has all-digit component\n");
    EXPECT_ERRORS("x/2/y :: A", "x:1: element name 'x/2/y' has all-digit component\n");
    EXPECT_EQ(load("x2/y3 :: A; 4z :: B"), 0);
}

TEST(a_configuration_string_belongs_to_the_declaration)
{
    EXPECT_ERRORS("a :: A; a(5) -> a",
                  "x:1: configuration string ignored on element reference\n");
}

/* --- syntax --- */

TEST(syntax_errors_show_where)
{
    EXPECT_EQ(load("a :: A;\n  % a -> a;"), -1);
    EXPECT_STR(diag_text_columns(&d), "x:2:3: syntax error near '%'\n");
    EXPECT_ERRORS("a :: A; a -> ;", "x:1: syntax error near ';'\n");
    EXPECT_ERRORS("a :: A; a ->", "x:1: syntax error near ''\n");
    EXPECT_ERRORS("a ::", "x:1: missing element type in declaration\n"
                          "x:1: unknown element class 'a'\n");
    EXPECT_ERRORS("-> A", "x:1: syntax error near '->'\n");
    EXPECT_ERRORS("provide(x)", "x:1: syntax error near 'provide'\n");
    EXPECT_ERRORS("a :: A(1, (2)", "x:1: expected ')'\n");
    EXPECT_ERRORS("a :: { -> A -> ", "x:1: expected '}'\n"
                                     "x:1: 'a' input 0 unused\n"
                                     "x:1: 'a' output 0 unused\n");
    EXPECT_ERRORS("}", "x:1: syntax error near '}'\n");
}

TEST(all_errors_come_in_one_pass)
{
    EXPECT_ERRORS("a :: Foo;\nb -> a;\n%\nc :: A; c :: B;\na [1, -> a;",
                  "x:1: unknown element class 'Foo'\n"
                  "x:2: undeclared element 'b'\n"
                  "x:3: syntax error near '%'\n"
                  "x:4: redeclaration of element 'c'\n"
                  "x:4: element 'c' previously declared here\n"
                  "x:5: syntax error: expected port number\n");
}

TEST(line_directives_rename_places)
{
    EXPECT_ERRORS("# 20 \"gen.click\"\nx -> y\n#line 7 \"\"\nz :: Foo",
                  "gen.click:20: undeclared element 'x'\n"
                  "gen.click:20: undeclared element 'y'\n"
                  "x:7: unknown element class 'Foo'\n");
    EXPECT_ERRORS("#pragma once", "x:1: unknown preprocessor directive\n");
    EXPECT_EQ(load("a :: A(1,\n# 5 \"y\"\n2)"), 0);
    EXPECT_STR(g.elements[0].config, "1,\n\n2");
}

TEST(places_have_columns)
{
    EXPECT_EQ(load("a :: A;\r\n  b :: B; a\r  -> b"), 0);
    EXPECT_EQ(g.elements[1].at.line, 2);
    EXPECT_EQ(g.elements[1].at.column, 3);
    EXPECT_STR(g.elements[1].at.file, "x");
    EXPECT_EQ(g.connections[0].at.line, 3);
    EXPECT_EQ(g.connections[0].at.column, 3);
}

TEST(a_nul_byte_is_no_text)
{
    static const char outside[] = "a :: A;\0 b :: A", inside[] = "a :: A(1\0 2)";

    EXPECT_EQ(load_n(outside, sizeof outside - 1), -1);
    EXPECT_STR(diag_text(&d), "x:1: syntax error near '\\000'\n");
    EXPECT_EQ(load_n(inside, sizeof inside - 1), -1);
    EXPECT_STR(diag_text(&d), "x:1: NUL character in configuration string\n");
}

/* --- compounds --- */

TEST(pseudo_elements_have_one_side)
{
    EXPECT_ERRORS("elementclass X { A -> input; input -> Discard }",
                  "x:1: 'X' pseudoelement 'input' may only be used as output\n");
    EXPECT_ERRORS(
        "x :: { output -> Discard }",
        "x:1: '<anonymous>' pseudoelement 'output' may only be used as input\n"
        "x:1: 'x/output' used as output\n");
    EXPECT_ERRORS("elementclass X { input [1] -> Discard }",
                  "x:1: 'X' input 0 missing\n");
    EXPECT_ERRORS("input -> Discard", "x:1: undeclared element 'input'\n");
}

TEST(ports_of_a_compound_must_fit)
{
    EXPECT_ERRORS("elementclass X { -> A -> }\nx :: X; Idle -> x -> Discard;\n"
                  "Idle -> [1] x",
                  "x:2: 'x' has no input 1\n");
    EXPECT_ERRORS("x :: { -> A -> } -> Discard", "x:1: 'x' input 0 unused\n");
    EXPECT_ERRORS("Idle -> x :: { -> A -> }", "x:1: 'x' output 0 unused\n");
}

TEST(parameters_are_checked)
{
    EXPECT_ERRORS("elementclass X { $a, $a | A($a) }",
                  "x:1: parameter '$a' multiply defined\n");
    EXPECT_ERRORS("elementclass X { K $a, K $b | A($a) }",
                  "x:1: repeated keyword parameter 'K' in compound element\n");
    EXPECT_ERRORS("elementclass X { K $a, $b | A($a) }",
                  "x:1: compound element parameters out of order\n"
                  "x:1: (The correct order is '[positional], [keywords], "
                  "[__REST__]'.)\n");
    EXPECT_ERRORS("elementclass X { $a, b | A($a) }",
                  "x:1: expected variable\nx:1: undeclared element 'b'\n"
                  "x:1: syntax error near '|'\n");
    EXPECT_ERRORS("elementclass X { $a | A($a) }\nX; X(1, 2)",
                  "x:2: no match for 'X[0 inputs, 0 outputs]'\n"
                  "x:1: candidates are:\n"
                  "x:1:   X(<arg>)[0 inputs, 0 outputs]\n"
                  "x:2: no match for 'X[2 arguments, 0 inputs, 0 outputs]'\n"
                  "x:1: candidates are:\n"
                  "x:1:   X(<arg>)[0 inputs, 0 outputs]\n");
}

TEST(implicit_ports_belong_to_the_ends)
{
    EXPECT_ERRORS(
        "x :: { A -> [0], B -> Discard }",
        "x:1: implicit ports used in the middle of a chain\n"
        "x:1: '<anonymous>' pseudoelement 'output' may only be used as input\n"
        "x:1: 'x' output 0 unused\n"
        "x:1: 'x/output' used as output\n");
}

/* --- requirements and libraries --- */

static int library(void *ctx, const char *name, const char *from, char **path,
                   char **text, size_t *len)
{
    int *calls = ctx;

    ++*calls;
    if (strcmp(name, "lib.click") != 0)
        return -1;
    *path = strdup("conf/lib.click");
    *text = strdup("elementclass L { -> Counter -> }\nrequire(library lib.click); bad");
    *len = strlen(*text);
    return 0;
}

TEST(libraries_are_read_once_and_name_their_own_lines)
{
    int calls = 0;

    options.library = library;
    options.library_ctx = &calls;
    EXPECT_ERRORS(
        "require(library lib.click);\nrequire(library lib.click, library no);\n"
        "Idle -> L -> Discard",
        "conf/lib.click:2: undeclared element 'bad'\n"
        "x:2: library 'no' not found in CLICKPATH/conf\n");
    EXPECT_EQ(calls, 4);
}

TEST(libraries_need_someone_who_finds_them)
{
    EXPECT_ERRORS("require(library x)",
                  "x:1: 'require library' may not be used in this driver\n");
    EXPECT_ERRORS("{ require(library x) }",
                  "x:1: 'require library' must be used at file scope\n");
}

TEST(requirements_are_listed)
{
    EXPECT_EQ(load("require(compact_config, fastclassifier); require(package \"p q\")"),
              0);
    EXPECT_EQ(g.n_requirements, 3);
    EXPECT_STR(g.requirements[0].type, "compact_config");
    EXPECT_STR(g.requirements[1].type, "package");
    EXPECT_STR(g.requirements[1].value, "fastclassifier");
    EXPECT_STR(g.requirements[2].value, "p q");
    EXPECT_ERRORS("require(package)", "x:1: syntax error at requirement\n");
}

/* --- variables --- */

static const char *config_of(const char *text)
{
    return load(text) < 0 ? diag_text(&d) : g.elements[0].config;
}

TEST(definitions_hold_everywhere_in_their_scope)
{
    EXPECT_STR(config_of("A($x); define($x 1 2)"), "1 2");
    EXPECT_STR(config_of("define($x $y, $y z) A($x)"), "z");
    EXPECT_STR(config_of("{ define($x 5) A($x) }; define($x 6)"), "5");
    EXPECT_STR(config_of("define($x 6) { { A($x) } }"), "6");
    EXPECT_STR(config_of("A($x, ${x}, $(x), $)"), "$x, ${x}, $(x), $");
    EXPECT_ERRORS("define($x 1); define($x 2)",
                  "x:1: parameter '$x' multiply defined\n");
    EXPECT_ERRORS("define(x 1)", "x:1: bad 'define' declaration: not a variable\n");
}

TEST(definitions_from_outside_win)
{
    static const struct lang_define defines[] = {{"x", "10"}, {"z", "11"}};

    options.defines = defines;
    options.n_defines = 2;
    EXPECT_STR(config_of("define($x 1, $y 2) A($x $y $z)"), "10 2 11");
}

TEST(braces_pick_words_and_have_defaults)
{
    EXPECT_STR(config_of("define($x a \"b c\" d) A(${x[1]}, ${x[2]}, ${x[3]}, ${y-1})"),
               "\"b c\", d, , 1");
    EXPECT_STR(config_of("define($x 1) A(${y-$x}, ${y$x-2})"), "1, 2");
}

TEST(quotes_decide_how_a_value_goes_in)
{
    EXPECT_STR(config_of("define($x \"q\\\"\") A($x, \"$x\", '$x', /* $x */ \"\\$x\")"),
               "\"q\\\"\", \"\\\"q\\\\\\\"\\\"\", '$x', /* $x */ \"\\$x\"");
}

TEST(a_definition_in_terms_of_itself_ends)
{
    EXPECT_EQ(load("define($x a$x) A($x)"), 0);
    EXPECT_STR(g.elements[0].config, "aaaaaaaaaaa$x");
}

/* --- archives --- */

TEST(an_archive_holds_its_configuration)
{
    static const char head[] =
        "!<arch>\n"
        "code.u.ko/      0           0     0     644     3         `\n"
        "abc\n";
    static const char config[] =
        "config/         0           0     0     644     15        `\n"
        "Idle -> Discard";
    char text[400];

    EXPECT_ERRORS(head, "x: archive has no 'config' section\n");
    EXPECT_ERRORS("!not", "not an archive\nx: archive has no 'config' section\n");
    snprintf(text, sizeof text, "%s%s", head, config);
    EXPECT_EQ(load(text), 0);
    EXPECT_EQ(g.n_connections, 1);
}

/* --- harm --- */

static double seconds(clock_t since)
{
    return (double)(clock() - since) / CLOCKS_PER_SEC;
}

TEST(a_bomb_of_compounds_ends_in_one_error)
{
    struct sbuf text = SBUF_INIT;
    clock_t start = clock();

    sbuf_puts(&text, "elementclass E0 { Idle -> Discard }\n");
    for (int i = 1; i < 60; i++)
        sbuf_printf(&text, "elementclass E%d { E%d; E%d }\n", i, i - 1, i - 1);
    sbuf_puts(&text, "E59");
    EXPECT_EQ(load(sbuf_text(&text)), -1);
    EXPECT_EQ(d.n_messages, 1);
    EXPECT(strstr(diag_text(&d), "configuration expands to more than can be loaded"));
    EXPECT(seconds(start) < 20); /* one on an idle machine; hours without a bound */
    sbuf_fini(&text);
}

TEST(a_bomb_of_variables_ends_in_one_error)
{
    struct sbuf text = SBUF_INIT;

    sbuf_puts(&text, "define($v9 \"\")");
    for (int i = 0; i < 9; i++) {
        sbuf_printf(&text, "define($v%d ", i);
        for (int k = 0; k < 100; k++)
            sbuf_printf(&text, "\"$v%d\"", i + 1);
        sbuf_puts(&text, ")");
    }
    sbuf_puts(&text, "A($v0)");
    EXPECT_EQ(load(sbuf_text(&text)), -1);
    EXPECT_EQ(d.n_messages, 1);
    sbuf_fini(&text);
}

/* `n` times one text, then another. */
static int load_repeated(const char *text, int n, const char *last)
{
    struct sbuf all = SBUF_INIT;
    int rc;

    for (int i = 0; i < n; i++)
        sbuf_puts(&all, text);
    sbuf_puts(&all, last);
    rc = load(sbuf_text(&all));
    sbuf_fini(&all);
    return rc;
}

TEST(nesting_has_an_end)
{
    EXPECT_EQ(load_repeated("{", 100000, ""), -1);
    EXPECT_STR(diag_text(&d), "x:1: maximum compound element nesting depth exceeded\n");
    EXPECT_EQ(load_repeated("(", 100000, ""), -1);
    EXPECT_STR(diag_text(&d), "x:1: maximum element group nesting depth exceeded\n");
}

TEST(errors_have_an_end)
{
    EXPECT_EQ(load_repeated("%", 100000, ""), -1);
    EXPECT_EQ(d.n_messages, 101);
    EXPECT_STR(d.messages[100].text, "too many errors, giving up");
}

TEST(ports_in_masses_end)
{
    EXPECT_EQ(load_repeated("a[0-65535],", 10000, "a[0-65535] => a"), -1);
    EXPECT_EQ(load_repeated("{ input [65535] -> Discard }", 100, ""), -1);
}

TEST(a_graph_that_does_not_fit_its_arena_is_an_error)
{
    struct arena *whole = a;

    a = arena_new(20000);
    EXPECT_EQ(load_repeated("Idle -> Discard;", 1000, ""), -1);
    EXPECT_STR(diag_text(&d), "out of memory while loading the configuration\n");
    arena_free(a);
    a = whole;
}

TEST(nobody_has_to_listen_to_errors)
{
    EXPECT_EQ(lang_load(&g, a, "x -> y :: Foo %", 15, NULL, &options, NULL), -1);
    EXPECT_EQ(lang_load(&g, a, "Idle -> Discard", 15, NULL, NULL, NULL), 0);
    EXPECT_STR(g.elements[0].at.file, "config");
}

TEST(a_long_chain_takes_linear_time)
{
    clock_t start = clock();
    double small, large;

    EXPECT_EQ(load_repeated("Queue(5) -> ", 10000, "Discard"), 0);
    small = seconds(start);
    EXPECT_EQ(g.n_elements, 10001);
    EXPECT_EQ(g.n_connections, 10000);
    start = clock();
    EXPECT_EQ(load_repeated("Queue(5) -> ", 100000, "Discard"), 0);
    large = seconds(start);
    /* Ten times the work: 100 times the time would be quadratic. */
    EXPECT(large < 50 * small + 0.5);
}
