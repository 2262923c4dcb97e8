// SPDX-License-Identifier: BSD-3-Clause
/* What a configuration means, shown by the flat text that it becomes. */

#include "base/sbuf.h"
#include "engine/lang/flatten.h"
#include "engine/lang/lang.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const classes[] = {"A", "B",       "C",    "Classifier", "Counter",
                                      "D", "Discard", "Idle", "Queue",      "Tee"};

static struct arena *a;
static struct diag d;
static struct sbuf flat;
static struct lang_graph g;
static struct lang_options options;

SETUP()
{
    a = arena_new(0);
    d = DIAG_INIT;
    flat = SBUF_INIT;
    options = (struct lang_options){.classes = classes,
                                    .n_classes = sizeof classes / sizeof classes[0]};
}

TEARDOWN()
{
    diag_fini(&d);
    sbuf_fini(&flat);
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

/* The flat text of a configuration, or its errors. */
static const char *flatten(const char *text)
{
    if (load(text) < 0)
        return diag_text(&d);
    sbuf_reset(&flat);
    lang_unparse(&g, &flat);
    return sbuf_text(&flat);
}

#define EXPECT_FLAT(text, want) EXPECT_STR(flatten(text), want)
#define EXPECT_ERRORS(text, want)                                                      \
    do {                                                                               \
        EXPECT_EQ(load(text), -1);                                                     \
        EXPECT_STR(diag_text(&d), want);                                               \
    } while (0)

/* --- declarations and chains --- */

TEST(nothing_is_a_configuration)
{
    EXPECT_FLAT("", "");
    EXPECT_FLAT(" // only a comment\n;;/* and */", "");
}

TEST(elements_are_declared_and_connected)
{
    EXPECT_FLAT("q :: Queue(20); i :: Idle; i -> q -> Discard;",
                "q :: Queue(20);\ni :: Idle;\nDiscard@3 :: Discard;\n\n"
                "i -> q\n    -> Discard@3;\n");
}

TEST(a_declaration_may_stand_in_a_connection)
{
    EXPECT_FLAT("Idle -> q :: Queue(3) -> Discard",
                "Idle@1 :: Idle;\nq :: Queue(3);\nDiscard@3 :: Discard;\n\n"
                "Idle@1 -> q\n    -> Discard@3;\n");
}

TEST(several_elements_share_a_declaration)
{
    EXPECT_FLAT("a, b, c :: Queue(5);",
                "a :: Queue(5);\nb :: Queue(5);\nc :: Queue(5);\n\n");
}

TEST(in_a_connection_a_declaration_is_for_one_name)
{
    EXPECT_ERRORS("a, b :: Idle -> Discard;", "x:1: undeclared element 'a'\n");
}

TEST(ports_are_named_before_and_after)
{
    EXPECT_FLAT("a :: A; b :: B; a [2] -> [1] b [3] -> [4] a;",
                "a :: A;\nb :: B;\n\nb [3] -> [4] a;\na [2] -> [1] b;\n");
}

TEST(a_repeated_connection_counts_once)
{
    EXPECT_FLAT("a :: A; b :: B; a -> b; a -> b", "a :: A;\nb :: B;\n\na -> b;\n");
}

TEST(cycles_are_written_too)
{
    EXPECT_FLAT("a :: A; b :: B; a -> b -> a; a [1] -> [1] a;",
                "a :: A;\nb :: B;\n\na [1] -> [1] a;\nb -> a\n    -> b;\n");
    EXPECT_FLAT("a :: A -> a", "a :: A;\n\na -> a;\n");
}

TEST(anonymous_numbers_step_over_names_in_use)
{
    EXPECT_FLAT("Idle -> Discard; Discard@2 :: Discard; Idle -> Discard@2",
                "Idle@1 :: Idle;\nDiscard@3 :: Discard;\nDiscard@2 :: Discard;\n"
                "Idle@4 :: Idle;\n\nIdle@1 -> Discard@3;\nIdle@4 -> Discard@2;\n");
}

/* --- many at once --- */

TEST(lists_connect_many_to_one_and_one_to_many)
{
    EXPECT_FLAT(
        "a, b, c :: A; d :: D; a, b -> d; d -> a, c",
        "a :: A;\nb :: A;\nc :: A;\nd :: D;\n\nd -> c;\nb -> d\n    -> a\n    -> d;\n");
}

TEST(double_arrows_pair_ports)
{
    static const char want[] = "c :: Classifier;\na :: A;\nb :: B;\n\n"
                               "c -> a;\nc [1] -> b;\n";

    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c [0,1] => a, b;", want);
    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c [0-1] => a, b;", want);
    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c [0-] => a, b;", want);
    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c [] => a, b;", want);
    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c => a, b;", want);
    EXPECT_FLAT("c :: Classifier; a :: A; b :: B; c [1], c [0] => b, a;", want);
    EXPECT_FLAT("a :: A; b :: B; a [0,1] => [1,0] b",
                "a :: A;\nb :: B;\n\na [1] -> b;\na -> [1] b;\n");
    EXPECT_FLAT("a :: A; b :: B; a [0x2,010] => [1,2] b",
                "a :: A;\nb :: B;\n\na [2] -> [1] b;\na [8] -> [2] b;\n");
}

TEST(pairs_must_match)
{
    EXPECT_ERRORS("a :: A; a [0,1] => [0,1,2] a",
                  "x:1: connection mismatch: 2 outputs connected to 3 inputs\n");
    EXPECT_ERRORS("a :: A; a [0-] => [0-] a",
                  "x:1: at most one expandable port allowed per connection\n");
    EXPECT_ERRORS("a :: A; a [0,1] -> [0,1] a",
                  "x:1: syntax error: many-to-many connections require '=>'\n");
}

TEST(ports_at_the_ends_of_a_chain_are_no_use)
{
    EXPECT_ERRORS("a :: A; [1] a -> a", "x:1: input ports ignored at start of chain\n");
    EXPECT_ERRORS("a :: A; a -> a [1]", "x:1: output ports ignored at end of chain\n");
}

TEST(bad_ports_are_named)
{
    EXPECT_ERRORS("a :: A; a [x] -> a",
                  "x:1: syntax error: port number should be integer\n");
    EXPECT_ERRORS("a :: A; a [70000] -> a", "x:1: port number 70000 too large\n");
    EXPECT_ERRORS("a :: A; a [1 2] -> a", "x:1: syntax error: expected ','\n");
}

/* --- groups --- */

TEST(groups_are_bridged)
{
    static const char want[] = "a :: A;\nb :: B;\n\na -> b;\n";

    EXPECT_FLAT("a :: A; b :: B; a -> ( input -> output ) -> b", want);
    EXPECT_FLAT("a :: A; b :: B; a -> ( [0] -> [0] ) -> b", want);
    EXPECT_FLAT("a :: A; b :: B; a -> (->) -> b", want);
    EXPECT_FLAT("a :: A; b :: B; a -> ( [0]->[0]; [1]->[1] ) => ( [0]->[0]; [1]->[1] ) "
                "-> b",
                want);
    EXPECT_FLAT("a :: A; b :: B; a => ( [0]->[0]; [1]->[1] ) => ( [0]->[0]; [1]->[1] ) "
                "-> b",
                "a :: A;\nb :: B;\n\na -> b;\na [1] -> b;\n");
}

TEST(a_group_is_a_detour)
{
    EXPECT_FLAT("x :: Idle -> c :: Classifier => ( input [0] -> output;\n"
                "  input [1] -> A(1) -> output ) -> y :: Discard",
                "x :: Idle;\nc :: Classifier;\nA@6 :: A(1);\ny :: Discard;\n\n"
                "x -> c\n    -> y;\nc [1] -> A@6\n    -> y;\n");
}

TEST(names_declared_in_a_group_are_seen_outside)
{
    EXPECT_FLAT(
        "Idle -> ( -> q :: Queue -> ) -> Discard; Idle -> q",
        "Idle@1 :: Idle;\nq :: Queue;\nDiscard@6 :: Discard;\nIdle@7 :: Idle;\n\n"
        "Idle@1 -> q\n    -> Discard@6;\nIdle@7 -> q;\n");
}

TEST(groups_must_use_all_their_ports)
{
    EXPECT_ERRORS("a :: A; a => ( [0] -> [0]; [2] -> Discard ) -> a",
                  "x:1: '<anonymous group>' input 1 missing\n"
                  "x:1: '@2' has no input 1\n");
}

TEST(repeated_detours_do_not_multiply)
{
    struct sbuf text = SBUF_INIT;

    sbuf_puts(&text, "a :: A; b :: B; a ");
    for (int i = 0; i < 1000; i++)
        sbuf_puts(&text, "-> (input -> output; -> )");
    sbuf_puts(&text, "-> b");
    EXPECT_EQ(load(sbuf_text(&text)), 0);
    EXPECT_EQ(g.n_connections, 1);
    sbuf_fini(&text);
}

/* --- compounds --- */

TEST(compounds_are_expanded_with_their_names)
{
    EXPECT_FLAT("c :: { input -> x :: Counter -> output }; Idle -> c -> Discard",
                "Idle@2 :: Idle;\nDiscard@3 :: Discard;\nc/x :: Counter;\n\n"
                "Idle@2 -> c/x\n    -> Discard@3;\n");
}

TEST(anonymous_compounds_have_numbers)
{
    EXPECT_FLAT("Idle -> { -> Counter -> } -> Discard",
                "Idle@1 :: Idle;\nDiscard@3 :: Discard;\n@2/Counter@1 :: Counter;\n\n"
                "Idle@1 -> @2/Counter@1\n    -> Discard@3;\n");
}

TEST(parameters_are_replaced)
{
    EXPECT_FLAT("elementclass X { $a, $b | A($a, $b, \"$a\", '$a', ${b}c, ${z-9}) }\n"
                "x :: X(1, q\"r)",
                "x:2: expected ')'\n");
    EXPECT_FLAT("elementclass X { $a, $b | A($a, $b, \"$a\", '$a', ${b}c, ${z-9}) }\n"
                "x :: X(\"1\", 2 3)",
                "x/A@1 :: A(\"1\", 2 3, \"\\\"1\\\"\", '$a', 2 3c, 9);\n\n");
}

TEST(keywords_and_the_rest_are_assigned)
{
    EXPECT_FLAT(
        "x :: { $a, COUNT $c, __REST__ $r | A($a/$c/$r) } (1, 2, COUNT 3, FOO 4)",
        "x/A@1 :: A(1/3/2, FOO 4);\n\n");
    EXPECT_FLAT("x :: { __REST__ $r | A($r) }", "x/A@1 :: A;\n\n");
    EXPECT_ERRORS("x :: { COUNT $c | A($c) } (1)",
                  "x:1: no match for '<anonymous>[1 argument, 0 inputs, 0 outputs]'\n"
                  "x:1: candidates are:\n"
                  "x:1:   <anonymous>(COUNT)[0 inputs, 0 outputs]\n");
}

TEST(the_overload_that_fits_is_taken)
{
    static const char head[] = "elementclass Q { -> A -> || $n | -> B($n) -> || "
                               "$n | B($n, none) || ... }\n";
    char text[400];

    snprintf(text, sizeof text, "%s",
             "elementclass Queue { $a, $b | -> Queue($a) -> "
             "Counter($b) -> || ... }\n"
             "Idle -> Queue(1, 2) -> Queue(3) -> Discard");
    EXPECT_FLAT(text,
                "Idle@1 :: Idle;\nQueue@3 :: Queue(3);\nDiscard@4 :: Discard;\n"
                "Queue@2/Queue@1 :: Queue(1);\nQueue@2/Counter@2 :: Counter(2);\n\n"
                "Idle@1 -> Queue@2/Queue@1\n    -> Queue@2/Counter@2\n"
                "    -> Queue@3\n    -> Discard@4;\n");
    snprintf(text, sizeof text, "%s", head);
    EXPECT_ERRORS(text, "x:1: cannot extend unknown element class 'Q'\n");
}

TEST(elementclass_scopes_are_lexical)
{
    EXPECT_FLAT("elementclass X { -> A -> }; elementclass Y { elementclass X B; "
                "-> X -> }; Idle -> X -> Y -> Discard",
                "Idle@1 :: Idle;\nDiscard@4 :: Discard;\nX@2/A@1 :: A;\n"
                "Y@3/X@1 :: B;\n\n"
                "Idle@1 -> X@2/A@1\n    -> Y@3/X@1\n    -> Discard@4;\n");
}

TEST(compounds_nest)
{
    EXPECT_FLAT("elementclass In { $v | -> c :: Counter($v) -> }\n"
                "elementclass Out { $v | -> i :: In($v) -> [1] output; input [1] -> "
                "( -> Queue -> ) -> output }\n"
                "Idle -> o :: Out(7) -> Discard; Idle -> [1] o [1] -> Discard;",
                "Idle@1 :: Idle;\nDiscard@3 :: Discard;\nIdle@4 :: Idle;\n"
                "Discard@5 :: Discard;\no/Queue@5 :: Queue;\no/i/c :: Counter(7);\n\n"
                "Idle@4 -> o/Queue@5\n    -> Discard@3;\n"
                "Idle@1 -> o/i/c\n    -> Discard@5;\n");
}

TEST(a_chain_that_starts_with_an_arrow_after_one_that_ends_without_is_warned_of)
{
    EXPECT_EQ(load("x :: { -> A -> B\n -> C ; -> D }; Idle -> x"), 0);
    EXPECT_EQ(d.n_warnings, 1);
    EXPECT_STR(diag_text(&d), "x:2: warning: suggest 'input ->' or '[0] ->' to start "
                              "connection\n");
}

TEST(synonyms_are_the_class_itself)
{
    EXPECT_FLAT("elementclass Q Queue; elementclass P { -> A -> }; elementclass R P;"
                "Idle -> Q(5) -> R -> Discard",
                "Idle@1 :: Idle;\nQ@2 :: Queue(5);\nDiscard@4 :: Discard;\n"
                "R@3/A@1 :: A;\n\nIdle@1 -> Q@2\n    -> R@3/A@1\n    -> Discard@4;\n");
}

TEST(identifiers_take_single_slashes)
{
    EXPECT_FLAT("a/b@c_1 :: A(/)//comment\n;", "a/b@c_1 :: A(/);\n\n");
    EXPECT_FLAT("a//b :: B\n:: A", "a :: A;\n\n");
}

TEST(configuration_strings_end_at_the_matching_parenthesis)
{
    EXPECT_FLAT("A((a) \")\" ')' \\<29 /* ) > */ 29> /* ) */ // )\n x)",
                "A@1 :: A((a) \")\" ')' \\<29 /* ) > */ 29> /* ) */ // )\n x);\n\n");
}

TEST(flat_text_means_the_same_graph)
{
    char *first = strdup(flatten("Idle -> c :: Classifier => ( -> Counter -> ; [1] -> "
                                 "output ) -> Discard; require(package p)"));

    EXPECT_STR(flatten(first), first);
    free(first);
}
