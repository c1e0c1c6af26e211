/* The options of `wpa check`. Private to check. */
#pragma once

#include "analysis/baseline.h"
#include "analysis/sarif.h"
#include "analysis/tree.h"
#include "cli/cli.h"
#include "report/report.h"

#define WPA_CHECK_FORMATS_MAX 8

typedef enum wpa_check_fix {
    WPA_CHECK_FIX_NONE,
    WPA_CHECK_FIX_SAFE,
    WPA_CHECK_FIX_ALL
} wpa_check_fix;

/* One --format, to standard output or a file. */
typedef struct wpa_check_format {
    const wpa_format *format;
    const char *file; /* NULL: standard output */
} wpa_check_format;

typedef struct wpa_check_options {
    wpa_settings *settings;
    wpa_check_format formats[WPA_CHECK_FORMATS_MAX];
    size_t n_formats;
    const char *const *paths; /* [n_paths] */
    size_t n_paths;
    wpa_check_fix fix;
    bool *fix_rules; /* [number of rules] of --fix=RULE,…, or NULL */
    bool is_diff, exits_zero, keeps_going, shows_ignored;
    bool lists_rules, lists_rules_as_json;
    wpa_report_order order;
    bool has_only;
    const char *baseline, *diff_base;
    bool writes_baseline, updates_baseline;
    bool is_watching;
    const char *explain;
    const char *config;
    bool has_no_config, has_no_cache;
    struct wpa_seen *seen; /* notes which configurations there are; or NULL */
    const char *stdin_path;
    bool has_kind;
    wpa_input_kind kind;
    int64_t n_threads;
} wpa_check_options;

/**
 * Settings for a repository below the folder that is checked: as for the others, with its own
 * configuration nearest. The common ones if it has none.
 */
const wpa_settings *wpa_check_configure(const wpa_cli *cli, const wpa_check_options *options,
                                        const char *folder, wpa_arena *arena, wpa_error *err);
/** A configuration of a kind, and where it is. */
typedef struct wpa_check_layer {
    const char *path;
    bool is_zizmor, is_actionlint;
} wpa_check_layer;
/** [n] what counts for a path, the farthest first; seen notes what was looked for, or is NULL. */
wpa_check_layer *wpa_check_layers(const char *start, struct wpa_seen *seen, wpa_arena *arena,
                                  size_t *n);
/** Read one layer over what is there. Of several faults err is the last; the others are said. */
bool wpa_check_read_layer(const wpa_cli *cli, const wpa_check_layer *layer, wpa_settings *settings,
                          wpa_arena *arena, wpa_error *err) WPA_CHECK;

/** Options and configuration; the command line beats the file. Errors WPA_E_INVALID. */
bool wpa_check_options_read(const wpa_cli *cli, wpa_check_options *options,
                            wpa_error *err) WPA_CHECK;

/** Is standard input among what is checked? It can be read once. */
bool wpa_check_reads_stdin(const wpa_check_options *options);

/** Does any of the reports show these (wpa_format_shows bits)? */
bool wpa_check_shows(const wpa_check_options *options, unsigned what);

/* One run, as the parts of check see it. */
typedef struct wpa_check_run {
    wpa_cli *cli;
    wpa_check_options *options;
    struct wpa_lint *lint;
    wpa_cache *cache;
    wpa_baseline *baseline;          /* or NULL */
    wpa_outside *outside;            /* or NULL */
    struct wpa_check_watch *watch;   /* or NULL */
    struct wpa_check_kept *kept;     /* place to keep the run in; or NULL */
    const wpa_settings **configured; /* [n_configured] of repositories below, as they were found */
    size_t n_configured, configured_capacity;
    wpa_note *notes; /* [n_notes] on the configuration */
    size_t n_notes, notes_capacity;
    size_t n_written; /* files that this round has changed, so that there is another one */
    bool has_written_baseline;
    bool has_failed;   /* a fix could not be written; failure says why */
    wpa_error failure; /* the last one */
} wpa_check_run;

bool wpa_check_print(wpa_cli *cli, const char *text, size_t size_bytes, wpa_error *err) WPA_CHECK;
/** Is standard output a terminal? */
bool wpa_check_is_terminal(const wpa_cli *cli);
/** Does it get colours? */
bool wpa_check_has_colour(const wpa_cli *cli);
/** In every format that was asked for, and into what is kept of the run. */
bool wpa_check_write_reports(const wpa_check_run *run, const wpa_report *report,
                             wpa_error *err) WPA_CHECK;
/**
 * Write, print or show what fixes made of a file. One that cannot be written keeps none of the
 * others back.
 */
void wpa_check_deliver_fix(wpa_check_run *run, const wpa_tree_file *file);

/** The same of files that are changed together, or not at all. */
void wpa_check_deliver_together(wpa_check_run *run, const wpa_tree_together *together);

/** Folders in which something may change; NULL with UNAVAILABLE. */
typedef struct wpa_check_watch wpa_check_watch;
wpa_check_watch *wpa_check_watch_new(wpa_arena *arena, wpa_error *err);
void wpa_check_watch_add(wpa_check_watch *watch, const wpa_check_options *options, wpa_tree *tree);
/** Until something has changed, and nothing more for a moment. */
bool wpa_check_watch_wait(wpa_check_watch *watch, wpa_error *err) WPA_CHECK;
void wpa_check_watch_close(wpa_check_watch *watch);

/** Run the analysers of the settings; what goes wrong with one is a note. */
void wpa_check_run_outside(wpa_check_run *run);
/** Was everything looked at that a file (a configuration, a baseline) is about? */
bool wpa_check_covers(const wpa_check_run *run, const char *file);
/** Does a rule's silence mean that there is nothing? context is the run. */
bool wpa_check_has_run(void *context, const char *rule);
/**
 * Put entries of the configuration and of the baseline that answer to nothing among the results,
 * and globs that fit nothing among the notes.
 */
void wpa_check_add_leftovers(wpa_check_run *run, wpa_tree *tree);
const char *wpa_check_baseline_file(const wpa_check_run *run);
/** The file of known findings, or those of a revision; neither leaves run->baseline NULL. */
bool wpa_check_open_baseline(wpa_check_run *run, wpa_error *err) WPA_CHECK;
/** Write the file, if that was asked for. */
bool wpa_check_close_baseline(wpa_check_run *run, wpa_tree *tree, wpa_error *err) WPA_CHECK;

int wpa_check_explain(wpa_cli *cli, const char *name, wpa_error *err);
int wpa_check_list_rules(wpa_cli *cli, bool as_json, wpa_error *err);
