// SPDX-License-Identifier: BSD-3-Clause
/*
 * lexer.h -- the tokens of a Click configuration
 *
 * Tokens are slices of the text with the place they were read from. Two of them can be
 * put back. A configuration string is not made of tokens: it is read with
 * lexer_config() just after its opening parenthesis.
 *
 * Memory: tokens borrow the text; configuration strings are in the scratch arena.
 */

#ifndef ENGINE_LANG_LEXER_H
#define ENGINE_LANG_LEXER_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>

/* A token of one character is that character (as unsigned char). */
enum token_kind {
    T_EOF = 256,
    T_IDENT,
    T_VARIABLE, /* its text is without the "$" */
    T_ARROW,
    T_ARROW2,
    T_COLON2,
    T_BAR2,
    T_DOT3,
    T_ELEMENTCLASS,
    T_REQUIRE,
    T_PROVIDE,
    T_DEFINE,
};

struct token {
    int kind;
    const char *text; /* borrowed from the configuration */
    size_t len;
    struct place at;
};

struct lang;

struct lexer {
    struct lang *lang; /* borrowed; for errors and memory */
    const char *begin, *pos, *end, *line_start;
    const char *file, *own_file; /* now, by directives; and at first */
    uint32_t line;
    struct token back[2]; /* put back, the next one last */
    unsigned n_back;
};

void lexer_init(struct lexer *lx, struct lang *l, const char *text, size_t len,
                const char *file);

struct token lexer_next(struct lexer *lx);
void lexer_put_back(struct lexer *lx, struct token t);

/* Take the next token if it is of this kind. */
bool lexer_accept(struct lexer *lx, int kind);

/* The same, or report "expected ...". */
bool lexer_expect(struct lexer *lx, int kind);

/* The text up to the parenthesis that closes, which stays; NULL when memory ran out. No
 * token may be put back at that time. */
const char *lexer_config(struct lexer *lx);

/* Where the lexer stands. */
struct place lexer_place(const struct lexer *lx);

#endif
