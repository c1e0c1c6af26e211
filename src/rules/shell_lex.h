/* The lexers behind shell.h, one a language. Included by them alone. */
#pragma once

#include "rules/shell.h"

/**
 * Fill commands and contexts from script->text. Returns false if the text does not lex; what was
 * filled in is dropped by the caller then.
 */
typedef bool (*wpa_shell_lexer)(wpa_script *script, uint8_t *contexts, wpa_arena *arena);

bool wpa_shell_lex_posix(wpa_script *script, uint8_t *contexts, wpa_arena *arena);
bool wpa_shell_lex_pwsh(wpa_script *script, uint8_t *contexts, wpa_arena *arena);
bool wpa_shell_lex_cmd(wpa_script *script, uint8_t *contexts, wpa_arena *arena);
bool wpa_shell_lex_python(wpa_script *script, uint8_t *contexts, wpa_arena *arena);

void wpa_shell_add(wpa_script *script, const wpa_shell_command *command, wpa_arena *arena);

/** A command being gathered by the lexers that know no nesting of their own. */
typedef struct wpa_shell_gather {
    wpa_script *script;
    wpa_arena *arena;
    wpa_shell_word *words;
    size_t n_words, words_capacity;
    wpa_shell_redirect *redirects;
    size_t n_redirects, redirects_capacity;
    const char *before;
} wpa_shell_gather;

void wpa_shell_gather_word(wpa_shell_gather *g, wpa_shell_word word);
void wpa_shell_gather_redirect(wpa_shell_gather *g, wpa_shell_redirect redirect);
/** Add what was gathered, if anything, and begin anew behind this operator. */
void wpa_shell_gather_end(wpa_shell_gather *g, const char *after);
