/*
 * Shell scripts as rules see them: simple commands with their words, and for every byte what kind
 * of text it stands in. A lexer, not an interpreter: what it cannot follow it calls unreadable, and
 * then no rule that reads commands says anything.
 */
#pragma once

#include <stdint.h>

#include <wpa/span.h>
#include <wpa/text.h>

#define WPA_SHELL_MAX_BYTES ((size_t)128 * 1024)
#define WPA_SHELL_MAX_DEPTH 64

typedef enum wpa_shell_context {
    WPA_SHELL_PLAIN,
    WPA_SHELL_DOUBLE,         /* inside double quotes, or a here-document that expands */
    WPA_SHELL_SINGLE,         /* inside single quotes */
    WPA_SHELL_HEREDOC,        /* a here-document that expands */
    WPA_SHELL_HEREDOC_QUOTED, /* one that does not */
    WPA_SHELL_ARITHMETIC,
    WPA_SHELL_COMMENT
} wpa_shell_context;

typedef struct wpa_shell_word {
    const char *text; /* quotes removed; expansions as written */
    wpa_span span;    /* bytes of the script */
    bool is_literal;  /* no expansion, glob or blanked expression in it */
    /* Known to stand in the script, or the word whose script it is of, byte for byte, though there
       may be quotes around it. */
    bool is_as_written;
} wpa_shell_word;

typedef struct wpa_shell_redirect {
    const char *operator;  /* ">", ">>", "<", "<<", "<<<", "&>", ">&" */
    wpa_shell_word target; /* of a here-document its delimiter */
    wpa_span body;         /* of a here-document, else empty */
} wpa_shell_redirect;

/* Scripts are full of them, so they are kept small: WPA_SHELL_MAX_BYTES bounds each count. */
typedef struct wpa_shell_command {
    const char *name;      /* its last path part; "" if there is none */
    wpa_shell_word *words; /* [n_words] assignments and wrappers included */
    uint32_t n_words;
    uint32_t first;     /* index of the command behind assignments and wrappers (sudo, env, ...) */
    unsigned roles;     /* what it does, as wpa_shell_roles tells */
    unsigned known;     /* what the tables know of its program, WPA_KNOWN_ bits */
    wpa_span span;      /* first word to last */
    const char *before; /* operator in front: "", ";", "&&", "||", "|" (a line break is ";") */
    const char *after;
    wpa_shell_redirect *redirects;
    uint32_t n_redirects;
    uint16_t loops;        /* how many loops it stands in */
    uint8_t nested;        /* substitutions and subshells around it */
    bool is_nested_script; /* from "bash -c '...'": spans are exact, or those of the quoted word */
} wpa_shell_command;

typedef enum wpa_script_language {
    WPA_SCRIPT_POSIX, /* bash, sh */
    WPA_SCRIPT_PWSH,
    WPA_SCRIPT_CMD,
    WPA_SCRIPT_PYTHON /* a command is a call: its words are the texts among its arguments */
} wpa_script_language;

typedef struct wpa_script {
    wpa_script_language language;
    const char *text; /* expressions blanked by as many underscores */
    size_t length;
    bool is_readable; /* false: commands is empty */
    wpa_shell_command *commands;
    size_t n_commands, capacity;
    unsigned roles;          /* of all commands together */
    const uint8_t *contexts; /* [length] wpa_shell_context of each byte; NULL if too long */
} wpa_script;

/** Read a bash or sh script. Everything lives in the arena. */
const wpa_script *wpa_script_read(const char *text, size_t length, wpa_arena *arena);

/** Read a script of any language that is known here. */
const wpa_script *wpa_script_read_as(wpa_script_language language, const char *text, size_t length,
                                     wpa_arena *arena);

/** A copy of a script with each expression blanked by underscores, so that columns stay true. */
char *wpa_script_blank(const char *text, size_t length, wpa_arena *arena);

/** Is this the first word behind the name that is no option? NULL: any, or none. */
bool wpa_shell_has_sub(const wpa_shell_command *command, const char *sub);
/** Is the command called name, with this word next, options in between? Most have another name. */
static inline bool wpa_shell_is(const wpa_shell_command *command, const char *name, const char *sub)
{
    return wpa_text_is(command->name, name) && wpa_shell_has_sub(command, sub);
}
/** The word behind the command's name with this text, or NULL. */
const wpa_shell_word *wpa_shell_word_find(const wpa_shell_command *command, const char *text);
/** The i-th word behind the name that is no option, or NULL. */
const wpa_shell_word *wpa_shell_argument(const wpa_shell_command *command, size_t i);
