/*
 * The finding record: what a rule says about a place in a file, and the fixes it offers. One
 * record for every output: formats, database and console all read this. All memory belongs to the
 * arena of the analysis.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/finding.h>
#include <wpa/span.h>

/** A stretch of a file, for people and for programs; ends are exclusive. */
typedef struct wpa_finding_span {
    wpa_position start, end;
    wpa_span bytes; /* 0-based offsets in the file as stored */
} wpa_finding_span;

typedef struct wpa_related {
    const char *path;
    wpa_finding_span span;
    const char *label; /* a few words: what is to be seen there */
    bool is_step; /* of a flow to the finding: such places stand in its order, the source first */
} wpa_related;

typedef enum wpa_safety {
    WPA_FIX_SAFE,   /* a correct workflow behaves the same afterwards */
    WPA_FIX_UNSAFE, /* better, but a person must review */
    WPA_SAFETY_COUNT
} wpa_safety;

/** What a fix means to change; the test phase compares everything else. A set of bits. */
typedef enum wpa_declares {
    WPA_DECLARES_TRIGGERS = 1 << 0,
    WPA_DECLARES_MATRIX = 1 << 1,
    WPA_DECLARES_JOBS = 1 << 2,
    WPA_DECLARES_PERMISSIONS = 1 << 3,
    WPA_DECLARES_NAMES = 1 << 4,
    WPA_DECLARES_RUNNER = 1 << 5,
    WPA_DECLARES_CONTAINER = 1 << 6,
    WPA_DECLARES_CACHE = 1 << 7,
    WPA_DECLARES_CONCURRENCY = 1 << 8,
    WPA_DECLARES_TIMEOUTS = 1 << 9,
    WPA_DECLARES_SCRIPT = 1 << 10,
    WPA_DECLARES_ENV = 1 << 11,
    WPA_DECLARES_PINS = 1 << 12
} wpa_declares;
#define WPA_DECLARES_COUNT 13

/** Replace these bytes of the file at path by text; the finding's own file, or another one. */
typedef struct wpa_fix_edit {
    const char *path;
    wpa_span bytes;
    wpa_finding_span span; /* the same for people; the engine's work */
    const char *text;
    bool is_new; /* there is no such file: it is made, and text is all of it */
} wpa_fix_edit;

typedef struct wpa_fix {
    const char *title; /* imperative, a few words: "add timeout-minutes: 30" */
    wpa_safety safety;
    unsigned declares;   /* wpa_declares bits */
    const char *needs;   /* table and date it relied on, or NULL */
    wpa_fix_edit *edits; /* [n_edits] by path and place, none overlapping */
    size_t n_edits, capacity;
} wpa_fix;

typedef struct wpa_rule wpa_rule;

typedef struct wpa_finding {
    const wpa_rule *rule;
    const char *check; /* "S7", or NULL if the rule has but one check */
    wpa_dimension dimension;
    wpa_kind kind;
    wpa_severity severity;
    wpa_confidence confidence;
    wpa_persona persona;
    wpa_severity own_severity; /* as the rule has it, whatever the configuration makes of it */
    wpa_persona own_persona;
    wpa_finding_state state;
    const char *state_reason; /* why ignored or baselined; NULL when open */
    const char *since;        /* "YYYY-MM-DD" it was put on record, or NULL */
    const char *message;      /* one visible sentence, lower case, no full stop */
    const char *path;         /* as shown: repository-relative, or as given to wpa check */
    wpa_finding_span span;
    wpa_related *related; /* [n_related] */
    size_t n_related, related_capacity;
    const char *const *structure; /* [n_structure] "jobs", "build", "steps", "Announce", "run" */
    size_t n_structure;
    const char *evidence; /* text of the span, blanks collapsed; part of the fingerprint */
    wpa_fix **fixes;      /* [n_fixes] alternatives, best first */
    size_t n_fixes, fixes_capacity;
    size_t ordinal;       /* among findings of the file that are alike but for their place */
    char fingerprint[41]; /* 20 bytes in hex, NUL-terminated */
    bool is_secret;       /* the span holds a secret: never shown, hashed as evidence */
    bool is_summary;      /* stands for those beyond the limit of one rule and file */
    bool is_unseen;       /* by the settings: others are ordered and numbered by it all the same */
    const void *subject;  /* what the rule's check handed to its repair; not part of the record */
} wpa_finding;

/** A remark that is no finding: a rule that failed, a tool that is missing, a file left out. */
typedef struct wpa_note {
    const char *path; /* or NULL */
    const char *rule; /* id, or NULL */
    const char *text; /* visible */
} wpa_note;

/** "safe", "unsafe"; "timeouts" for bit i of wpa_declares. */
const char *wpa_safety_name(wpa_safety safety);
const char *wpa_declares_name(unsigned bit_index);

/**
 * Total order of the output: path by bytes, start offset, severity (worst first), code, check,
 * fingerprint. For qsort over wpa_finding *.
 */
int wpa_finding_compare(const void *a, const void *b);
/** The same as far as the check: what is equal then has fingerprints that tell it apart. */
int wpa_finding_compare_places(const wpa_finding *a, const wpa_finding *b);
