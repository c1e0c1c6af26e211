/*
 * Taking what stands in several places out into a definition of its own: a composite action or a
 * workflow that is called. The first copy is the pattern; where another one differs, and where an
 * expression names what the new definition cannot see, an input takes its place: extract.c finds
 * out where, extract_text.c writes it.
 */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

#define WPA_EXTRACT_COPIES_MAX 65
#define WPA_EXTRACT_HOLES_MAX 12

typedef enum wpa_extract_kind {
    WPA_EXTRACT_ACTION, /* steps */
    WPA_EXTRACT_CALLEE, /* a job */
    WPA_EXTRACT_CALL    /* one is there already: copies[0] is its job, copies[1] what calls it */
} wpa_extract_kind;

typedef struct wpa_extract_hole {
    const char *name;                           /* of the input */
    const char *values[WPA_EXTRACT_COPIES_MAX]; /* [n] as it stands behind "name: " in each call */
    wpa_yaml_type type;                         /* of all of them, else text */
    bool is_path;   /* an expression of all copies, not a place where they differ */
    const char *of; /* a few words: what it is for */
} wpa_extract_hole;

typedef struct wpa_extract {
    wpa_rule_run *run;
    wpa_extract_kind kind;
    size_t n; /* copies */
    wpa_extract_hole holes[WPA_EXTRACT_HOLES_MAX];
    size_t n_holes;
    const char *secrets[WPA_EXTRACT_HOLES_MAX]; /* [n_secrets] that the pattern names */
    size_t n_secrets;
    const char *const *own_steps; /* [n_own_steps] ids of steps that move along */
    size_t n_own_steps;
    wpa_fix_edit *edits; /* [n_edits] of the pattern */
    size_t n_edits, capacity;
} wpa_extract;

/** Add a part of the pattern, copies[0], and of all others. False: they cannot be one. */
bool wpa_extract_add(wpa_extract *x, const wpa_yaml_node *const copies[]);
/** Replace bytes of the pattern's document. */
void wpa_extract_edit(wpa_extract *x, wpa_span span, const char *format, ...) WPA_PRINTF(3, 4);
/**
 * These bytes of the pattern's document with all edits, whole lines, as they look further left or
 * right: the column `from` becomes the column `to`. Lines end with "\n".
 */
const char *wpa_extract_text(wpa_extract *x, const wpa_yaml_doc *doc, wpa_span span, size_t from,
                             size_t to);
/** "inputs:" with all holes; "" if there are none. indent: of the first line. */
const char *wpa_extract_inputs(wpa_extract *x, size_t indent);
/** "with:" for one copy; "" if there are no holes. */
const char *wpa_extract_with(wpa_extract *x, size_t copy, size_t indent);

/** Does an expression in the text name this context: "secrets" in "${{ secrets.A }}"? */
bool wpa_extract_names(const char *text, bool is_bare, const char *context);
/** Lower case letters, digits and dashes, at most 40: "Install tools" is "install-tools". */
const char *wpa_extract_slug(const char *text, wpa_arena *arena);
/** "install-tools" as "Install tools". */
const char *wpa_extract_words(const char *slug, wpa_arena *arena);
/** What n steps in a row are for: the name of one that does more than prepare, or of their job. */
const char *wpa_extract_title(const wpa_outline_step *steps, size_t n, wpa_arena *arena);
/** The title as it is written where it may stand in YAML without quotes; else the slug's words. */
const char *wpa_extract_name(const char *title, const char *slug, wpa_arena *arena);
/** Lines of the text with the document's line breaks. */
const char *wpa_extract_lines(const wpa_yaml_doc *doc, const char *text, wpa_arena *arena);
/** Offset of the start of the line, if nothing but blanks stands before offset; else SIZE_MAX. */
size_t wpa_extract_line_start(const wpa_yaml_doc *doc, size_t offset);
