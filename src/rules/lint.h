/*
 * What programs such as ShellCheck say of scripts: collected for a whole batch before the rules run
 * (src/lint), looked up by the rules by the text of the script. Rules start no process themselves.
 */
#pragma once

#include <wpa/map.h>

#include "rules/steps.h"

typedef enum wpa_lint_tool {
    WPA_LINT_SHELLCHECK,
    WPA_LINT_PYTHON, /* ruff or pyflakes */
    WPA_LINT_SYNTAX, /* the interpreters themselves */
    WPA_LINT_TOOL_COUNT
} wpa_lint_tool;

/** Replace these bytes of the script. */
typedef struct wpa_lint_replacement {
    wpa_span span;
    const char *text;
} wpa_lint_replacement;

typedef struct wpa_lint_comment {
    wpa_span span;       /* bytes of the script */
    const char *code;    /* "SC2086", "F401"; NULL if the tool has none */
    const char *level;   /* "error", "warning", "info", "style" */
    const char *message; /* as the tool words it */
    const wpa_lint_replacement *replacements;
    size_t n_replacements;
} wpa_lint_comment;

typedef struct wpa_lint_answer {
    const wpa_lint_comment *comments; /* [n], by place */
    size_t n;
} wpa_lint_answer;

typedef struct wpa_lint_answers {
    wpa_map *by_script; /* wpa_lint_key -> wpa_lint_answer */
} wpa_lint_answers;

/** A script that a tool can read. */
typedef struct wpa_lint_script {
    const wpa_outline_step *step;
    const wpa_yaml_node *node; /* the scalar: of run, or of github-script's input */
    const char *dialect;       /* "bash", "sh", "python", "pwsh", "node" */
    const char *text;          /* [length], expressions blanked */
    size_t length;
    size_t offset;          /* bytes of the scalar in front of text, where it is a part of it */
    bool fails_early;       /* the runner adds -e */
    const char *directives; /* lines that stand for the repository's .shellcheckrc; NULL: none */
} wpa_lint_script;

typedef void (*wpa_lint_script_visitor)(void *context, const wpa_lint_script *script);

/** The script of a step that this tool reads; false if there is none. */
bool wpa_lint_script_of(const wpa_outline_step *step, wpa_lint_tool tool, wpa_arena *arena,
                        wpa_lint_script *script);
/**
 * Every script of the file that this tool reads: those of steps, and Python that a shell's script
 * hands on to its interpreter as it stands there ("python -c", a here-document).
 */
void wpa_lint_each_script(const wpa_source *source, wpa_lint_tool tool, wpa_arena *arena,
                          wpa_lint_script_visitor visit, void *context);
const char *wpa_lint_key(wpa_lint_tool tool, const wpa_lint_script *script, wpa_arena *arena);

/** Called for each comment of a tool on the file's scripts; reports it, or does not. */
typedef void (*wpa_lint_visitor)(wpa_rule_run *run, const wpa_lint_script *script,
                                 const wpa_lint_comment *comment);
void wpa_lint_each(wpa_rule_run *run, wpa_lint_tool tool, wpa_lint_visitor visit);

/** Report a comment at its place, with the script's key beside it. */
wpa_finding *wpa_lint_report(wpa_rule_run *run, const wpa_lint_script *script,
                             const wpa_lint_comment *comment, const char *check);
/** Does the comment touch text that stands for an expression? */
bool wpa_lint_touches_blank(const wpa_lint_script *script, wpa_span span);

/** Bytes of text for a line and column as ShellCheck counts them: from 1, tabs to the next 8. */
size_t wpa_lint_offset(const char *text, size_t length, int64_t line, int64_t column,
                       unsigned tab_width);
