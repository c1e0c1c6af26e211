/*
 * Silencing by comments: "# wpa: ignore[rule] reason" and its relatives, and "# zizmor: ignore[a]".
 */
#pragma once

#include "rules/finding.h"
#include "rules/source.h"

typedef enum wpa_ignore_reach {
    WPA_IGNORE_SPANS,     /* findings whose primary span touches [first_line, last_line] */
    WPA_IGNORE_NEXT_LINE, /* findings that start on first_line */
    WPA_IGNORE_BETWEEN,   /* findings that start within the lines */
    WPA_IGNORE_FILE,
    WPA_IGNORE_ANY_SPAN /* zizmor: findings any span of which touches the line, or that start
                           within [first_around, last_around] */
} wpa_ignore_reach;

typedef struct wpa_ignore {
    wpa_ignore_reach reach;
    wpa_span span;            /* of the comment, from its # on */
    const char *const *names; /* [n_names] as written */
    size_t n_names;
    bool is_foreign;    /* a zizmor comment: bare zizmor names */
    const char *reason; /* "" if none */
    char until[11];     /* "YYYY-MM-DD" or "" */
    size_t first_line, last_line;
    size_t first_around, last_around; /* of the step, call, trigger ... it stands in; 0: of none */
    const char *fault;                /* why it cannot be honoured, or NULL */
    bool has_ended;                   /* until= lies in the past */
    bool *is_used;                    /* [n_names] */
} wpa_ignore;

typedef struct wpa_ignores {
    wpa_ignore *items;
    size_t n, capacity;
} wpa_ignores;

/** All ignore comments of a file, in order; today is "YYYY-MM-DD". */
wpa_ignores *wpa_ignores_read(const wpa_source *source, const char *today, wpa_arena *arena);
/** Silence what the comments reach: sets state and reason, and marks the comments as used. */
void wpa_ignores_apply(wpa_ignores *ignores, wpa_finding **findings, size_t n_findings);
/**
 * Where a finding has to begin so that a comment of zizmor's on first_line is meant for it.
 *
 * zizmor's findings cover the step, the call, the triggers or the entry that they are about, and a
 * comment on any line of those silences them. Sets first_around and last_around.
 *
 * is_alone  nothing but the comment is on its line: it may stand below the last words of the part.
 */
void wpa_ignore_reach_around(const wpa_yaml_doc *doc, bool is_alone, wpa_ignore *ignore);
size_t wpa_ignore_last_line(const wpa_yaml_doc *doc, const wpa_yaml_node *node);
/** The step or job that begins on the line, or NULL. */
const wpa_yaml_node *wpa_ignore_block_on(const wpa_yaml_doc *doc, size_t line);
/** The job that calls a workflow by the "uses" of this line, or NULL. */
const wpa_yaml_node *wpa_ignore_call_on(const wpa_yaml_doc *doc, size_t line);
/** Does a rule name as in comments ("id", "code/check", "dimension:x", "*") fit the finding? */
bool wpa_ignore_name_fits(const char *name, const wpa_finding *finding);
