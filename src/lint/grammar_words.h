/* Words, lines and redirections of shells, for grammar.c alone. Each reader moves on behind what it
 * has read; false: it is not sound, or not known here, and nothing more is to be asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define WPA_SH_DEPTH_MAX 40
#define WPA_SH_HEREDOCS_MAX 8
#define WPA_SH_DELIMITER_MAX 64

/* A here-document whose text begins behind the line. */
typedef struct wpa_sh_heredoc {
    char delimiter[WPA_SH_DELIMITER_MAX];
    bool is_indented; /* "<<-" */
    bool is_quoted;   /* nothing in it is expanded */
} wpa_sh_heredoc;

/* A text on its way through the reader. */
typedef struct wpa_sh {
    const char *at;
    bool is_bash;
    int depth;
    wpa_sh_heredoc heredocs[WPA_SH_HEREDOCS_MAX]; /* [n_heredocs] */
    int n_heredocs;
    bool is_lost; /* the text ended within one of them */
} wpa_sh;

bool wpa_sh_is_blank(char c);
/** What ends a word: blanks, line breaks, operators, the end. */
bool wpa_sh_is_meta(char c);
bool wpa_sh_is_name_start(char c);
/** Length of the name that begins here, or 0. */
size_t wpa_sh_name_length(const char *at);

/** Blanks, continued lines, and a comment behind them. */
void wpa_sh_skip_blanks(wpa_sh *r);
/** These, and ends of lines with the here-documents behind them. */
void wpa_sh_skip_newlines(wpa_sh *r);
/** Read these characters, if they come next. */
bool wpa_sh_take(wpa_sh *r, const char *token);

/** A quote with what it holds, an expansion, or one character. */
bool wpa_sh_part(wpa_sh *r, bool is_quoted);
/** At least one character up to what ends a word. */
bool wpa_sh_word(wpa_sh *r);
/** "<(" or ">(": part of a word. */
bool wpa_sh_is_process(const wpa_sh *r);
/** Behind "((": up to "))"; what holds lines or other quotes than double ones is not looked into.
 */
bool wpa_sh_arithmetic(wpa_sh *r);

bool wpa_sh_is_redirection(const wpa_sh *r);
/** An operator is there, perhaps behind digits; then its word. */
bool wpa_sh_redirection(wpa_sh *r);
bool wpa_sh_redirections(wpa_sh *r);

/** Commands, perhaps none, up to what is no command; grammar.c has it. */
bool wpa_sh_list(wpa_sh *r);
