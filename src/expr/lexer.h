/* Tokens of expressions. Private to src/expr. */
#pragma once

#include "expr/expr.h"

typedef enum wpa_token_kind {
    WPA_TOKEN_END,
    WPA_TOKEN_NAME,
    WPA_TOKEN_NUMBER,
    WPA_TOKEN_STRING,
    WPA_TOKEN_OPEN,  /* ( */
    WPA_TOKEN_CLOSE, /* ) */
    WPA_TOKEN_OPEN_INDEX,
    WPA_TOKEN_CLOSE_INDEX,
    WPA_TOKEN_DOT,
    WPA_TOKEN_COMMA,
    WPA_TOKEN_STAR,
    WPA_TOKEN_NOT,
    WPA_TOKEN_AND,
    WPA_TOKEN_OR,
    WPA_TOKEN_EQ,
    WPA_TOKEN_NE,
    WPA_TOKEN_LT,
    WPA_TOKEN_LE,
    WPA_TOKEN_GT,
    WPA_TOKEN_GE,
    WPA_TOKEN_FAULT
} wpa_token_kind;

typedef struct wpa_token {
    wpa_token_kind kind;
    wpa_span span;
    const char *text; /* of names and strings */
    double number;
    wpa_expr_fault fault; /* of FAULT */
    const char *message;
} wpa_token;

typedef struct wpa_lexer {
    const char *text;
    size_t length;
    size_t at;
    bool is_behind_value; /* a dot is then a member, not the start of a number */
    wpa_arena *arena;
} wpa_lexer;

bool wpa_lexer_is_blank(char c);
/** Where the name ends that begins at this place; the place itself: none does. */
size_t wpa_lexer_skip_name(const char *text, size_t length, size_t at);
/** Into token, whatever is in it. */
void wpa_lexer_next(wpa_lexer *lexer, wpa_token *token);
