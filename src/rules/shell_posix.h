/*
 * What the lexer of bash and sh is made of: shell_posix.c reads commands, shell_posix_words.c their
 * words, shell_posix_nested.c tells which of them are scripts themselves. Included by these alone.
 */
#pragma once

#include <string.h>

#include "rules/shell_lex.h"

typedef struct wpa_posix_heredoc {
    wpa_shell_redirect *redirect;
    bool strips_tabs, is_quoted;
} wpa_posix_heredoc;

#define WPA_POSIX_HEREDOCS_MAX 16

typedef struct wpa_posix_lexer {
    wpa_script *script;
    wpa_arena *arena;
    uint8_t *contexts;
    const char *text;
    char
        *words; /* [length + 1] the text again: plain words stand in it, each with an end of text */
    size_t length, at;
    unsigned depth, loops, cases;
    wpa_posix_heredoc heredocs[WPA_POSIX_HEREDOCS_MAX];
    size_t n_heredocs;
    bool has_failed;
    unsigned script_depth; /* of bash -c */
} wpa_posix_lexer;

/* ---- bytes ---- */

/* What a byte may be, or do, in a word. */
enum {
    WPA_POSIX_ENDS_WORD = 1,    /* "(" unless something stands before it */
    WPA_POSIX_IS_QUOTE = 2,     /* or begins an expansion, or an escape */
    WPA_POSIX_IS_GLOB = 4,      /* makes a word none that is literal, where it is not quoted */
    WPA_POSIX_IS_SPECIAL = 8,   /* within double quotes */
    WPA_POSIX_IS_COMMENT = 16,  /* where a word may begin */
    WPA_POSIX_IS_BLANKED = 32,  /* if there are some of them, an expression may have stood here */
    WPA_POSIX_ENDS_DOUBLE = 64, /* ends double quotes, or takes an end's meaning from it */
    WPA_POSIX_ENDS_SINGLE = 128
};

extern const unsigned char wpa_posix_kinds[256];

static inline unsigned wpa_posix_kind(char c)
{
    return wpa_posix_kinds[(unsigned char)c];
}

static inline bool wpa_posix_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static inline char wpa_posix_peek(const wpa_posix_lexer *l, size_t ahead)
{
    return l->at + ahead < l->length ? l->text[l->at + ahead] : '\0';
}

/** Inline: the compiler knows the length of what is looked for. */
static inline bool wpa_posix_looks_at(const wpa_posix_lexer *l, const char *text)
{
    size_t n = strlen(text);
    return l->at + n <= l->length && l->text[l->at] == *text &&
           memcmp(l->text + l->at, text, n) == 0;
}

static inline void wpa_posix_mark(wpa_posix_lexer *l, size_t from, size_t to,
                                  wpa_shell_context context)
{
    if (l->contexts && from < to) {
        memset(l->contexts + from, context, to - from);
    }
}

static inline void wpa_posix_fail(wpa_posix_lexer *l)
{
    l->has_failed = true;
    l->at = l->length;
}

/* ---- words ---- */

/** The word that begins here; end closes the substitution that is being read, or is '\0'. */
wpa_shell_word wpa_posix_word(wpa_posix_lexer *l, char end);
/** "$(" or "`" has been read: commands up to the end, and past it. */
void wpa_posix_substitution(wpa_posix_lexer *l, char end);
/** "((" has been read: on to the matching "))". */
void wpa_posix_arithmetic(wpa_posix_lexer *l);

/* ---- commands ---- */

/** Commands up to the end of the text, or to this character. */
void wpa_posix_list(wpa_posix_lexer *l, char end);

/* ---- scripts within commands ---- */

/** Is it a shell, by its path or its name? */
bool wpa_posix_is_shell(const char *word);
/** The word that holds the script of "sh -c", NULL if there is none; one of several is made. */
const wpa_shell_word *wpa_posix_nested_script(const wpa_shell_command *c, wpa_arena *arena);
